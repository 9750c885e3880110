//! Encrypted PKCS#8: EncryptedPrivateKeyInfo with PBES2 (RFC 8018, 6.2 and A.4).

mod cipher;
pub mod content;
mod kdf;

use der::{
    Decode, Encode, Sequence,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use gmkit_sm2::rand_core::TryRng;
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use self::{
    cipher::Cipher,
    kdf::{Kdf, Prf},
};
use crate::{
    EncryptionFault, Error, Passphrase, SysRng,
    error::der_fault,
    selftest::{self, Algorithm},
};

/// Most PBKDF2 iterations that are read: about four seconds of work. What is written has 600,000
/// at most.
pub const MAX_ITERATIONS: u64 = 10_000_000;

/// Most memory, in bytes, that reading a scrypt-protected key may take.
pub const MAX_SCRYPT_MEMORY: u64 = 256 << 20;

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");

/// How an encrypted private key is written. All are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFormat {
    /// PBKDF2 with HMAC-SHA256, 600,000 iterations, and SM4-CBC: read by every OpenSSL that has
    /// SM4, and by Tongsuo. The default.
    #[default]
    Compat,
    /// PBKDF2 with HMAC-SM3 under OpenSSL's OID (1.2.156.10197.1.401.3.1), 600,000 iterations, and
    /// SM4-CBC: national algorithms only, read by OpenSSL 4 and Tongsuo.
    OpenSsl4,
    /// PBKDF2 with HMAC-SM3 under the OID of GM/T 0006 (1.2.156.10197.1.401.2), 65,536 iterations,
    /// and SM4-CBC, with the curve named twice: the one form that GmSSL reads.
    GmSsl,
}

impl KeyFormat {
    fn prf_and_iterations(self) -> (Prf, u64) {
        match self {
            Self::Compat => (Prf::HmacSha256, 600_000),
            Self::OpenSsl4 => (Prf::HmacSm3OpenSsl, 600_000),
            Self::GmSsl => (Prf::HmacSm3, 65_536),
        }
    }
}

#[derive(Sequence)]
struct EncryptedPrivateKeyInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    encrypted_data: &'a OctetStringRef,
}

#[derive(Sequence)]
struct Pbes2Params<'a> {
    key_derivation: AlgorithmIdentifierRef<'a>,
    encryption: AlgorithmIdentifierRef<'a>,
}

/// An encrypted key whose parameters have been read and found acceptable.
pub(crate) struct Encrypted<'a> {
    kdf: Kdf<'a>,
    cipher: Cipher,
    iv: &'a [u8],
    data: &'a [u8],
}

impl<'a> Encrypted<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let info = EncryptedPrivateKeyInfo::from_der(bytes).map_err(der_fault)?;
        Self::new(&info.algorithm, info.encrypted_data.as_bytes())
    }

    fn new(algorithm: &AlgorithmIdentifierRef<'a>, data: &'a [u8]) -> Result<Self, Error> {
        if algorithm.oid != PBES2 {
            return Err(EncryptionFault::Scheme(algorithm.oid).into());
        }
        let params: Pbes2Params<'_> = parameters(algorithm)?;
        let cipher = Cipher::from_oid(params.encryption.oid)?;
        let iv: &OctetStringRef = parameters(&params.encryption)?;
        if iv.as_bytes().len() != cipher.iv_len() {
            return Err(EncryptionFault::Parameters.into());
        }
        let kdf = Kdf::parse(&params.key_derivation, cipher.key_len())?;
        Ok(Self { kdf, cipher, iv: iv.as_bytes(), data })
    }

    /// # Errors
    /// [`Error::WrongPassphrase`].
    pub(crate) fn decrypt(&self, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, Error> {
        tested()?;
        let key = self.kdf.derive(passphrase.as_bytes(), self.cipher.key_len())?;
        self.cipher.decrypt(&key, self.iv, self.data).ok_or(Error::WrongPassphrase)
    }
}

/// Encrypts a PrivateKeyInfo with a fresh salt and IV.
pub(crate) fn encrypt(
    plain: &[u8],
    passphrase: &Passphrase,
    format: KeyFormat,
) -> Result<Vec<u8>, Error> {
    let (algorithm, data) = encrypt_parts(plain, passphrase, format)?;
    let info = EncryptedPrivateKeyInfo {
        algorithm: AlgorithmIdentifierRef::from_der(&algorithm).map_err(der_fault)?,
        encrypted_data: OctetStringRef::new(&data).map_err(der_fault)?,
    };
    info.to_der().map_err(der_fault)
}

/// AlgorithmIdentifier and ciphertext, with a fresh salt and IV.
fn encrypt_parts(
    plain: &[u8],
    passphrase: &Passphrase,
    format: KeyFormat,
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    tested()?;
    let (prf, iterations) = format.prf_and_iterations();
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    SysRng.try_fill_bytes(&mut salt).map_err(|_| Error::Rng)?;
    SysRng.try_fill_bytes(&mut iv).map_err(|_| Error::Rng)?;
    let mut key = Zeroizing::new([0; 16]);
    prf.pbkdf2(passphrase.as_bytes(), &salt, iterations as u32, &mut *key);
    let data = gmkit_sm4::cbc::encrypt(&key, &iv, plain);
    let algorithm = assemble(prf, &salt, iterations, format == KeyFormat::GmSsl, &iv)
        .expect("structures of fixed size encode");
    Ok((algorithm, data))
}

/// Encrypted keys rest on SM4 and HMAC-SM3, whichever of them a given file uses.
fn tested() -> Result<(), Error> {
    selftest::require(Algorithm::Sm4)?;
    selftest::require(Algorithm::HmacSm3)
}

fn assemble(
    prf: Prf,
    salt: &[u8],
    iterations: u64,
    with_key_length: bool,
    iv: &[u8],
) -> der::Result<Vec<u8>> {
    let kdf_params = kdf::encode_pbkdf2(prf, salt, iterations, with_key_length.then_some(16))?;
    let iv = OctetStringRef::new(iv)?.to_der()?;
    let params = Pbes2Params {
        key_derivation: AlgorithmIdentifierRef {
            oid: kdf::PBKDF2,
            parameters: Some(AnyRef::from_der(&kdf_params)?),
        },
        encryption: AlgorithmIdentifierRef {
            oid: cipher::SM4_CBC,
            parameters: Some(AnyRef::from_der(&iv)?),
        },
    }
    .to_der()?;
    AlgorithmIdentifierRef { oid: PBES2, parameters: Some(AnyRef::from_der(&params)?) }.to_der()
}

fn parameters<'a, T: der::DecodeValue<'a, Error = der::Error> + der::FixedTag + 'a>(
    algorithm: &AlgorithmIdentifierRef<'a>,
) -> Result<T, Error> {
    algorithm.parameters.ok_or(EncryptionFault::Parameters)?.decode_as::<T>().map_err(der_fault)
}
