//! The side that opens them.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use gmkit_keys::{PrivateKey, SoftwareSecret};
use gmkit_sm2::PublicKey;

use super::{LIFETIME, Session, offer::Came};
use crate::{Current, Error, keys::check_name};

/// How many sessions of one client are remembered: more cost it signatures, and us decryptions.
const MOST: usize = 8;

/// Clients that may draw keys, each with its public key, and the service's keys for which they envelope them.
///
/// ```
/// use std::sync::Arc;
/// use gmkit_keys::{PrivateKey, SoftwareKey};
/// use gmkit_seal::{CurrentSealKeys, CurrentSessions, SealKeys, SealLayer, Sessions};
///
/// let own = Arc::new(SoftwareKey::generate()?); // from a file, or in a device
/// let app = SoftwareKey::generate()?; // only its public key is known here
/// let sessions = Sessions::new("bank-2026", own)?.with_client("app7", *app.public_key())?;
/// let layer = SealLayer::new(Arc::new(CurrentSealKeys::new(SealKeys::none())))
///     .with_sessions(Arc::new(CurrentSessions::new(sessions)))
///     .with_audience("payments.example/production");
/// # let _ = layer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sessions {
    keys: BTreeMap<String, Arc<dyn PrivateKey>>,
    clients: BTreeMap<String, PublicKey>,
    lifetime: u64,
    /// Those that were opened, by client.
    open: Mutex<HashMap<String, VecDeque<Session>>>,
}

impl Sessions {
    /// With this key of the service.
    ///
    /// # Errors
    /// [`Error::KeyName`].
    pub fn new(name: &str, key: Arc<dyn PrivateKey>) -> Result<Self, Error> {
        let (keys, clients, open) = (BTreeMap::new(), BTreeMap::new(), Mutex::default());
        Self { keys, clients, lifetime: LIFETIME, open }.with_key(name, key)
    }

    /// With another one, as long as some use it.
    ///
    /// # Errors
    /// [`Error::KeyName`].
    pub fn with_key(mut self, name: &str, key: Arc<dyn PrivateKey>) -> Result<Self, Error> {
        check_name(name)?;
        let before = self.keys.insert(name.to_owned(), key);
        if before.is_none() { Ok(self) } else { Err(Error::KeyName) }
    }

    /// With a client.
    ///
    /// # Errors
    /// [`Error::KeyName`].
    pub fn with_client(mut self, name: &str, key: PublicKey) -> Result<Self, Error> {
        check_name(name)?;
        let before = self.clients.insert(name.to_owned(), key);
        if before.is_none() { Ok(self) } else { Err(Error::KeyName) }
    }

    /// How long a session is taken, an hour by default.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// The session that a header offers.
    pub(crate) fn find(
        &self,
        header: &str,
        audience: &str,
        now: u64,
        skew: u64,
    ) -> Result<Session, Error> {
        let came = Came::read(header, audience)?;
        let client = self.clients.get(&came.offer.client).ok_or(Error::UnknownKey)?;
        let time = came.offer.time;
        if now.saturating_sub(time) > self.lifetime || time.saturating_sub(now) > skew {
            return Err(Error::Time);
        }
        // The name is the digest of all that was verified then.
        if let Some(open) = self.remembered(&came) {
            return Ok(open);
        }
        came.verify(client)?;
        let own = self.keys.get(&came.offer.service).ok_or(Error::UnknownKey)?;
        let key = own.decrypt(&came.offer.envelope)?;
        let key = SoftwareSecret::sm4(&key).map_err(|_| Error::Rejected)?;
        let Came { offer, name, .. } = came;
        let session = Session { client: offer.client, name, key: Arc::new(key) };
        self.remember(session.clone());
        Ok(session)
    }

    fn remembered(&self, came: &Came) -> Option<Session> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&came.offer.client)?.iter().find(|own| own.name == came.name).cloned()
    }

    fn remember(&self, session: Session) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.entry(session.client.clone()).or_default();
        // Another request with it may have been faster.
        own.retain(|known| known.name != session.name);
        if own.len() >= MOST {
            own.pop_front();
        }
        own.push_back(session);
    }
}

/// Clients and keys that can be changed while requests pass: a client that is not there any more is refused at once.
pub type CurrentSessions = Current<Sessions>;
