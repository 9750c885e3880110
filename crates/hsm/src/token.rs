//! A token in use: one login, and sessions for whoever needs one.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cryptoki::{
    error::RvError,
    session::{Session, UserType},
    slot::{Slot, TokenInfo},
    types::RawAuthPin,
};
use gmkit_keys::{Passphrase, PassphraseSource};

use crate::{
    CallStatistics, Error, Module, SlotInfo, Uri, calls::Calls, pool::Pool, raw::Work,
    workers::Workers,
};

/// A token that somebody has named by URI.
pub struct Token {
    pub(crate) module: Arc<Module>,
    slot: Slot,
    label: String,
    serial: String,
    pool: Pool,
    /// For calls that must come back in time.
    pub(crate) workers: Workers,
    pub(crate) calls: Calls,
    login: Mutex<Login>,
}

/// A login is one per token and process (PKCS#11 2.40, 6.7.4).
#[derive(Default)]
struct Login {
    /// A login ends with the last session: this one does nothing but stay open.
    keeper: Option<Session>,
    /// What the device took, or could not say anything about as it was gone: one that comes back
    /// wants it again.
    pin: Option<Passphrase>,
    /// What it refused. A second try would only bring the token nearer to its lock.
    refused: Vec<Passphrase>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.label)
    }
}

/// A PIN as `cryptoki` wants it, wiped when dropped.
pub(crate) fn pin(pin: &Passphrase) -> Result<cryptoki::types::AuthPin, Error> {
    let text = std::str::from_utf8(pin.as_bytes())
        .map_err(|_| Error::Uri { reason: "the PIN is not UTF-8" })?;
    Ok(cryptoki::types::AuthPin::new(text.to_owned().into()))
}

impl Token {
    pub(crate) fn new(module: Arc<Module>, slot: Slot, info: &SlotInfo) -> Self {
        let named = |name: fn(&TokenInfo) -> &str| {
            info.token.as_ref().map(|token| name(token).to_owned()).unwrap_or_default()
        };
        Self {
            module,
            slot,
            label: named(TokenInfo::label),
            serial: named(TokenInfo::serial_number),
            pool: Pool::default(),
            workers: Workers::new(),
            calls: Calls::default(),
            login: Mutex::default(),
        }
    }

    /// Whether this is the token in a slot, and not another one that was put there since.
    pub(crate) fn is(&self, info: &TokenInfo) -> bool {
        self.label == info.label() && self.serial == info.serial_number()
    }

    /// The module that it is behind.
    #[must_use]
    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }

    /// The number of its slot.
    #[must_use]
    pub fn slot_id(&self) -> u64 {
        self.slot.id()
    }

    /// Its label.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What its calls have cost since it was opened, and how they ended.
    #[must_use]
    pub fn calls(&self) -> Vec<CallStatistics> {
        self.calls.all()
    }

    /// Whether the device has a mechanism.
    pub(crate) fn offers(&self, code: u64) -> Result<bool, Error> {
        self.module.offers(self.slot, code)
    }

    /// Work for this device in a session.
    pub(crate) fn work<'d>(&self, session: &Session, data: &'d [u8]) -> Work<'d> {
        Work { session: session.handle(), data, frame: self.module.profile.quirks.frame }
    }

    /// Logs the user in, if nobody is yet. The PIN is asked of `source` where the URI names no file.
    ///
    /// # Errors
    /// [`Error::Device`] with what the device says of the PIN; [`Error::PinRefused`] instead of a
    /// second try with one that it has refused; [`Error::Key`] where there is no PIN to be had.
    pub fn log_in(&self, uri: &Uri, source: &dyn PassphraseSource) -> Result<(), Error> {
        if self.lock().keeper.is_some() {
            return Ok(());
        }
        // Asked for without the lock: a person may take long.
        self.log_in_with(uri.pin(&self.label, source)?)
    }

    /// The same with the PIN itself.
    pub(crate) fn log_in_with(&self, pin: Passphrase) -> Result<(), Error> {
        let mut login = self.lock();
        if login.keeper.is_some() {
            return Ok(());
        }
        self.try_pin(&mut login, pin)
    }

    fn try_pin(&self, login: &mut Login, pin: Passphrase) -> Result<(), Error> {
        if pin.is_empty() {
            return Err(gmkit_keys::Error::PassphraseNeeded.into());
        }
        if login.refused.contains(&pin) {
            return Err(Error::PinRefused);
        }
        login.pin = None;
        let done = self.send_pin(&pin);
        match &done {
            Ok(_) => login.pin = Some(pin),
            // It was not the PIN's fault.
            Err(error) if error.is_of_session() => login.pin = Some(pin),
            Err(Error::Device { .. }) => login.refused.push(pin),
            Err(_) => {}
        }
        login.keeper = Some(done?);
        tracing::debug!(slot = self.slot.id(), "logged in to the token");
        Ok(())
    }

    /// Logs in, in a session that stays open for it.
    fn send_pin(&self, pin: &Passphrase) -> Result<Session, Error> {
        // A PIN is for the token that it was given for, and not for what is in the slot now.
        let info = self.module.pkcs11.get_token_info(self.slot);
        if !self.is(&info.map_err(Error::of("C_GetTokenInfo"))?) {
            return Err(Error::NotFound { what: "token" });
        }
        let session = self.open()?;
        let raw = RawAuthPin::new(Box::new(pin.as_bytes().to_vec()));
        match session.login_with_raw(UserType::User, &raw) {
            Ok(()) | Err(cryptoki::error::Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                Ok(session)
            }
            Err(error) => Err(Error::of("C_Login")(error)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Login> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<Session, Error> {
        self.module.pkcs11.open_ro_session(self.slot).map_err(Error::of("C_OpenSession"))
    }

    /// Runs `body` in a session of the pool, for work that may be done twice: where the session was
    /// at fault, once more in a new one, after a new login. `body` is told the epoch, which handles
    /// belong to.
    pub(crate) fn with_session<T>(
        &self,
        body: impl Fn(&Session, u64) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let epoch = self.pool.epoch();
        let first = self.log_in_again().and_then(|()| self.pool.with(|| self.open(), &body));
        match first {
            Err(error) if error.is_of_session() => {
                tracing::warn!(%error, "the session was lost: once more in a new one");
                self.revive(epoch)?;
                self.pool.with(|| self.open(), body)
            }
            done => done,
        }
    }

    /// The login that a lost device has cost, if there was one.
    fn log_in_again(&self) -> Result<(), Error> {
        let mut login = self.lock();
        match login.pin.clone() {
            Some(pin) if login.keeper.is_none() => self.try_pin(&mut login, pin),
            _ => Ok(()),
        }
    }

    /// Everything anew: sessions, handles, login.
    pub(crate) fn reconnect(&self) -> Result<(), Error> {
        self.revive(self.pool.epoch())
    }

    /// New sessions, and a new login if there was one; once for all threads that have lost theirs.
    fn revive(&self, lost: u64) -> Result<(), Error> {
        let mut login = self.lock();
        if self.pool.epoch() == lost {
            let idle = self.pool.begin_epoch();
            // All of them must be closed before the new login: it ends with the last one.
            drop(idle);
            login.keeper = None;
        }
        match login.pin.clone() {
            Some(pin) if login.keeper.is_none() => self.try_pin(&mut login, pin),
            _ => Ok(()),
        }
    }

    /// Runs `body` in a session that may write, for work that must not be done twice.
    pub(crate) fn with_writer<T>(
        &self,
        body: impl FnOnce(&Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.log_in_again()?;
        let session = self.module.pkcs11.open_rw_session(self.slot);
        body(&session.map_err(Error::of("C_OpenSession"))?)
    }
}
