//! SM4 over the content of a message: GCM, which protects it, and CBC, which does not.

use der::asn1::ObjectIdentifier;
use gmkit_keys::SysRng;
use gmkit_sm2::rand_core::TryRng;
use gmkit_sm4::{
    cbc,
    gcm::{self, Gcm},
};
use zeroize::Zeroizing;

use super::{
    attributes::{octet_string, octets},
    kind,
};
use crate::{Error, parts, strict::Fault};

const SM4_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.2");

/// SM4 without a mode, which CFCA writes where CBC is meant.
const SM4: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104");

const SM4_GCM: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.8");

/// A key for one content.
pub(super) type ContentKey = Zeroizing<[u8; 16]>;

pub(super) fn fresh<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    SysRng.try_fill_bytes(&mut *bytes).map_err(|_| gmkit_keys::Error::Rng)?;
    Ok(bytes)
}

/// The mode, with what must be known to decrypt.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    Cbc {
        iv: [u8; 16],
    },
    /// `tag_len` is in bytes.
    Gcm {
        nonce: Vec<u8>,
        tag_len: usize,
    },
}

impl Mode {
    /// With a nonce or IV of its own. The key is fresh, too.
    pub(super) fn fresh(authenticated: bool) -> Result<Self, Error> {
        Ok(match authenticated {
            true => Self::Gcm { nonce: fresh::<12>()?.to_vec(), tag_len: 16 },
            false => Self::Cbc { iv: *fresh()? },
        })
    }

    /// Reads contentEncryptionAlgorithm.
    pub(super) fn read(algorithm: &[u8], authenticated: bool) -> Result<Self, Fault> {
        let (oid, parameters) = kind::algorithm(algorithm)?;
        let parameters = parameters.ok_or("a cipher without its parameters")?;
        match (oid, authenticated) {
            (SM4_CBC | SM4, false) => {
                let iv = octets(parameters)?.try_into();
                Ok(Self::Cbc { iv: iv.map_err(|_| "an IV that has not 16 bytes")? })
            }
            (SM4_GCM, true) => gcm_parameters(parameters),
            (SM4_GCM, false) => Err("SM4-GCM where its tag has no place"),
            _ => Err("encrypted with something else than SM4-CBC or SM4-GCM"),
        }
    }

    /// Writes contentEncryptionAlgorithm.
    pub(super) fn write(&self) -> Vec<u8> {
        match self {
            Self::Cbc { iv } => kind::write_algorithm(SM4_CBC, &octet_string(iv)),
            Self::Gcm { nonce, tag_len } => {
                let len = [2, 1, *tag_len as u8];
                let parameters = parts::sequence(&[&octet_string(nonce), &len]);
                kind::write_algorithm(SM4_GCM, &parameters)
            }
        }
    }

    pub(super) const fn is_authenticated(&self) -> bool {
        matches!(self, Self::Gcm { .. })
    }

    /// Bytes of ciphertext for so many bytes of content, without the tag.
    pub(super) fn ciphertext_len(&self, len: u64) -> Option<u64> {
        match self {
            Self::Gcm { .. } => Some(len),
            Self::Cbc { .. } => (len / 16).checked_add(1)?.checked_mul(16),
        }
    }

    pub(super) fn encryptor(&self, key: &ContentKey) -> Result<Encryptor, Error> {
        Ok(match self {
            Self::Cbc { iv } => Encryptor::Cbc(cbc::Encryptor::new(key, iv)),
            Self::Gcm { nonce, .. } => Encryptor::Gcm(Box::new(
                gcm::Sealer::new(&Gcm::new(key), nonce, &[]).map_err(gmkit_keys::Error::from)?,
            )),
        })
    }

    pub(super) fn decryptor(&self, key: &ContentKey) -> Result<Decryptor, Error> {
        Ok(match self {
            Self::Cbc { iv } => Decryptor::Cbc(cbc::Decryptor::new(key, iv)),
            Self::Gcm { nonce, .. } => Decryptor::Gcm(Box::new(
                gcm::Opener::new(&Gcm::new(key), nonce, &[]).map_err(|_| Error::NotDecrypted)?,
            )),
        })
    }
}

/// GCMParameters (RFC 5084, 3.2): the nonce, and the tag's length, which is 12 if it is not said.
fn gcm_parameters(parameters: &[u8]) -> Result<Mode, Fault> {
    let (nonce, tag_len) = match *parts::members(parameters)? {
        [nonce] => (nonce, 12),
        [nonce, [2, 1, len @ 12..=16]] => (nonce, usize::from(*len)),
        _ => return Err("parameters of GCM that are not allowed"),
    };
    let nonce = octets(nonce)?;
    match nonce.len() {
        1..=64 => Ok(Mode::Gcm { nonce: nonce.to_vec(), tag_len }),
        _ => Err("a nonce of a length that is not allowed"),
    }
}

pub(super) enum Encryptor {
    Cbc(cbc::Encryptor),
    Gcm(Box<gcm::Sealer>),
}

impl Encryptor {
    /// Encrypts a piece to the end of `out`.
    pub(super) fn update(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        out.resize(start + piece.len() + 16, 0);
        let written = match self {
            Self::Cbc(cipher) => cipher.update(piece, &mut out[start..]),
            Self::Gcm(cipher) => {
                let done = cipher.update_to(piece, &mut out[start..start + piece.len()]);
                done.map(|()| piece.len())
            }
        };
        let written = written.map_err(gmkit_keys::Error::from);
        out.truncate(start + written.as_ref().copied().unwrap_or(0));
        Ok(written.map(drop)?)
    }

    /// Encrypts the padding to the end of `out`, or gives the tag.
    pub(super) fn finish(self, out: &mut Vec<u8>) -> Result<Option<[u8; 16]>, Error> {
        match self {
            Self::Cbc(cipher) => {
                let mut last = [0; 16];
                cipher.finish(&mut last).map_err(gmkit_keys::Error::from)?;
                out.extend_from_slice(&last);
                Ok(None)
            }
            Self::Gcm(cipher) => Ok(Some(cipher.finish())),
        }
    }
}

pub(super) enum Decryptor {
    Cbc(cbc::Decryptor),
    Gcm(Box<gcm::Opener>),
}

impl Decryptor {
    /// Decrypts a piece into `out`, which must be 16 bytes longer: how much has come out.
    pub(super) fn update_unverified(
        &mut self,
        piece: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let written = match self {
            Self::Cbc(cipher) => cipher.update(piece, out),
            Self::Gcm(cipher) => {
                let done = cipher.update_unverified_to(piece, &mut out[..piece.len()]);
                done.map(|()| piece.len())
            }
        };
        written.map_err(|_| Error::NotDecrypted)
    }

    /// Checks the tag, or the padding, and gives what is left into `out`.
    pub(super) fn finish(self, tag: Option<&[u8]>, out: &mut [u8; 16]) -> Result<usize, Error> {
        let finished = match (self, tag) {
            (Self::Cbc(cipher), None) => cipher.finish(out),
            (Self::Gcm(cipher), Some(tag)) => cipher.finish(tag).map(|()| 0),
            _ => return Err(Error::NotDecrypted),
        };
        finished.map_err(|_| Error::NotDecrypted)
    }
}
