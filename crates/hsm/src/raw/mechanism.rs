//! Mechanisms with their parameters, as C wants them.

use std::ptr;

use cryptoki_sys::{CK_GCM_PARAMS, CK_MECHANISM, CK_ULONG};
#[cfg(feature = "rustls")]
use cryptoki_sys::{CK_RSA_PKCS_MGF_TYPE, CK_RSA_PKCS_PSS_PARAMS};

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
    /// Runs `body` with the mechanism in C's form, which lives as long as that.
    pub(super) fn with<T>(&self, body: impl FnOnce(*mut CK_MECHANISM) -> T) -> T {
        match self.parameter {
            Parameter::None => body(&mut self.raw(ptr::null_mut::<u8>(), 0)),
            Parameter::Bytes(bytes) => body(&mut self.raw(bytes.as_ptr().cast_mut(), bytes.len())),
            Parameter::Gcm { iv, aad } => {
                let mut parameters = CK_GCM_PARAMS {
                    pIv: iv.as_ptr().cast_mut(),
                    ulIvLen: iv.len() as CK_ULONG,
                    ulIvBits: iv.len() as CK_ULONG * 8,
                    pAAD: aad.as_ptr().cast_mut(),
                    ulAADLen: aad.len() as CK_ULONG,
                    ulTagBits: 128,
                };
                let len = size_of::<CK_GCM_PARAMS>();
                body(&mut self.raw(&raw mut parameters, len))
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
