//! RSA and ECDSA keys in devices, by the standard's mechanisms, for services that speak classic TLS
//! beside the national one.

mod public;
mod scheme;

use std::{fmt, sync::Arc};

use cryptoki::{object::ObjectClass, session::Session};
use rustls::{
    OtherError, SignatureAlgorithm, SignatureScheme,
    pki_types::SubjectPublicKeyInfoDer,
    sign::{Signer, SigningKey},
};

use self::public::Public;
pub(crate) use self::{
    public::{Kind, P256, P384, read as read_public},
    scheme::{SCHEMES, Scheme},
};
use crate::{
    Error, KeyName, Token,
    held::Held,
    objects::{logged_in, named, one, search},
};

/// An RSA or ECDSA key (P-256, P-384) that stays in its device, as rustls wants it.
///
/// The key signs once when it is opened, and every signature is verified before it is given out.
/// rustls signs during a handshake, on the thread that drives it: a device that is slow holds that
/// thread up.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use gmkit_hsm::{ClassicKey, KeyName, Token};
/// # use rustls::{pki_types::CertificateDer, sign::CertifiedKey};
/// # fn f(token: &Arc<Token>, chain: Vec<CertificateDer<'static>>) -> Result<(), Box<dyn std::error::Error>> {
/// let name = KeyName { label: Some("www".to_owned()), id: None };
/// let key = ClassicKey::open(token, name)?;
/// let certified = CertifiedKey::new(chain, Arc::new(key));
/// certified.keys_match()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClassicKey(Arc<Inner>);

struct Inner {
    token: Arc<Token>,
    name: KeyName,
    public: Public,
    /// Those that the device has, in rustls's order.
    schemes: Vec<&'static Scheme>,
    held: Held,
}

impl fmt::Debug for ClassicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { token, name, public, .. } = &*self.0;
        write!(f, "ClassicKey({:?}, {token:?}, {:?})", public.kind, name.label)
    }
}

/// What the first use of a key signs: no message of anybody's.
const FIRST_USE: &[u8] = b"gmkit: first use of a classic key in a device";

impl ClassicKey {
    /// Opens a key by its name.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`], [`Error::Device`]; [`Error::Unsupported`] for
    /// other kinds of keys, [`Error::NothingVerifies`] where a signature is none of this key's.
    pub fn open(token: &Arc<Token>, name: KeyName) -> Result<Self, Error> {
        let public = token.with_session(|session, _| {
            let private = find(session, &name)?;
            public::of(session, private, &name)
        })?;
        let mut schemes = Vec::new();
        for scheme in SCHEMES.iter().filter(|scheme| scheme.kind == public.kind) {
            if token.offers(scheme.code)? {
                schemes.push(scheme);
            }
        }
        let first =
            *schemes.first().ok_or(Error::Unsupported { operation: "sign with that key" })?;
        let (token, held) = (Arc::clone(token), Held::default());
        let key = Self(Arc::new(Inner { token, name, public, schemes, held }));
        key.0.sign(first, FIRST_USE)?;
        tracing::info!(kind = ?key.0.public.kind, "opened a classic key in a device");
        Ok(key)
    }

    /// The signature schemes that the device has for this key, the preferred one first.
    #[must_use]
    pub fn schemes(&self) -> Vec<SignatureScheme> {
        self.0.schemes.iter().map(|scheme| scheme.scheme).collect()
    }
}

impl Inner {
    /// Signs a message as `scheme` has it; what does not verify is not given out.
    fn sign(&self, scheme: &Scheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        let data = scheme.input(message);
        for _ in 0..2 {
            let found = |session: &Session| find(session, &self.name);
            let signature = self.held.with(&self.token, found, |session, key| {
                let work = self.token.work(session, &data);
                self.token.calls.count("sign", scheme.code, || {
                    self.token.module().functions.sign(work, scheme.call(), key.handle())
                })
            })?;
            for signature in scheme.readings(&signature) {
                if scheme.verifies(&self.public.bytes, message, &signature) {
                    return Ok(signature);
                }
            }
            // Another key may have taken the handle's place.
            self.held.forget();
        }
        Err(Error::NothingVerifies)
    }
}

fn find(session: &Session, name: &KeyName) -> Result<cryptoki::object::ObjectHandle, Error> {
    let found = search(session, &named(ObjectClass::PRIVATE_KEY, name))?;
    if found.is_empty() {
        logged_in(session)?;
    }
    one(found, "private key")
}

impl SigningKey for ClassicKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = self.0.schemes.iter().find(|scheme| offered.contains(&scheme.scheme))?;
        Some(Box::new(DeviceSigner { key: Arc::clone(&self.0), scheme }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(self.0.public.spki())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.public.kind.algorithm()
    }
}

/// A key with the scheme that was chosen.
struct DeviceSigner {
    key: Arc<Inner>,
    scheme: &'static Scheme,
}

impl fmt::Debug for DeviceSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceSigner({:?})", self.scheme.scheme)
    }
}

impl Signer for DeviceSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.key.sign(self.scheme, message).map_err(|error| {
            tracing::warn!(%error, "a device did not sign a handshake");
            rustls::Error::Other(OtherError(Arc::new(error)))
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme.scheme
    }
}
