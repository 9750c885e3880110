//! Encryption and decryption (PKCS#11 2.40, 5.8 and 5.9).

use cryptoki_sys::*;

use super::{
    call,
    memory::{Output, bytes, mechanism},
};
use crate::{
    ops::Direction::{self, Decrypt, Encrypt},
    rv::Result,
};

fn start(
    session: CK_SESSION_HANDLE,
    chosen: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
    direction: Direction,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or a mechanism.
        let mechanism = unsafe { mechanism(chosen) }?;
        call.start_cipher(&mechanism, key, direction)
    })
}

/// The four arguments that these functions have in common.
struct Pieces {
    input: *const CK_BYTE,
    len: CK_ULONG,
    output: *mut CK_BYTE,
    output_len: *mut CK_ULONG,
}

impl Pieces {
    fn take<'a>(&self) -> Result<(&'a [u8], Output)> {
        // SAFETY: by the standard NULL or so many bytes, both, for the time of the call.
        unsafe { Ok((bytes(self.input, self.len)?, Output::new(self.output, self.output_len)?)) }
    }
}

fn whole(session: CK_SESSION_HANDLE, direction: Direction, pieces: &Pieces) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        let (input, output) = pieces.take()?;
        let answer = call.finish_cipher(direction, Some(input), output.room())?;
        output.answer(answer)
    })
}

fn update(session: CK_SESSION_HANDLE, direction: Direction, pieces: &Pieces) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        let (input, output) = pieces.take()?;
        let answer = call.update_cipher(direction, input, output.room())?;
        output.answer(answer)
    })
}

fn finish(
    session: CK_SESSION_HANDLE,
    direction: Direction,
    output: *mut CK_BYTE,
    output_len: *mut CK_ULONG,
) -> CK_RV {
    call(|module| {
        let call = module.call(session)?;
        // SAFETY: by the standard NULL or so many bytes.
        let output = unsafe { Output::new(output, output_len) }?;
        let answer = call.finish_cipher(direction, None, output.room())?;
        output.answer(answer)
    })
}

/// The four functions of one direction.
macro_rules! functions {
    ($direction:ident: $init:ident, $whole:ident, $update:ident, $final:ident) => {
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $init(
            session: CK_SESSION_HANDLE,
            mechanism: *mut CK_MECHANISM,
            key: CK_OBJECT_HANDLE,
        ) -> CK_RV {
            start(session, mechanism, key, $direction)
        }

        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $whole(
            session: CK_SESSION_HANDLE,
            input: *mut CK_BYTE,
            len: CK_ULONG,
            output: *mut CK_BYTE,
            output_len: *mut CK_ULONG,
        ) -> CK_RV {
            whole(session, $direction, &Pieces { input, len, output, output_len })
        }

        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $update(
            session: CK_SESSION_HANDLE,
            input: *mut CK_BYTE,
            len: CK_ULONG,
            output: *mut CK_BYTE,
            output_len: *mut CK_ULONG,
        ) -> CK_RV {
            update(session, $direction, &Pieces { input, len, output, output_len })
        }

        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $final(
            session: CK_SESSION_HANDLE,
            output: *mut CK_BYTE,
            output_len: *mut CK_ULONG,
        ) -> CK_RV {
            finish(session, $direction, output, output_len)
        }
    };
}

functions!(Encrypt: C_EncryptInit, C_Encrypt, C_EncryptUpdate, C_EncryptFinal);
functions!(Decrypt: C_DecryptInit, C_Decrypt, C_DecryptUpdate, C_DecryptFinal);
