//! The side that draws the keys.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64ct::{Base64UrlUnpadded, Encoding};
use gmkit_keys::{PrivateKey, SoftwareSecret, SysRng};
use gmkit_sm2::{Id, PublicKey};
use http::HeaderValue;
use zeroize::Zeroizing;

use super::{
    LIFETIME, Session,
    offer::{self, Offer},
};
use crate::{Error, keys::check_name};

/// A client's sessions with one service: a random SM4 key, enveloped with SM2 for the service and signed by the client,
/// which goes along with each request. A new one is drawn when half of its life is over.
///
/// ```
/// use std::sync::Arc;
/// use gmkit_keys::{PrivateKey, SoftwareKey};
/// use gmkit_seal::{ClientSession, CurrentSealKeys, SealClientLayer, SealKeys};
///
/// let own = Arc::new(SoftwareKey::generate()?); // from a file, or in a device
/// let service = SoftwareKey::generate()?; // only its public key is known here
/// let session = ClientSession::new("app7", own, "bank-2026", *service.public_key())?;
/// let layer = SealClientLayer::new(Arc::new(CurrentSealKeys::new(SealKeys::none())))
///     .with_session(Arc::new(session))
///     .with_audience("payments.example/production");
/// # let _ = layer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ClientSession {
    client: String,
    key: Arc<dyn PrivateKey>,
    service: String,
    service_key: PublicKey,
    lifetime: u64,
    current: Mutex<Option<Drawn>>,
}

/// One that was drawn.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) session: Session,
    /// For [`super::SEALED_KEY`].
    pub(crate) header: HeaderValue,
    time: u64,
    audience: String,
}

impl ClientSession {
    /// For a client of this name, which the service knows with this key; and a service's key, by the name that it has there.
    ///
    /// # Errors
    /// [`Error::KeyName`].
    pub fn new(
        client: &str,
        key: Arc<dyn PrivateKey>,
        service: &str,
        service_key: PublicKey,
    ) -> Result<Self, Error> {
        check_name(client)?;
        check_name(service)?;
        let (client, service) = (client.to_owned(), service.to_owned());
        let current = Mutex::new(None);
        Ok(Self { client, key, service, service_key, lifetime: LIFETIME, current })
    }

    /// How long the service takes a session, an hour by default: half of it the client uses it.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// The session of now, in milliseconds since 1970.
    pub(crate) fn current(&self, now: u64, audience: &str) -> Result<Drawn, Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(drawn) = &*current
            && drawn.audience == audience
            && now.abs_diff(drawn.time) < self.lifetime / 2
        {
            return Ok(drawn.clone());
        }
        let drawn = self.draw(now, audience)?;
        *current = Some(drawn.clone());
        Ok(drawn)
    }

    fn draw(&self, time: u64, audience: &str) -> Result<Drawn, Error> {
        let mut key = Zeroizing::new([0; 16]);
        getrandom::fill(&mut *key).map_err(|_| Error::Key(gmkit_keys::Error::Rng))?;
        let envelope = self.service_key.encrypt(&mut SysRng, &*key);
        let envelope = envelope.map_err(|error| Error::Key(error.into()))?;
        let (client, service) = (self.client.clone(), self.service.clone());
        let offered = Offer { time, client: client.clone(), service, envelope }.to_bytes()?;
        let signed = offer::signed(audience, &offered);
        let signature = self.key.sign(Id::DEFAULT, &signed)?.to_der();
        let whole = [&offered[..], signature.as_bytes()].concat();
        let header = HeaderValue::from_str(&Base64UrlUnpadded::encode_string(&whole));
        let header = header.map_err(|_| Error::Malformed("base64url is text"))?;
        let key = Arc::new(SoftwareSecret::sm4(&*key)?);
        let session = Session { client, name: offer::name(&signed, signature.as_bytes()), key };
        Ok(Drawn { session, header, time, audience: audience.to_owned() })
    }
}
