//! What went wrong, for a C caller: a number that never changes its meaning, and a message.

use std::{
    borrow::Cow,
    cell::RefCell,
    error::Error,
    ffi::{CStr, CString, c_char},
};

#[cfg(all(unix, feature = "audit"))]
use toolkit::audit;
#[cfg(feature = "mask")]
use toolkit::mask;
#[cfg(feature = "tls")]
use toolkit::tls;
use toolkit::{keys, pki, rng, sm2, sm3::KdfError, sm4};

use crate::export::export;

/// Result of every function that can fail. Numbers are never changed and never used again for
/// another meaning; new ones may come.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum gmkit_error {
    /// Done, and true.
    GMKIT_OK = 0,
    /// A pointer is NULL that must not be.
    GMKIT_ERR_NULL = 1,
    /// A length or a choice is outside what the function's description allows, or buffers overlap.
    GMKIT_ERR_ARGUMENT = 2,
    /// The output has too little room. Call with a NULL output to learn the size.
    GMKIT_ERR_BUFFER_TOO_SMALL = 3,
    /// A handle has another type, or has been freed (as far as that can be told).
    GMKIT_ERR_HANDLE = 4,
    /// The context has finished its message.
    GMKIT_ERR_FINISHED = 5,
    /// The message is longer than the algorithm allows.
    GMKIT_ERR_TOO_LONG = 6,
    /// A signature, tag, MAC, padding or ciphertext was refused. Deliberately not more precise.
    GMKIT_ERR_REJECTED = 10,
    /// A signature, ciphertext, point, certificate, request or list is malformed.
    GMKIT_ERR_ENCODING = 11,
    /// A key is malformed, out of range, on another curve or of another kind.
    GMKIT_ERR_KEY = 12,
    /// A key is encrypted and no passphrase was given.
    GMKIT_ERR_PASSPHRASE_NEEDED = 13,
    /// The passphrase is wrong, or the encrypted key is damaged.
    GMKIT_ERR_PASSPHRASE_WRONG = 14,
    /// A key is encrypted in a way that is not supported, or beyond the limits.
    GMKIT_ERR_KEY_ENCRYPTION = 15,
    /// This key cannot do what was asked.
    GMKIT_ERR_UNSUPPORTED = 16,
    /// A key URI is malformed, or of a scheme that nothing here opens.
    GMKIT_ERR_URI = 17,
    /// A certificate is not trusted; the message says why.
    GMKIT_ERR_UNTRUSTED = 18,
    /// The other side of a TLS connection refuses, or breaks the protocol; the message says what.
    GMKIT_ERR_TLS = 19,
    /// A file could not be read, or is too large; or a function that reads or writes for the library has
    /// failed.
    GMKIT_ERR_IO = 20,
    /// A timeout of the caller's socket has passed.
    GMKIT_ERR_TIMEOUT = 21,
    /// An audit log takes nothing now: its queue is full, or too many records wait for its key.
    GMKIT_ERR_FULL = 22,
    /// An audit log is open elsewhere.
    GMKIT_ERR_LOCKED = 23,
    /// An audit log is not what was written and signed; the message says what is wrong.
    GMKIT_ERR_AUDIT = 24,
    /// The random number generator failed.
    GMKIT_ERR_RANDOM = 30,
    /// A self-test failed: no algorithm works any more in this process.
    GMKIT_ERR_SELF_TEST = 31,
    /// A device, its module, or the way to it says no; the message says what.
    GMKIT_ERR_DEVICE = 32,
    /// A bug in gmkit. The handles of the call can only be freed now.
    GMKIT_ERR_INTERNAL = 99,
}

use gmkit_error::*;

impl gmkit_error {
    const ALL: [Self; 26] = [
        GMKIT_OK,
        GMKIT_ERR_NULL,
        GMKIT_ERR_ARGUMENT,
        GMKIT_ERR_BUFFER_TOO_SMALL,
        GMKIT_ERR_HANDLE,
        GMKIT_ERR_FINISHED,
        GMKIT_ERR_TOO_LONG,
        GMKIT_ERR_REJECTED,
        GMKIT_ERR_ENCODING,
        GMKIT_ERR_KEY,
        GMKIT_ERR_PASSPHRASE_NEEDED,
        GMKIT_ERR_PASSPHRASE_WRONG,
        GMKIT_ERR_KEY_ENCRYPTION,
        GMKIT_ERR_UNSUPPORTED,
        GMKIT_ERR_URI,
        GMKIT_ERR_UNTRUSTED,
        GMKIT_ERR_TLS,
        GMKIT_ERR_IO,
        GMKIT_ERR_TIMEOUT,
        GMKIT_ERR_FULL,
        GMKIT_ERR_LOCKED,
        GMKIT_ERR_AUDIT,
        GMKIT_ERR_RANDOM,
        GMKIT_ERR_SELF_TEST,
        GMKIT_ERR_DEVICE,
        GMKIT_ERR_INTERNAL,
    ];

    const fn description(self) -> &'static CStr {
        match self {
            GMKIT_OK => c"done",
            GMKIT_ERR_NULL => c"a pointer is NULL that must not be",
            GMKIT_ERR_ARGUMENT => c"an argument is not allowed",
            GMKIT_ERR_BUFFER_TOO_SMALL => c"the output has too little room",
            GMKIT_ERR_HANDLE => c"a handle has another type, or has been freed",
            GMKIT_ERR_FINISHED => c"the context has finished its message",
            GMKIT_ERR_TOO_LONG => c"the message is too long",
            GMKIT_ERR_REJECTED => c"rejected",
            GMKIT_ERR_ENCODING => c"malformed signature, ciphertext, point or certificate",
            GMKIT_ERR_KEY => c"unusable key",
            GMKIT_ERR_PASSPHRASE_NEEDED => c"the key is encrypted and no passphrase was given",
            GMKIT_ERR_PASSPHRASE_WRONG => c"wrong passphrase, or damaged key",
            GMKIT_ERR_KEY_ENCRYPTION => c"encryption of the key is not supported",
            GMKIT_ERR_UNSUPPORTED => c"this key cannot do what was asked",
            GMKIT_ERR_URI => c"key URI not understood",
            GMKIT_ERR_UNTRUSTED => c"a certificate is not trusted",
            GMKIT_ERR_TLS => c"no TLS connection",
            GMKIT_ERR_IO => c"a file or stream could not be read or written",
            GMKIT_ERR_TIMEOUT => c"a timeout has passed",
            GMKIT_ERR_FULL => c"the audit log takes nothing now",
            GMKIT_ERR_LOCKED => c"the audit log is open elsewhere",
            GMKIT_ERR_AUDIT => c"the audit log is not what was signed",
            GMKIT_ERR_RANDOM => c"the random number generator failed",
            GMKIT_ERR_SELF_TEST => c"a self-test failed",
            GMKIT_ERR_DEVICE => c"a device refused or failed",
            GMKIT_ERR_INTERNAL => c"internal error: a bug in gmkit",
        }
    }
}

/// An error on its way to C. The message never holds a secret: messages are made of fixed text,
/// sizes and names.
#[derive(Debug)]
pub(crate) struct Fault {
    code: gmkit_error,
    message: Cow<'static, str>,
}

impl Fault {
    pub(crate) fn new(code: gmkit_error, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn argument(message: &'static str) -> Self {
        Self::new(GMKIT_ERR_ARGUMENT, message)
    }

    /// A context that has given its result already.
    pub(crate) fn finished() -> Self {
        Self::new(GMKIT_ERR_FINISHED, "the context has finished its message")
    }

    /// Takes an error with all its causes.
    fn of(code: gmkit_error, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self::new(code, message)
    }

    /// The number alone, for one of many answers.
    pub(crate) const fn code(&self) -> gmkit_error {
        self.code
    }

    /// Keeps the message for this thread and returns the code.
    pub(crate) fn record(self) -> gmkit_error {
        let message = CString::new(self.message.into_owned().replace('\0', " "));
        // While a thread ends its storage may be gone: then there is nobody to read it.
        let _ = MESSAGE.try_with(|last| *last.borrow_mut() = message.unwrap_or_default());
        self.code
    }
}

thread_local! {
    static MESSAGE: RefCell<CString> = RefCell::default();
}

impl From<keys::Error> for Fault {
    fn from(error: keys::Error) -> Self {
        Self::of_key(&error)
    }
}

impl Fault {
    fn of_key(error: &keys::Error) -> Self {
        use keys::Error as E;
        let code = match error {
            E::PassphraseNeeded => GMKIT_ERR_PASSPHRASE_NEEDED,
            E::WrongPassphrase => GMKIT_ERR_PASSPHRASE_WRONG,
            E::Encryption(_) => GMKIT_ERR_KEY_ENCRYPTION,
            E::SecretLength { .. } | E::Digits => GMKIT_ERR_ARGUMENT,
            E::Io { .. } | E::FileTooLarge { .. } => GMKIT_ERR_IO,
            E::Uri { .. } | E::UnknownScheme { .. } | E::UntrustedUri => GMKIT_ERR_URI,
            E::Unsupported { .. } => GMKIT_ERR_UNSUPPORTED,
            E::SelfTest { .. } => GMKIT_ERR_SELF_TEST,
            E::Rejected => GMKIT_ERR_REJECTED,
            E::Rng => GMKIT_ERR_RANDOM,
            E::Device(_) => GMKIT_ERR_DEVICE,
            E::MessageTooLong => GMKIT_ERR_TOO_LONG,
            E::NotAKey | E::Pem(_) | E::PemLabel { .. } | E::Key(_) | E::CertificateMismatch => {
                GMKIT_ERR_KEY
            }
            _ => GMKIT_ERR_INTERNAL,
        };
        match error {
            // The path is the caller's, and by mistake it may be the text of a key.
            E::Io { source, .. } => Self::new(code, format!("cannot read the key file: {source}")),
            E::FileTooLarge { .. } => Self::new(code, "the file is larger than any key file"),
            E::UnknownScheme { .. } => Self::new(code, "URI of a scheme that nothing opens here"),
            _ => Self::of(code, error),
        }
    }
}

#[cfg(feature = "mask")]
impl From<mask::Error> for Fault {
    fn from(error: mask::Error) -> Self {
        use mask::Error as E;
        let code = match &error {
            E::Key(error) => return Self::of_key(error),
            E::Limit { .. } => GMKIT_ERR_TOO_LONG,
            E::NoKey { .. } => GMKIT_ERR_KEY,
            E::Closed => GMKIT_ERR_FINISHED,
            E::Malformed { .. } | E::Policy { .. } => GMKIT_ERR_ENCODING,
            _ => GMKIT_ERR_INTERNAL,
        };
        Self::of(code, &error)
    }
}

impl From<pki::Error> for Fault {
    fn from(error: pki::Error) -> Self {
        use pki::Error as E;
        let code = match error {
            E::Key(error) => return error.into(),
            E::Pem | E::NotFound(_) | E::Malformed { .. } => GMKIT_ERR_ENCODING,
            E::NotSm2 => GMKIT_ERR_KEY,
            E::NotDecrypted | E::Rejected => GMKIT_ERR_REJECTED,
            E::Stream(_) => GMKIT_ERR_IO,
            E::Request { .. } | E::Text { .. } | E::Params(_) => GMKIT_ERR_ARGUMENT,
            E::Untrusted(_) => GMKIT_ERR_UNTRUSTED,
            _ => GMKIT_ERR_INTERNAL,
        };
        Self::of(code, &error)
    }
}

impl From<pki::Untrusted> for Fault {
    fn from(reason: pki::Untrusted) -> Self {
        Self::of(GMKIT_ERR_UNTRUSTED, &reason)
    }
}

#[cfg(feature = "tls")]
impl From<tls::Error> for Fault {
    fn from(error: tls::Error) -> Self {
        use tls::Error as E;
        let code = match error {
            E::Key(error) => return error.into(),
            E::NoCertificate => GMKIT_ERR_ARGUMENT,
            E::KeyMismatch { .. } => GMKIT_ERR_KEY,
            E::Certificate { reason, .. } => return reason.into(),
            E::Tls(_) => GMKIT_ERR_TLS,
            _ => GMKIT_ERR_INTERNAL,
        };
        Self::of(code, &error)
    }
}

#[cfg(feature = "tls")]
impl From<tls::HandshakeError> for Fault {
    fn from(error: tls::HandshakeError) -> Self {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        use tls::HandshakeError as E;
        if let Some(own) = error.key_error() {
            return Self::of_key(own);
        }
        let code = match &error {
            _ if error.untrusted().is_some() => GMKIT_ERR_UNTRUSTED,
            E::Io(error) if matches!(error.kind(), TimedOut | WouldBlock) => GMKIT_ERR_TIMEOUT,
            E::Deadline => GMKIT_ERR_TIMEOUT,
            E::Io(_) => GMKIT_ERR_IO,
            E::Tls(tls::rustls::Error::FailedToGetRandomBytes) => GMKIT_ERR_RANDOM,
            _ => GMKIT_ERR_TLS,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(all(unix, feature = "audit"))]
impl From<audit::Error> for Fault {
    fn from(error: audit::Error) -> Self {
        use audit::Error as E;
        let code = match &error {
            E::Key(error) => return Self::of_key(error),
            E::Event { .. } | E::Options { .. } | E::Pruned { .. } => GMKIT_ERR_ARGUMENT,
            E::Locked { .. } => GMKIT_ERR_LOCKED,
            // A handle has no log that was closed: this one has stopped by itself.
            E::Io { .. } | E::Closed => GMKIT_ERR_IO,
            E::Full | E::Unsigned { .. } => GMKIT_ERR_FULL,
            E::Damaged { .. } => GMKIT_ERR_AUDIT,
            E::Malformed { .. } => GMKIT_ERR_ENCODING,
            E::Rejected => GMKIT_ERR_REJECTED,
            _ => GMKIT_ERR_INTERNAL,
        };
        Self::of(code, &error)
    }
}

impl From<sm2::Error> for Fault {
    fn from(error: sm2::Error) -> Self {
        use sm2::Error as E;
        let code = match error {
            E::Rejected => GMKIT_ERR_REJECTED,
            E::Rng => GMKIT_ERR_RANDOM,
            E::IdTooLong | E::EmptyPlaintext | E::KeyLength => GMKIT_ERR_ARGUMENT,
            E::TooLong => GMKIT_ERR_TOO_LONG,
            E::PointEncoding
            | E::PointNotOnCurve
            | E::SignatureRange
            | E::SignatureLength
            | E::CiphertextLength
            | E::Der(_) => GMKIT_ERR_ENCODING,
            _ => GMKIT_ERR_KEY,
        };
        Self::of(code, &error)
    }
}

impl From<sm4::Error> for Fault {
    fn from(error: sm4::Error) -> Self {
        use sm4::Error as E;
        let code = match error {
            E::Rejected => GMKIT_ERR_REJECTED,
            E::NonceLength
            | E::TagLength
            | E::EqualKeys
            | E::DataUnitLength
            | E::KeyDataLength
            | E::TooShort
            | E::Radix
            | E::Domain
            | E::Alphabet
            | E::Numeral => GMKIT_ERR_ARGUMENT,
            E::MessageTooLong => GMKIT_ERR_TOO_LONG,
            E::OutputTooSmall => GMKIT_ERR_BUFFER_TOO_SMALL,
            _ => GMKIT_ERR_INTERNAL,
        };
        Self::of(code, &error)
    }
}

impl From<rng::Error> for Fault {
    fn from(error: rng::Error) -> Self {
        let code = match error {
            rng::Error::SelfTest => GMKIT_ERR_SELF_TEST,
            rng::Error::TooLong => GMKIT_ERR_ARGUMENT,
            _ => GMKIT_ERR_RANDOM,
        };
        Self::of(code, &error)
    }
}

impl From<KdfError> for Fault {
    fn from(error: KdfError) -> Self {
        Self::of(GMKIT_ERR_TOO_LONG, &error)
    }
}

const EMPTY: *const c_char = c"".as_ptr();
const UNKNOWN: *const c_char = c"unknown error".as_ptr();

export! {
    /// What went wrong in the last function of this thread that failed: English text that ends
    /// with a NUL byte, never NULL. It never holds key bytes, a passphrase or plaintext. Valid
    /// until the next failure in this thread, or the thread's end.
    fn gmkit_last_error_message() -> *const c_char = EMPTY {
        MESSAGE.try_with(|last| last.borrow().as_ptr()).unwrap_or(EMPTY)
    }

    /// What an error number means, as fixed text; never NULL, also for an unknown number.
    fn gmkit_error_description(error: i32) -> *const c_char = UNKNOWN {
        let known = gmkit_error::ALL.iter().find(|code| **code as i32 == error);
        known.map_or(c"unknown error", |code| code.description()).as_ptr()
    }
}

/// What `gmkit_last_error_message` points to.
#[cfg(test)]
pub(crate) fn last_message() -> String {
    MESSAGE.with(|last| last.borrow().to_str().unwrap().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_descriptions_are_all_different() {
        for (i, one) in gmkit_error::ALL.iter().enumerate() {
            for other in &gmkit_error::ALL[i + 1..] {
                assert_ne!(*one as i32, *other as i32);
                assert_ne!(one.description(), other.description());
            }
        }
    }
}
