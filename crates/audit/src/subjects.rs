//! The keys of the persons that a log is about: without its key, what was sealed under it is erased, and the
//! log still verifies.

mod fields;
mod store;

use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gmkit_keys::{SecretKey, SoftwareSecret};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use self::fields::Fields;
use self::{
    fields::Content,
    store::{Stamp, Store},
};
use crate::{Error, Event, Log, Personal, event::Sealed, log::own_record::OwnRecord};

/// How many keys are kept in memory.
const KNOWN: usize = 4096;

/// The keys of persons, in a folder of its own: one file each, sealed under a master key.
///
/// What of an event is about a person is sealed under that person's key before it is recorded. Deleting the key
/// erases the person from every copy of the log (GDPR, article 17; PIPL, article 47), and no proof breaks. The
/// master key is an SM4 key, in a file or a device.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let (log_dir, keys) = (dir.path().join("log"), dir.path().join("subjects"));
/// use std::sync::Arc;
/// use gmkit_audit::{Event, Fields, Log, Options, Outcome, Subjects};
/// use gmkit_keys::{SoftwareKey, SoftwareSecret};
///
/// let log = Log::open(&log_dir, Options::new("bank.example/log")?, Arc::new(SoftwareKey::generate()?))?;
/// let subjects = Subjects::open(&keys, Arc::new(SoftwareSecret::sm4(&[7; 16])?))?;
///
/// let mut event = Event::new("login", Outcome::allowed()).by("alice", Some("teller"), None);
/// subjects.seal(&mut event, "alice", Fields::none().with_actor())?;
/// assert_eq!(event.actor.user, None);
/// log.append(&event)?;
///
/// let alice = subjects.find("alice")?.expect("she has a key");
/// assert!(alice.open(&mut event)?);
/// assert_eq!(event.actor.user.as_deref(), Some("alice"));
///
/// assert!(subjects.erase(&log, "alice")?);
/// assert!(subjects.find("alice")?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Subjects {
    store: Store,
    known: Mutex<HashMap<String, Known>>,
}

/// A key in memory, and the file that it was read from: another process may have erased it, and made another
/// one for the same person.
struct Known {
    subject: Arc<Subject>,
    stamp: Stamp,
}

/// The key of one person.
pub struct Subject {
    id: Uuid,
    key: SoftwareSecret,
}

impl Subjects {
    /// Opens a folder of keys, or makes it, for its owner alone.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] when it was sealed under another master key; [`Error::Key`].
    pub fn open(dir: &Path, master: Arc<dyn SecretKey>) -> Result<Self, Error> {
        Ok(Self { store: Store::open(dir, master)?, known: Mutex::default() })
    }

    /// Seals what of an event is about a person. A person that has no key yet gets one. An event that is about
    /// two persons is sealed twice, with what is about each.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`], [`Error::Key`]: the event is as it was, and not to be recorded so.
    pub fn seal(&self, event: &mut Event, subject: &str, fields: Fields<'_>) -> Result<(), Error> {
        let (mut rest, content) = fields.part(event);
        if content.is_empty() {
            return Ok(());
        }
        if !content.reads_back() {
            let reason = "an attribute is a number that JSON has not got, or no digest".to_owned();
            return Err(Error::Event { reason });
        }
        let personal = self.key(subject)?.seal(event.event_id, &content)?;
        rest.personal.push(personal);
        *event = rest;
        Ok(())
    }

    /// The key of a person, if there is one.
    ///
    /// # Errors
    /// As [`Subjects::open`].
    pub fn find(&self, subject: &str) -> Result<Option<Subject>, Error> {
        self.store.read(&self.store.path(subject)?)
    }

    /// Erases a person: the key is put aside, that is recorded and signed, and the key is destroyed; whether
    /// there was one. What was interrupted before is finished, too, whomever it was about.
    ///
    /// Another process that has sealed something for the person lately has the key in its memory until it does
    /// so again, or ends.
    ///
    /// What the file system, backups and devices keep of a file that was deleted is beyond this.
    ///
    /// # Errors
    /// As [`Log::prune`] and [`Subjects::open`]: it is not done, and to be asked for again. From then on nobody
    /// finds the key by the person's name any more.
    pub fn erase(&self, log: &Log, subject: &str) -> Result<bool, Error> {
        let path = self.store.path(subject)?;
        self.store.put_aside(&path)?;
        self.known().remove(subject);
        // This person first; and what fails for one is done for the others all the same.
        let (own, others): (Vec<_>, Vec<_>) =
            self.store.aside()?.into_iter().partition(|aside| aside.is_of(&path));
        let found = !own.is_empty();
        let mut result = Ok(found);
        for aside in own.into_iter().chain(others) {
            let done = log.record_signed(OwnRecord::Erase { subject: aside.id() });
            if let Err(error) = done.and_then(|()| self.store.destroy(&aside)) {
                result = result.and(Err(error));
            }
        }
        result
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, name: &str) -> Result<Arc<Subject>, Error> {
        let path = self.store.path(name)?;
        let stamp = Stamp::of(&path)?;
        if let Some(known) = self.known().get(name)
            && stamp.as_ref() == Some(&known.stamp)
        {
            return Ok(Arc::clone(&known.subject));
        }
        let subject = Arc::new(self.store.read_or_make(&path)?);
        // One that was made just now has none yet: it is read once more.
        let Some(stamp) = stamp else { return Ok(subject) };
        let mut known = self.known();
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(name.to_owned(), Known { subject: Arc::clone(&subject), stamp });
        Ok(subject)
    }
}

impl fmt::Debug for Subjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subjects").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Subject {
    /// From 16 random bytes for the number and 16 for the key.
    fn new(bytes: &[u8; 32]) -> Result<Self, Error> {
        let (id, key) = bytes.split_at(16);
        let mut number = [0; 16];
        number.copy_from_slice(id);
        let id = uuid::Builder::from_random_bytes(number).into_uuid();
        Ok(Self { id, key: SoftwareSecret::sm4(key)? })
    }

    /// The number of the key, which stands in the records.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Puts back into an event what was sealed under this key; whether there was anything.
    ///
    /// # Errors
    /// [`Error::Rejected`] for what was not sealed so, or for another event; it is as it was then.
    pub fn open(&self, event: &mut Event) -> Result<bool, Error> {
        let mut opened = event.clone();
        let (own, others): (Vec<_>, Vec<_>) =
            opened.personal.drain(..).partition(|personal| personal.subject == self.id);
        opened.personal = others;
        for Personal { sealed, .. } in &own {
            let bytes = self.key.open(&self.label(event.event_id), sealed.as_bytes());
            let bytes = Zeroizing::new(bytes.map_err(|error| match error {
                gmkit_keys::Error::Rejected => Error::Rejected,
                error => error.into(),
            })?);
            let content: Content = serde_json::from_slice(&bytes).map_err(|_| Error::Rejected)?;
            content.put_into(&mut opened)?;
        }
        *event = opened;
        Ok(!own.is_empty())
    }

    fn seal(&self, event: Uuid, content: &Content) -> Result<Personal, Error> {
        let text = serde_json::to_vec(content).map(Zeroizing::new);
        let text = text.map_err(|error| Error::Event { reason: error.to_string() })?;
        let sealed = self.key.seal(&self.label(event), &text)?;
        Ok(Personal { subject: self.id, sealed: Sealed(sealed) })
    }

    /// What a sealed part belongs to: the event's number and the key's.
    fn label(&self, event: Uuid) -> [u8; 32] {
        let mut label = [0; 32];
        label[..16].copy_from_slice(event.as_bytes());
        label[16..].copy_from_slice(self.id.as_bytes());
        label
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("id", &self.id).finish_non_exhaustive()
    }
}
