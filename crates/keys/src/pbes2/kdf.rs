//! PBKDF2 (RFC 8018, A.2) and scrypt (RFC 7914, 7).

use der::{
    Encode, Sequence,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::{MAX_ITERATIONS, MAX_SCRYPT_MEMORY, parameters};
use crate::{EncryptionFault, Error};

pub(super) const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
/// Longest salt that is read, in bytes.
const MAX_SALT: usize = 1024;
const SCRYPT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.4.11");

/// The pseudo-random functions met in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prf {
    HmacSha1,
    HmacSha224,
    HmacSha256,
    HmacSha384,
    HmacSha512,
    HmacSha512_224,
    HmacSha512_256,
    /// HMAC-SM3 as GM/T 0006, GmSSL and Bouncy Castle name it.
    HmacSm3,
    /// HMAC-SM3 as OpenSSL and Tongsuo name it.
    HmacSm3OpenSsl,
}

const PRFS: [(Prf, ObjectIdentifier); 9] = [
    (Prf::HmacSha1, ObjectIdentifier::new_unwrap("1.2.840.113549.2.7")),
    (Prf::HmacSha224, ObjectIdentifier::new_unwrap("1.2.840.113549.2.8")),
    (Prf::HmacSha256, ObjectIdentifier::new_unwrap("1.2.840.113549.2.9")),
    (Prf::HmacSha384, ObjectIdentifier::new_unwrap("1.2.840.113549.2.10")),
    (Prf::HmacSha512, ObjectIdentifier::new_unwrap("1.2.840.113549.2.11")),
    (Prf::HmacSha512_224, ObjectIdentifier::new_unwrap("1.2.840.113549.2.12")),
    (Prf::HmacSha512_256, ObjectIdentifier::new_unwrap("1.2.840.113549.2.13")),
    (Prf::HmacSm3, ObjectIdentifier::new_unwrap("1.2.156.10197.1.401.2")),
    (Prf::HmacSm3OpenSsl, ObjectIdentifier::new_unwrap("1.2.156.10197.1.401.3.1")),
];

impl Prf {
    fn parse(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Self, Error> {
        if algorithm.parameters.is_some_and(|parameters| !parameters.is_null()) {
            return Err(EncryptionFault::Parameters.into());
        }
        let known = PRFS.iter().find(|(_, oid)| *oid == algorithm.oid);
        Ok(known.ok_or(EncryptionFault::Prf(algorithm.oid))?.0)
    }

    fn oid(self) -> ObjectIdentifier {
        let known = PRFS.iter().find(|(prf, _)| *prf == self);
        known.expect("the table has every variant").1
    }

    pub(super) fn pbkdf2(self, passphrase: &[u8], salt: &[u8], iterations: u32, key: &mut [u8]) {
        let derive = match self {
            Self::HmacSha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>,
            Self::HmacSha224 => pbkdf2::pbkdf2_hmac::<sha2::Sha224>,
            Self::HmacSha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>,
            Self::HmacSha384 => pbkdf2::pbkdf2_hmac::<sha2::Sha384>,
            Self::HmacSha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>,
            Self::HmacSha512_224 => pbkdf2::pbkdf2_hmac::<sha2::Sha512_224>,
            Self::HmacSha512_256 => pbkdf2::pbkdf2_hmac::<sha2::Sha512_256>,
            Self::HmacSm3 | Self::HmacSm3OpenSsl => pbkdf2::pbkdf2_hmac::<gmkit_sm3::Sm3>,
        };
        derive(passphrase, salt, iterations, key);
    }
}

/// Key derivation with its parameters, all within the limits.
pub(super) enum Kdf<'a> {
    Pbkdf2 { prf: Prf, salt: &'a [u8], iterations: u32 },
    Scrypt { params: scrypt::Params, salt: &'a [u8] },
}

#[derive(Sequence)]
struct Pbkdf2Params<'a> {
    salt: &'a OctetStringRef,
    iterations: u64,
    key_length: Option<u64>,
    prf: Option<AlgorithmIdentifierRef<'a>>,
}

#[derive(Sequence)]
struct ScryptParams<'a> {
    salt: &'a OctetStringRef,
    cost: u64,
    block_size: u64,
    parallelization: u64,
    key_length: Option<u64>,
}

impl<'a> Kdf<'a> {
    pub(super) fn parse(
        algorithm: &AlgorithmIdentifierRef<'a>,
        key_len: usize,
    ) -> Result<Self, Error> {
        match algorithm.oid {
            PBKDF2 => Self::pbkdf2(parameters(algorithm)?, key_len),
            SCRYPT => Self::scrypt(parameters(algorithm)?, key_len),
            oid => Err(EncryptionFault::Kdf(oid).into()),
        }
    }

    fn pbkdf2(params: Pbkdf2Params<'a>, key_len: usize) -> Result<Self, Error> {
        check_key_length(params.key_length, key_len)?;
        check_salt(params.salt)?;
        let iterations = match u32::try_from(params.iterations) {
            Ok(n) if n > 0 && params.iterations <= MAX_ITERATIONS => n,
            _ => return Err(EncryptionFault::Iterations(params.iterations).into()),
        };
        let prf = params.prf.as_ref().map_or(Ok(Prf::HmacSha1), Prf::parse)?;
        Ok(Self::Pbkdf2 { prf, salt: params.salt.as_bytes(), iterations })
    }

    fn scrypt(params: ScryptParams<'a>, key_len: usize) -> Result<Self, Error> {
        check_key_length(params.key_length, key_len)?;
        check_salt(params.salt)?;
        // The function holds N + p + 1 blocks of 128 r bytes, and works p times through N of them.
        let blocks = params.cost.checked_add(params.parallelization).and_then(|n| n.checked_add(1));
        let memory = blocks.and_then(|n| n.checked_mul(params.block_size.checked_mul(128)?));
        let bounded = memory.is_some_and(|memory| memory <= MAX_SCRYPT_MEMORY)
            && params.parallelization <= 16
            && params.block_size <= 64
            && params.cost >= 2
            && params.cost.is_power_of_two();
        let (r, p) = (u32::try_from(params.block_size), u32::try_from(params.parallelization));
        let params_ok = match (bounded, r, p) {
            (true, Ok(r), Ok(p)) => scrypt::Params::new(params.cost.ilog2() as u8, r, p).ok(),
            _ => None,
        };
        let scrypt_params = params_ok.ok_or(EncryptionFault::ScryptCost)?;
        Ok(Self::Scrypt { params: scrypt_params, salt: params.salt.as_bytes() })
    }

    pub(super) fn derive(
        &self,
        passphrase: &[u8],
        key_len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut key = Zeroizing::new(vec![0; key_len]);
        match self {
            Self::Pbkdf2 { prf, salt, iterations } => {
                prf.pbkdf2(passphrase, salt, *iterations, &mut key);
            }
            Self::Scrypt { params, salt } => scrypt::scrypt(passphrase, salt, params, &mut key)
                .map_err(|_| EncryptionFault::Parameters)?,
        }
        Ok(key)
    }
}

/// A salt is hashed once per output block at least; nobody writes more than 64 bytes.
fn check_salt(salt: &OctetStringRef) -> Result<(), Error> {
    if salt.as_bytes().len() > MAX_SALT { Err(EncryptionFault::Parameters.into()) } else { Ok(()) }
}

fn check_key_length(given: Option<u64>, key_len: usize) -> Result<(), Error> {
    match given {
        Some(given) if given != key_len as u64 => Err(EncryptionFault::Parameters.into()),
        _ => Ok(()),
    }
}

/// PBKDF2-params. Writers put NULL behind every PRF but GM/T 0006's HMAC-SM3.
pub(super) fn encode_pbkdf2(
    prf: Prf,
    salt: &[u8],
    iterations: u64,
    key_length: Option<u64>,
) -> der::Result<Vec<u8>> {
    let parameters = (prf != Prf::HmacSm3).then_some(AnyRef::NULL);
    Pbkdf2Params {
        salt: OctetStringRef::new(salt)?,
        iterations,
        key_length,
        prf: Some(AlgorithmIdentifierRef { oid: prf.oid(), parameters }),
    }
    .to_der()
}
