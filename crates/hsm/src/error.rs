//! What can go wrong with a device, and whose fault it is.

use std::{fmt, path::PathBuf};

use cryptoki::error::{Rv, RvError};

/// Error of an operation on a device. Never contains a PIN or key bytes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URI is malformed, or asks for what is not done.
    Uri {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No module was named.
    NoModule,
    /// The module could not be loaded.
    Load {
        /// The library.
        path: PathBuf,
        /// What the loader says.
        reason: String,
    },
    /// A function of the module failed.
    Device {
        /// The function.
        function: &'static str,
        /// The return value, by its name or number.
        code: String,
    },
    /// No token, or no key, is what the URI names.
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// More than one token, or key, is what the URI names.
    Ambiguous {
        /// What was looked for.
        what: &'static str,
    },
    /// The profile of the module has no such operation.
    Unsupported {
        /// The operation.
        operation: &'static str,
    },
    /// No way of signing that the profile knows gives a signature that verifies.
    NothingVerifies,
    /// No session became free in time.
    Busy,
    /// The PIN was refused before, and is not tried again.
    PinRefused,
    /// A profile file is malformed.
    Profile {
        /// What is wrong with it.
        reason: String,
    },
    /// What comes with keys: a PIN that is not to be had, a file that cannot be read.
    Key(Box<gmkit_keys::Error>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri { reason } => write!(f, "PKCS#11 URI: {reason}"),
            Self::NoModule => f.write_str(
                "no PKCS#11 module: name one by ?module-path=, --module or GMKIT_PKCS11_MODULE",
            ),
            Self::Load { path, reason } => {
                write!(f, "cannot load the module {}: {reason}", path.display())
            }
            Self::Device { function, code } => write!(f, "{function}: {code}"),
            Self::NotFound { what } => write!(f, "no {what} is what the URI names"),
            Self::Ambiguous { what } => write!(f, "more than one {what} is what the URI names"),
            Self::Unsupported { operation } => write!(f, "this device cannot {operation}"),
            Self::NothingVerifies => {
                f.write_str("no signature of this key verifies: wrong profile, or a broken device")
            }
            Self::Busy => f.write_str("no session of the device became free in time"),
            Self::PinRefused => f.write_str("the device refused this PIN before: not tried again"),
            Self::Profile { reason } => write!(f, "profile: {reason}"),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(error) => error.source(),
            _ => None,
        }
    }
}

impl Error {
    /// A failure of a function, by the name that the standard has for it.
    pub(crate) fn of(function: &'static str) -> impl Fn(cryptoki::error::Error) -> Self {
        move |error| Self::Device { function, code: describe(&error) }
    }

    /// A return value that `cryptoki` was not asked for.
    pub(crate) fn code(function: &'static str, rv: cryptoki_sys::CK_RV) -> Self {
        Self::Device { function, code: name(&Rv::from(rv), rv) }
    }

    /// An answer of the device's that cannot be one.
    pub(crate) fn answer(what: &str) -> Self {
        Self::Device { function: "the device", code: what.to_owned() }
    }

    /// Whether a ciphertext was refused: all else is not the ciphertext's fault, and says nothing of it.
    pub(crate) fn is_of_ciphertext(&self) -> bool {
        let functions = ["C_Decrypt", "C_DecryptUpdate", "C_DecryptFinal"];
        matches!(self, Self::Device { function, .. } if functions.contains(function))
            && !self.is_of_session()
            && !self.is_of_mechanism()
    }

    /// What a statistic calls it: the standard's name of the return value, where there is one.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Device { code, .. } => code.clone(),
            other => other.to_string(),
        }
    }

    fn is_one_of(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Device { code, .. } if codes.contains(&code.as_str()))
    }

    /// Whether the session, rather than the key or the request, is at fault: a new one may do.
    pub(crate) fn is_of_session(&self) -> bool {
        self.is_one_of(&[
            "CKR_SESSION_HANDLE_INVALID",
            "CKR_SESSION_CLOSED",
            "CKR_USER_NOT_LOGGED_IN",
            "CKR_OPERATION_ACTIVE",
            "CKR_OBJECT_HANDLE_INVALID",
            "CKR_KEY_HANDLE_INVALID",
        ]) || self.is_of_connection()
    }

    /// Whether the device, or this key of it, does not do such a thing at all.
    pub(crate) fn is_of_mechanism(&self) -> bool {
        self.is_one_of(&[
            "CKR_MECHANISM_INVALID",
            "CKR_MECHANISM_PARAM_INVALID",
            "CKR_KEY_FUNCTION_NOT_PERMITTED",
            "CKR_KEY_TYPE_INCONSISTENT",
            "CKR_FUNCTION_NOT_SUPPORTED",
        ]) || matches!(self, Self::Unsupported { .. })
    }

    /// Whether the device, or the way to it, is at fault: another one may do, and this one may come
    /// back. CKR_GENERAL_ERROR is not among them: devices say it of a bad ciphertext or PIN too, and
    /// neither must take a device out, or be tried again.
    pub(crate) fn is_of_connection(&self) -> bool {
        self.is_one_of(&[
            "CKR_DEVICE_ERROR",
            "CKR_DEVICE_MEMORY",
            "CKR_DEVICE_REMOVED",
            "CKR_TOKEN_NOT_PRESENT",
            "CKR_TOKEN_NOT_RECOGNIZED",
            "CKR_HOST_MEMORY",
            "CKR_CRYPTOKI_NOT_INITIALIZED",
        ])
    }
}

fn describe(error: &cryptoki::error::Error) -> String {
    match error {
        cryptoki::error::Error::Pkcs11(
            RvError::VendorDefined(code) | RvError::UnknownErrorCode(code),
            _,
        ) => format!("{code:#x}"),
        cryptoki::error::Error::Pkcs11(error, _) => screaming(&format!("{error:?}")),
        other => other.to_string(),
    }
}

fn name(value: &Rv, rv: cryptoki_sys::CK_RV) -> String {
    match value {
        Rv::Ok => "CKR_OK".to_owned(),
        Rv::Error(RvError::VendorDefined(_) | RvError::UnknownErrorCode(_)) => format!("{rv:#x}"),
        Rv::Error(error) => screaming(&format!("{error:?}")),
    }
}

/// `PinIncorrect` as the standard writes it: `CKR_PIN_INCORRECT`.
fn screaming(camel: &str) -> String {
    let mut name = String::from("CKR");
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

impl From<gmkit_keys::Error> for Error {
    fn from(error: gmkit_keys::Error) -> Self {
        Self::Key(Box::new(error))
    }
}

impl From<Error> for gmkit_keys::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Uri { reason } => Self::Uri { reason },
            Error::NoModule => Self::Uri {
                reason: "no PKCS#11 module is named, by ?module-path= or GMKIT_PKCS11_MODULE",
            },
            Error::NotFound { what: "token" } => Self::Uri { reason: "no token is what it names" },
            Error::NotFound { .. } => Self::Uri { reason: "no key is what it names" },
            Error::Ambiguous { .. } => Self::Uri { reason: "more than one is what it names" },
            Error::Unsupported { operation } => Self::Unsupported { operation },
            Error::Key(error) => *error,
            error => Self::Device(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_standard_s_names() {
        for (rv, expected) in [
            (0xa0, "CKR_PIN_INCORRECT"),
            (0xb3, "CKR_SESSION_HANDLE_INVALID"),
            (0x32, "CKR_DEVICE_REMOVED"),
            (0x8000_0107, "0x80000107"),
        ] {
            let Error::Device { code, .. } = Error::code("C_Sign", rv) else { panic!() };
            assert_eq!(code, expected);
        }
        assert!(Error::code("C_Sign", 0xb3).is_of_session());
        assert!(!Error::code("C_Sign", 0xa0).is_of_session());
        assert!(Error::code("C_Sign", 0x32).is_of_connection());
        assert!(!Error::code("C_Decrypt", 0x40).is_of_connection());
    }
}
