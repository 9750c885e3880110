//! Return values of PKCS#11.

use cryptoki_sys::{
    CK_RV, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_FUNCTION_FAILED, CKR_RANDOM_NO_RNG,
};

/// A return value other than `CKR_OK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rv(pub(crate) CK_RV);

pub(crate) type Result<T = ()> = std::result::Result<T, Rv>;

/// `Err` of a return value.
pub(crate) fn fail<T>(code: CK_RV) -> Result<T> {
    Err(Rv(code))
}

/// `Ok` if `condition` holds, else the return value.
pub(crate) fn ensure(condition: bool, code: CK_RV) -> Result {
    if condition { Ok(()) } else { fail(code) }
}

impl From<std::io::Error> for Rv {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self(CKR_DEVICE_MEMORY)
            }
            _ => Self(CKR_DEVICE_ERROR),
        }
    }
}

/// A file that is not what this module writes.
impl From<der::Error> for Rv {
    fn from(_: der::Error) -> Self {
        Self(CKR_DEVICE_ERROR)
    }
}

impl From<gmkit_sm2::Error> for Rv {
    fn from(error: gmkit_sm2::Error) -> Self {
        match error {
            gmkit_sm2::Error::Rng => Self(CKR_RANDOM_NO_RNG),
            _ => Self(CKR_FUNCTION_FAILED),
        }
    }
}

impl From<gmkit_keys::Error> for Rv {
    fn from(error: gmkit_keys::Error) -> Self {
        match error {
            gmkit_keys::Error::Rng => Self(CKR_RANDOM_NO_RNG),
            _ => Self(CKR_FUNCTION_FAILED),
        }
    }
}
