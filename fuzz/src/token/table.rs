//! The token's functions, called as a C program calls them.

use std::{env, ptr};

use cryptoki_sys::*;
use gmkit_token::codes::*;

use super::model::{IV, Kind, Said};

const PIN: &[u8] = b"87654321";
const SO_PIN: &[u8] = b"12345678";

/// Most logins of a process: each takes a fifth of a second, but in a fuzzer's build.
const MOST_LOGINS: usize = if cfg!(fuzzing) { usize::MAX } else { 40 };

/// The table, and how many logins are left.
pub(super) struct Table {
    list: *const CK_FUNCTION_LIST,
    logins: usize,
}

// SAFETY: the table is constant, and its functions may be called from any thread.
unsafe impl Send for Table {}

/// Calls a function of the table.
macro_rules! call {
    ($table:expr, $name:ident $(, $argument:expr)* $(,)?) => {{
        // SAFETY: the table is the module's, and full; pointers that are not NULL point to what the
        // function expects.
        unsafe { ((*$table.list).$name.expect("a full table"))($($argument),*) }
    }};
}

fn attribute(kind: CK_ATTRIBUTE_TYPE, value: &[u8]) -> CK_ATTRIBUTE {
    let pointer = value.as_ptr().cast_mut().cast();
    CK_ATTRIBUTE { type_: kind, pValue: pointer, ulValueLen: value.len() as CK_ULONG }
}

fn mechanism(code: CK_MECHANISM_TYPE, parameter: &[u8]) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism: code,
        pParameter: parameter.as_ptr().cast_mut().cast(),
        ulParameterLen: parameter.len() as CK_ULONG,
    }
}

fn said<T>(rv: CK_RV, value: T) -> Result<T, CK_RV> {
    if rv == CKR_OK { Ok(value) } else { Err(rv) }
}

impl Table {
    /// Loads the module, with a token in a folder of its own.
    pub(super) fn with_a_token() -> Self {
        let dir = tempfile::tempdir().expect("a folder").keep();
        // SAFETY: nothing reads the environment at the same time: the caller holds the lock under
        // which alone this program uses the token.
        unsafe {
            env::set_var("GMKIT_TOKEN_DIR", dir.join("token"));
            if cfg!(fuzzing) {
                env::set_var("GMKIT_TOKEN_PIN_ITERATIONS", "1");
            }
        }
        let mut list = ptr::null_mut();
        // SAFETY: the pointer is to room for a pointer.
        let rv = unsafe { gmkit_token::C_GetFunctionList(&mut list) };
        assert_eq!(rv, CKR_OK);
        let table = Self { list, logins: MOST_LOGINS };
        assert_eq!(call!(table, C_Initialize, ptr::null_mut()), CKR_OK);
        let (pin, len) = (SO_PIN.as_ptr().cast_mut(), SO_PIN.len() as CK_ULONG);
        let label = [b' '; 32].as_ptr().cast_mut();
        assert_eq!(call!(table, C_InitToken, 0, pin, len, label), CKR_OK);
        let session = table.open(true).expect("a session");
        assert_eq!(call!(table, C_Login, session, CKU_SO, pin, len), CKR_OK);
        let (pin, len) = (PIN.as_ptr().cast_mut(), PIN.len() as CK_ULONG);
        assert_eq!(call!(table, C_InitPIN, session, pin, len), CKR_OK);
        table.close_all();
        table
    }

    pub(super) fn close_all(&self) {
        assert_eq!(call!(self, C_CloseAllSessions, 0), CKR_OK);
    }

    pub(super) fn open(&self, writable: bool) -> Result<CK_SESSION_HANDLE, CK_RV> {
        let flags = CKF_SERIAL_SESSION | if writable { CKF_RW_SESSION } else { 0 };
        let mut handle = 0;
        let rv = call!(self, C_OpenSession, 0, flags, ptr::null_mut(), None, &mut handle);
        said(rv, handle)
    }

    pub(super) fn close(&self, session: CK_SESSION_HANDLE) -> CK_RV {
        call!(self, C_CloseSession, session)
    }

    /// Logs the user in, if there is a login left; one that is refused at once costs nothing.
    pub(super) fn log_in(&mut self, session: CK_SESSION_HANDLE, is_free: bool) -> Option<CK_RV> {
        if !is_free {
            self.logins = self.logins.checked_sub(1)?;
        }
        let (pin, len) = (PIN.as_ptr().cast_mut(), PIN.len() as CK_ULONG);
        Some(call!(self, C_Login, session, CKU_USER, pin, len))
    }

    pub(super) fn log_out(&self, session: CK_SESSION_HANDLE) -> CK_RV {
        call!(self, C_Logout, session)
    }

    pub(super) fn state(&self, session: CK_SESSION_HANDLE) -> Result<CK_STATE, CK_RV> {
        let mut info = CK_SESSION_INFO::default();
        let rv = call!(self, C_GetSessionInfo, session, &mut info);
        said(rv, info.state)
    }

    pub(super) fn create(
        &self,
        session: CK_SESSION_HANDLE,
        kind: Kind,
        private: bool,
        label: u8,
        value: &[u8],
    ) -> Result<CK_OBJECT_HANDLE, CK_RV> {
        let (class, key_type) = match kind {
            Kind::Data => (CKO_DATA, None),
            Kind::Hmac => (CKO_SECRET_KEY, Some(CKK_GENERIC_SECRET)),
            Kind::Sm4 => (CKO_SECRET_KEY, Some(CKK_SM4)),
        };
        let (class, key_type) = (class.to_ne_bytes(), key_type.map(CK_ULONG::to_ne_bytes));
        let (private, label) = ([u8::from(private)], [label]);
        let mut template = vec![
            attribute(CKA_CLASS, &class),
            attribute(CKA_PRIVATE, &private),
            attribute(CKA_LABEL, &label),
            attribute(CKA_VALUE, value),
        ];
        if let Some(key_type) = &key_type {
            template.push(attribute(CKA_KEY_TYPE, key_type));
        }
        self.create_from(session, &mut template)
    }

    fn create_from(
        &self,
        session: CK_SESSION_HANDLE,
        template: &mut [CK_ATTRIBUTE],
    ) -> Result<CK_OBJECT_HANDLE, CK_RV> {
        let (pointer, count) = (template.as_mut_ptr(), template.len() as CK_ULONG);
        let mut handle = 0;
        let rv = call!(self, C_CreateObject, session, pointer, count, &mut handle);
        said(rv, handle)
    }

    /// From attributes of any kind and value, in a session of the caller's.
    pub(super) fn create_any(
        &self,
        session: CK_SESSION_HANDLE,
        kinds: [u8; 3],
        values: [&[u8]; 3],
    ) -> Result<CK_OBJECT_HANDLE, CK_RV> {
        let class = CK_ULONG::from(kinds[0] % 6).to_ne_bytes();
        let mut template = vec![attribute(CKA_CLASS, &class), attribute(CKA_TOKEN, &[0])];
        for (kind, value) in kinds.iter().zip(values) {
            // Where most attributes of the standard are, and CKA_TOKEN is not.
            let kind = CK_ULONG::from(*kind) + if kind & 1 == 0 { 0x100 } else { 2 };
            template.push(attribute(kind, value));
        }
        self.create_from(session, &mut template)
    }

    /// Begins an operation with any mechanism, key and parameter, and ends it.
    pub(super) fn begin_any(
        &self,
        session: CK_SESSION_HANDLE,
        key: CK_OBJECT_HANDLE,
        kinds: [u8; 3],
        parameter: &[u8],
    ) {
        // A parameter of these is read as a structure, with pointers in it: bytes are not one.
        let code = [CKM_SM4_CBC, CKM_SM4_ECB, CKM_SM2, CKM_SM3, CKM_SM2_ENCRYPT, CKM_SM4_CMAC]
            [usize::from(kinds[1] % 6)];
        let mut mechanism = mechanism(code, parameter);
        // Verifying and decrypting are in no other step: nothing of the model's is lost.
        let (mut out, mut len) = ([0; 512], 512);
        match kinds[2] % 2 {
            0 if call!(self, C_DecryptInit, session, &mut mechanism, key) == CKR_OK => {
                let data = parameter.as_ptr().cast_mut();
                let data_len = parameter.len() as CK_ULONG;
                call!(self, C_Decrypt, session, data, data_len, out.as_mut_ptr(), &mut len);
            }
            1 if call!(self, C_VerifyInit, session, &mut mechanism, key) == CKR_OK => {
                let data = parameter.as_ptr().cast_mut();
                let data_len = parameter.len() as CK_ULONG;
                let rv = call!(self, C_Verify, session, data, data_len, out.as_mut_ptr(), 16);
                assert_ne!(rv, CKR_OK, "zeros are no MAC");
            }
            _ => {}
        }
    }

    pub(super) fn destroy(&self, session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE) -> CK_RV {
        call!(self, C_DestroyObject, session, object)
    }

    pub(super) fn find(
        &self,
        session: CK_SESSION_HANDLE,
        label: u8,
    ) -> Result<Vec<CK_OBJECT_HANDLE>, CK_RV> {
        let label = [label];
        let mut template = [attribute(CKA_LABEL, &label)];
        said(call!(self, C_FindObjectsInit, session, template.as_mut_ptr(), 1), ())?;
        let (mut found, mut count) = ([0; 64], 0);
        let rv = call!(self, C_FindObjects, session, found.as_mut_ptr(), 64, &mut count);
        assert_eq!(rv, CKR_OK);
        assert_eq!(call!(self, C_FindObjectsFinal, session), CKR_OK);
        Ok(found[..count as usize].to_vec())
    }

    pub(super) fn label(
        &self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
    ) -> Result<u8, CK_RV> {
        let mut label = [0xff; 8];
        let pointer = label.as_mut_ptr().cast();
        let mut template = [CK_ATTRIBUTE { type_: CKA_LABEL, pValue: pointer, ulValueLen: 8 }];
        let rv = call!(self, C_GetAttributeValue, session, object, template.as_mut_ptr(), 1);
        said(rv, ())?;
        assert_eq!(template[0].ulValueLen, 1);
        Ok(label[0])
    }

    pub(super) fn digest(
        &self,
        session: CK_SESSION_HANDLE,
        what: u8,
        piece: &[u8],
        short: bool,
    ) -> Said {
        let (data, data_len) = (piece.as_ptr().cast_mut(), piece.len() as CK_ULONG);
        let mut out = vec![0; if short { 31 } else { 64 }];
        let mut len = out.len() as CK_ULONG;
        let rv = match what {
            0 => {
                len = 0;
                call!(self, C_DigestInit, session, &mut mechanism(CKM_SM3, &[]))
            }
            1 => {
                len = 0;
                call!(self, C_DigestUpdate, session, data, data_len)
            }
            _ => call!(self, C_DigestFinal, session, out.as_mut_ptr(), &mut len),
        };
        answer(rv, out, len)
    }

    pub(super) fn sign(
        &self,
        session: CK_SESSION_HANDLE,
        what: u8,
        key: CK_OBJECT_HANDLE,
        piece: &[u8],
        short: bool,
    ) -> Said {
        let (data, data_len) = (piece.as_ptr().cast_mut(), piece.len() as CK_ULONG);
        let mut out = vec![0; if short { 31 } else { 64 }];
        let mut len = out.len() as CK_ULONG;
        let rv = match what {
            0 => {
                len = 0;
                call!(self, C_SignInit, session, &mut mechanism(CKM_SM3_HMAC, &[]), key)
            }
            1 => {
                len = 0;
                call!(self, C_SignUpdate, session, data, data_len)
            }
            _ => call!(self, C_SignFinal, session, out.as_mut_ptr(), &mut len),
        };
        answer(rv, out, len)
    }

    pub(super) fn encrypt(
        &self,
        session: CK_SESSION_HANDLE,
        what: u8,
        key: CK_OBJECT_HANDLE,
        piece: &[u8],
    ) -> Said {
        let (data, data_len) = (piece.as_ptr().cast_mut(), piece.len() as CK_ULONG);
        let mut out = vec![0; 512];
        let mut len = out.len() as CK_ULONG;
        let rv = match what {
            0 => {
                len = 0;
                call!(self, C_EncryptInit, session, &mut mechanism(CKM_SM4_CBC_PAD, &IV), key)
            }
            1 => {
                call!(self, C_EncryptUpdate, session, data, data_len, out.as_mut_ptr(), &mut len)
            }
            _ => call!(self, C_EncryptFinal, session, out.as_mut_ptr(), &mut len),
        };
        answer(rv, out, len)
    }
}

fn answer(rv: CK_RV, mut out: Vec<u8>, len: CK_ULONG) -> Said {
    said(rv, ())?;
    out.truncate(len as usize);
    Ok(out)
}
