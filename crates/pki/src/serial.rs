//! Serial numbers of certificates.

use std::{fmt, str::FromStr};

use gmkit_keys::SysRng;
use gmkit_sm2::rand_core::TryRng;

use crate::Error;

/// Bytes of a serial number that is made here: unguessable, and at least the four that GmSSL asks for.
const LEN: usize = 16;

/// RFC 5280, 4.1.2.2: no more than 20 bytes. Some have 21, with a sign.
const MAX: usize = 20;

/// A certificate's serial number: a positive integer, printed in hexadecimal.
///
/// ```
/// let serial: gmkit_pki::Serial = "01:C0:FE".parse()?;
/// assert_eq!(serial.to_string(), "01c0fe");
/// # Ok::<(), gmkit_pki::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// A random one of 127 bits.
    ///
    /// # Errors
    /// [`Error::Key`] when the random number generator fails.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = [0; LEN];
        // The first byte is 01 to 7f: the length never changes, and the number is positive.
        while !(0x01..0x80).contains(&bytes[0]) {
            SysRng.try_fill_bytes(&mut bytes).map_err(|_| Error::Key(gmkit_keys::Error::Rng))?;
        }
        Ok(Self(bytes.to_vec()))
    }

    /// Big-endian bytes without zeros in front.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// From the content of an INTEGER in DER; `None` for one that is negative or longer than 20 bytes.
    pub(crate) fn from_integer(content: &[u8]) -> Option<Self> {
        match content {
            [] | [0x80..=0xff, ..] => None,
            content => Self::from_magnitude(content),
        }
    }

    /// From big-endian bytes; `None` for more than 20 of them.
    pub(crate) fn from_magnitude(bytes: &[u8]) -> Option<Self> {
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        let magnitude = &bytes[zeros.min(bytes.len().saturating_sub(1))..];
        (magnitude.len() <= MAX).then(|| Self(magnitude.to_vec()))
    }

    /// The content of an INTEGER in DER.
    pub(crate) fn to_integer(&self) -> Vec<u8> {
        let sign: &[u8] =
            if self.0.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
        [sign, &self.0].concat()
    }

    pub(crate) fn to_rcgen(&self) -> rcgen::SerialNumber {
        rcgen::SerialNumber::from_slice(&self.0)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Hexadecimal, as `openssl x509 -serial` and gmkit print it; colons between bytes are allowed.
impl FromStr for Serial {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = |reason| Error::Text { part: text.to_owned(), reason };
        let mut digits = text.replace(':', "");
        if digits.len() % 2 == 1 {
            digits.insert(0, '0');
        }
        let bytes = base16ct::mixed::decode_vec(&digits)
            .map_err(|_| fault("a serial number is hexadecimal"))?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        match &bytes[zeros..] {
            [] => Err(fault("a serial number is not zero")),
            rest if rest.len() > MAX => Err(fault("a serial number has at most 20 bytes")),
            rest => Ok(Self(rest.to_vec())),
        }
    }
}
