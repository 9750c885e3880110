//! Mechanisms with their parameters, as C wants them.

use std::ptr;

use cryptoki_sys::{CK_GCM_PARAMS, CK_MECHANISM, CK_ULONG};
#[cfg(feature = "rustls")]
use cryptoki_sys::{CK_RSA_PKCS_MGF_TYPE, CK_RSA_PKCS_PSS_PARAMS};

use crate::Error;

/// A mechanism that a device is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Call<'p> {
    /// Its number.
    pub(crate) code: u64,
    pub(crate) parameter: Parameter<'p>,
}

/// What comes with a mechanism.
#[derive(Clone, Copy)]
pub(crate) enum Parameter<'p> {
    None,
    /// Bytes, as an IV is.
    Bytes(&'p [u8]),
    /// GCM with a tag of 128 bits.
    Gcm {
        iv: &'p [u8],
        aad: &'p [u8],
    },
    /// RSA-PSS: the hash, the mask generation function, the length of the salt in bytes.
    #[cfg(feature = "rustls")]
    Pss {
        hash: u64,
        mgf: u64,
        salt: usize,
    },
}

impl Call<'static> {
    /// A mechanism without a parameter.
    pub(crate) fn bare(code: u64) -> Self {
        Self { code, parameter: Parameter::None }
    }
}

impl Call<'_> {
    /// Runs `body`, a whole operation, with the mechanism in C's form. What it points to is a copy that
    /// lives as long: there are modules that look at it again in later calls, and some that write an
    /// IV of their own into it, which then is not the caller's.
    pub(super) fn with<T>(
        &self,
        body: impl FnOnce(*mut CK_MECHANISM) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.parameter {
            Parameter::None => body(&mut self.raw(ptr::null_mut::<u8>(), 0)),
            Parameter::Bytes(bytes) => {
                let mut copy = bytes.to_vec();
                let done = body(&mut self.raw(copy.as_mut_ptr(), copy.len()));
                unchanged(&copy, bytes).and(done)
            }
            Parameter::Gcm { iv, aad } => {
                let (mut iv_copy, mut aad_copy) = (iv.to_vec(), aad.to_vec());
                let mut parameters = CK_GCM_PARAMS {
                    pIv: iv_copy.as_mut_ptr(),
                    ulIvLen: iv.len() as CK_ULONG,
                    ulIvBits: iv.len() as CK_ULONG * 8,
                    pAAD: aad_copy.as_mut_ptr(),
                    ulAADLen: aad.len() as CK_ULONG,
                    ulTagBits: 128,
                };
                let len = size_of::<CK_GCM_PARAMS>();
                let done = body(&mut self.raw(&raw mut parameters, len));
                unchanged(&iv_copy, iv).and(done)
            }
            #[cfg(feature = "rustls")]
            Parameter::Pss { hash, mgf, salt } => {
                let mut parameters = CK_RSA_PKCS_PSS_PARAMS {
                    hashAlg: hash,
                    mgf: mgf as CK_RSA_PKCS_MGF_TYPE,
                    sLen: salt as CK_ULONG,
                };
                let len = size_of::<CK_RSA_PKCS_PSS_PARAMS>();
                body(&mut self.raw(&raw mut parameters, len))
            }
        }
    }

    fn raw<T>(&self, parameter: *mut T, len: usize) -> CK_MECHANISM {
        CK_MECHANISM {
            mechanism: self.code,
            pParameter: parameter.cast(),
            ulParameterLen: len as CK_ULONG,
        }
    }
}

/// What was sealed under another IV than was asked for could never be opened again.
fn unchanged(copy: &[u8], original: &[u8]) -> Result<(), Error> {
    match copy == original {
        true => Ok(()),
        false => Err(Error::answer("took another IV than it was given")),
    }
}
