//! Signatures and MACs.

use std::sync::Arc;

use cmac::Cmac;
use cryptoki_sys::{
    CKR_DATA_LEN_RANGE, CKR_FUNCTION_FAILED, CKR_KEY_TYPE_INCONSISTENT, CKR_MECHANISM_INVALID,
    CKR_MECHANISM_PARAM_INVALID, CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE,
};
use digest::{KeyInit, Mac};
use gmkit_keys::SysRng;
use gmkit_sm2::{Id, Signature as Sm2Signature, hazmat};
use gmkit_sm3::Sm3;
use hmac::Hmac;
use p256::ecdsa::{
    self, SigningKey, VerifyingKey,
    signature::hazmat::{PrehashSigner, PrehashVerifier},
};
use sha2::{Sha256, Sha384, Sha512};

use super::{Hasher, Key, with_block_cipher};
use crate::{
    codes::{Algorithm, Curve, Form, Hash, SecretKind},
    mechanism::Mechanism,
    rv::{Result, Rv, ensure, fail},
};

/// A signature or MAC being made.
pub(crate) struct Signing(State);

/// A signature or MAC being checked.
pub(crate) struct Verifying(State);

enum State {
    Signature { data: Data, key: Arc<Key>, form: Form },
    Mac(Box<dyn MacState>),
}

/// What will be signed.
enum Data {
    /// A bare e or digest, as far as it has come in.
    Raw(Vec<u8>),
    /// A message, hashed on the way.
    Message(Box<Hasher>),
}

/// Longest digest that is taken for a bare one, in bytes.
const MAX_DIGEST: usize = 64;

impl Signing {
    pub(crate) fn start(mechanism: &Mechanism, key: &Arc<Key>) -> Result<Self> {
        start(mechanism, key, false).map(Self)
    }

    /// Length of the signature, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn update(&mut self, piece: &[u8]) -> Result {
        self.0.update(piece)
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        match self.0 {
            State::Mac(mac) => Ok(mac.finish()),
            State::Signature { data, key, form } => {
                sign(&key, data.finish()).map(|raw| form.write(raw))
            }
        }
    }
}

impl Verifying {
    pub(crate) fn start(mechanism: &Mechanism, key: &Arc<Key>) -> Result<Self> {
        start(mechanism, key, true).map(Self)
    }

    pub(crate) fn update(&mut self, piece: &[u8]) -> Result {
        self.0.update(piece)
    }

    pub(crate) fn finish(self, signature: &[u8]) -> Result {
        ensure(signature.len() == self.0.len(), CKR_SIGNATURE_LEN_RANGE)?;
        match self.0 {
            State::Mac(mac) => ensure(mac.verify(signature), CKR_SIGNATURE_INVALID),
            State::Signature { data, key, .. } => verify(&key, data.finish(), signature),
        }
    }
}

impl State {
    fn len(&self) -> usize {
        match self {
            Self::Signature { form, .. } => form.bound(),
            Self::Mac(mac) => mac.len(),
        }
    }

    fn update(&mut self, piece: &[u8]) -> Result {
        match self {
            Self::Mac(mac) => mac.update(piece),
            Self::Signature { data: Data::Message(hash), .. } => hash.update(piece),
            Self::Signature { data: Data::Raw(bytes), .. } => {
                ensure(bytes.len() + piece.len() <= MAX_DIGEST, CKR_DATA_LEN_RANGE)?;
                bytes.extend_from_slice(piece);
            }
        }
        Ok(())
    }
}

impl Data {
    fn finish(self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes,
            Self::Message(hash) => hash.finish(),
        }
    }
}

fn start(mechanism: &Mechanism, key: &Arc<Key>, verify: bool) -> Result<State> {
    if mechanism.algorithm() != Algorithm::Sm2Message {
        mechanism.without_parameter()?;
    }
    let (curve, data) = match mechanism.algorithm() {
        Algorithm::Raw(curve) => (curve, Data::Raw(Vec::new())),
        Algorithm::EcdsaMessage(hash) => (Curve::P256, Data::Message(Box::new(Hasher::new(hash)))),
        Algorithm::Sm2Message => (Curve::Sm2, Data::Message(Box::new(sm2_hash(mechanism, key)?))),
        #[cfg(feature = "lab")]
        Algorithm::Sm2MessageWithoutZ => {
            (Curve::Sm2, Data::Message(Box::new(Hasher::new(Hash::Sm3))))
        }
        Algorithm::Hmac(hash) => return hmac(hash, key).map(State::Mac),
        Algorithm::Cmac(block) => {
            let key = key.block_key(block)?;
            return with_block_cipher!(block, key, Cipher => mac::<Cmac<Cipher>>(key))
                .map(State::Mac);
        }
        _ => return fail(CKR_MECHANISM_INVALID),
    };
    let fits = match (curve, &**key) {
        (Curve::Sm2, Key::Sm2Private(_)) | (Curve::P256, Key::P256Private(_)) => !verify,
        (Curve::Sm2, Key::Sm2Public(_)) | (Curve::P256, Key::P256Public(_)) => verify,
        _ => false,
    };
    ensure(fits, CKR_KEY_TYPE_INCONSISTENT)?;
    Ok(State::Signature { data, key: Arc::clone(key), form: mechanism.offer.form })
}

/// SM3 with Z in it, of the ID in the parameter or the default one (GB/T 32918.2, 5.5).
fn sm2_hash(mechanism: &Mechanism, key: &Key) -> Result<Hasher> {
    let id = match mechanism.bytes() {
        None => {
            mechanism.without_parameter()?;
            Id::DEFAULT
        }
        Some(bytes) => Id::new(bytes).map_err(|_| Rv(CKR_MECHANISM_PARAM_INVALID))?,
    };
    let public = match key {
        Key::Sm2Private(key) => key.public_key(),
        Key::Sm2Public(key) => key,
        _ => return fail(CKR_KEY_TYPE_INCONSISTENT),
    };
    let mut hash = Hasher::new(Hash::Sm3);
    hash.update(&public.z(id));
    Ok(hash)
}

/// e of SM2: 32 bytes, no more and no less.
fn sm2_e(digest: &[u8]) -> Result<[u8; 32]> {
    digest.try_into().map_err(|_| Rv(CKR_DATA_LEN_RANGE))
}

/// The leftmost 32 bytes, which is what ECDSA over a 256-bit curve signs; a shorter digest is a
/// number all the same.
fn ecdsa_e(digest: &[u8]) -> Result<[u8; 32]> {
    ensure(!digest.is_empty(), CKR_DATA_LEN_RANGE)?;
    let digest = &digest[..digest.len().min(32)];
    let mut e = [0; 32];
    e[32 - digest.len()..].copy_from_slice(digest);
    Ok(e)
}

fn sign(key: &Key, digest: Vec<u8>) -> Result<Vec<u8>> {
    match key {
        Key::Sm2Private(key) => {
            Ok(hazmat::sign_e(&mut SysRng, key, &sm2_e(&digest)?)?.to_raw().to_vec())
        }
        Key::P256Private(key) => {
            let signature: ecdsa::Signature = SigningKey::from(key)
                .sign_prehash(&ecdsa_e(&digest)?)
                .map_err(|_| Rv(CKR_FUNCTION_FAILED))?;
            Ok(signature.to_bytes().to_vec())
        }
        _ => fail(CKR_KEY_TYPE_INCONSISTENT),
    }
}

fn verify(key: &Key, digest: Vec<u8>, signature: &[u8]) -> Result {
    let good = match key {
        Key::Sm2Public(key) => {
            let e = sm2_e(&digest)?;
            Sm2Signature::from_raw(signature)
                .is_ok_and(|signature| hazmat::verify_e(key, &e, &signature).is_ok())
        }
        Key::P256Public(key) => {
            let e = ecdsa_e(&digest)?;
            let key = VerifyingKey::from(key);
            ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&e, &signature).is_ok())
        }
        _ => return fail(CKR_KEY_TYPE_INCONSISTENT),
    };
    ensure(good, CKR_SIGNATURE_INVALID)
}

fn hmac(hash: Hash, key: &Key) -> Result<Box<dyn MacState>> {
    let Key::Secret(SecretKind::Generic, key) = key else {
        return fail(CKR_KEY_TYPE_INCONSISTENT);
    };
    match hash {
        Hash::Sm3 => mac::<Hmac<Sm3>>(key),
        Hash::Sha256 => mac::<Hmac<Sha256>>(key),
        Hash::Sha384 => mac::<Hmac<Sha384>>(key),
        Hash::Sha512 => mac::<Hmac<Sha512>>(key),
    }
}

fn mac<M: Mac + KeyInit + Send + 'static>(key: &[u8]) -> Result<Box<dyn MacState>> {
    let mac = <M as KeyInit>::new_from_slice(key).or(fail(CKR_KEY_TYPE_INCONSISTENT))?;
    Ok(Box::new(mac))
}

/// A MAC under way, whatever it is of.
trait MacState: Send {
    fn len(&self) -> usize;
    fn update(&mut self, piece: &[u8]);
    fn finish(self: Box<Self>) -> Vec<u8>;
    /// Compares in constant time.
    fn verify(self: Box<Self>, tag: &[u8]) -> bool;
}

impl<M: Mac + Send> MacState for M {
    fn len(&self) -> usize {
        <M as digest::OutputSizeUser>::output_size()
    }

    fn update(&mut self, piece: &[u8]) {
        Mac::update(self, piece);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.finalize().into_bytes().to_vec()
    }

    fn verify(self: Box<Self>, tag: &[u8]) -> bool {
        self.verify_slice(tag).is_ok()
    }
}

impl Form {
    /// Most bytes of a signature.
    fn bound(self) -> usize {
        match self {
            Self::Raw => 64,
            #[cfg(feature = "lab")]
            _ => 72,
        }
    }

    /// A signature of r ‖ s in this form.
    fn write(self, raw: Vec<u8>) -> Vec<u8> {
        #[cfg(feature = "lab")]
        let raw = match crate::lab::lies() {
            true => raw.into_iter().rev().collect(),
            false => raw,
        };
        match self {
            Self::Raw => raw,
            #[cfg(feature = "lab")]
            Self::Wrong => raw.into_iter().rev().collect(),
            #[cfg(feature = "lab")]
            Self::Der => match Sm2Signature::from_raw(&raw) {
                Ok(signature) => signature.to_der().as_bytes().to_vec(),
                Err(_) => raw,
            },
            #[cfg(feature = "lab")]
            Self::BrokenDer => {
                let (r, s) = raw.split_at(32);
                [&[0x30, 68, 2, 32], r, &[2, 32], s].concat()
            }
        }
    }
}
