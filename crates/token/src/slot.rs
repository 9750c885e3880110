//! A slot, which always has its token in it: who is logged in, and what is on the token.

mod objects;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use cryptoki_sys::*;

pub(crate) use self::objects::{Object, Objects, Place};
use crate::{
    pins::{self, Policy},
    rv::{Result, Rv, ensure, fail},
    store::{Guard, Role, Store, StoreKeys, TokenFile},
};

/// Most sessions that are open at once.
pub(crate) const MAX_SESSIONS: usize = 4096;

#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) store: Store,
    state: Mutex<State>,
    /// Counts logouts: an operation of an earlier login is none.
    epoch: AtomicU64,
}

/// What all sessions with the token share.
#[derive(Default, Debug)]
pub(crate) struct State {
    /// The token as it was last read; `None` before the first session.
    token: Option<TokenFile>,
    login: Option<Login>,
    /// Open sessions, and whether each may write.
    sessions: BTreeMap<CK_SESSION_HANDLE, bool>,
    pub(crate) objects: Objects,
}

struct Login {
    role: Role,
    keys: StoreKeys,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({:?})", self.role)
    }
}

impl State {
    pub(crate) fn role(&self) -> Option<Role> {
        self.login.as_ref().map(|login| login.role)
    }

    /// Whether objects with this value of CKA_PRIVATE are there for whoever is logged in.
    pub(crate) fn sees(&self, private: bool) -> bool {
        !private || self.role() == Some(Role::User)
    }

    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.sessions.len(), self.sessions.values().filter(|writable| **writable).count())
    }

    pub(crate) fn is_open(&self, session: CK_SESSION_HANDLE) -> bool {
        self.sessions.contains_key(&session)
    }

    /// The token and its keys, which writing objects takes.
    pub(crate) fn writer(&self) -> Result<(&TokenFile, &StoreKeys)> {
        match (&self.token, &self.login) {
            (Some(token), Some(login)) => Ok((token, &login.keys)),
            _ => fail(CKR_USER_NOT_LOGGED_IN),
        }
    }
}

impl Slot {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { store: Store::new(dir), state: Mutex::default(), epoch: AtomicU64::new(0) }
    }

    pub(crate) fn state(&self) -> Result<MutexGuard<'_, State>> {
        // A call that panicked may have left a half-made change.
        self.state.lock().map_err(|_| Rv(CKR_GENERAL_ERROR))
    }

    /// What is on the disk about the token.
    pub(crate) fn token(&self) -> Result<TokenFile> {
        self.store.token()?.ok_or(Rv(CKR_TOKEN_NOT_RECOGNIZED))
    }

    /// Which login this is.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Nobody is logged in any more, and what began under the login is over.
    fn end_login(&self, state: &mut State) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        state.login = None;
        state.objects.drop_private();
    }

    /// Looks at the disk again, if another process or session has changed something there.
    pub(crate) fn refresh(&self, state: &mut State) -> Result {
        let change = self.store.change()?;
        if state.objects.has_seen(&change) {
            return Ok(());
        }
        let guard = self.store.lock()?;
        let change = self.store.change()?;
        let token = self.token()?;
        if state.token.as_ref().is_some_and(|old| old.serial() != token.serial()) {
            // Another token is in the slot now.
            self.end_login(state);
            state.objects.clear_token();
        }
        let login = state.login.as_ref().map(|login| (login.role, &login.keys));
        state.objects.load(&self.store, &token, login, change)?;
        state.token = Some(token);
        drop(guard);
        Ok(())
    }

    /// C_InitToken. `pin` is the old PIN of the security officer where there is a token already.
    pub(crate) fn initialise(&self, pin: &[u8], label: [u8; 32]) -> Result {
        // The PINs' lock always comes before the state's: who tries a PIN holds it for long.
        let pins = self.store.lock_pins()?;
        let mut state = self.state()?;
        ensure(state.sessions.is_empty(), CKR_SESSION_EXISTS)?;
        let policy = match self.store.token()? {
            Some(old) => {
                self.try_pin(&pins, Role::Officer, pin)?;
                old.policy()?
            }
            None => Policy::from_environment().ok_or(Rv(CKR_ARGUMENTS_BAD))?,
        };
        let token = TokenFile::create(label, pin, policy)?;
        let guard = self.store.lock()?;
        self.store.initialise(&guard, &token)?;
        *state = State::default();
        Ok(())
    }

    /// Tries a PIN. The try is on the disk before it is made, and comes off if the PIN was right.
    /// Nobody else tries one meanwhile; objects are not locked while the key is derived, which
    /// takes its time.
    fn try_pin(&self, _: &Guard, role: Role, pin: &[u8]) -> Result<(TokenFile, StoreKeys)> {
        let mut token = self.token()?;
        ensure(pins::has_length(pin), CKR_PIN_INCORRECT)?;
        token.begin_try(role)?;
        self.store.write_token(&self.store.lock()?, &token)?;
        let keys = token.unlock(role, pin)?;
        token.forgive(role);
        self.store.write_token(&self.store.lock()?, &token)?;
        Ok((token, keys))
    }

    /// C_Login in a session, which must be open still when the PIN turns out right.
    pub(crate) fn log_in(&self, session: CK_SESSION_HANDLE, role: Role, pin: &[u8]) -> Result {
        let pins = self.store.lock_pins()?;
        check_login(&*self.state()?, role)?;
        let (token, keys) = self.try_pin(&pins, role, pin)?;
        let mut state = self.state()?;
        check_login(&state, role)?;
        ensure(state.is_open(session), CKR_SESSION_HANDLE_INVALID)?;
        state.token = Some(token);
        state.login = Some(Login { role, keys });
        state.objects.forget_change();
        let loaded = self.refresh(&mut state);
        if loaded.is_err() {
            self.end_login(&mut state);
        }
        loaded
    }

    /// The user's PIN once more, for one use of a key that always asks.
    pub(crate) fn log_in_again(&self, pin: &[u8]) -> Result {
        ensure(self.state()?.role() == Some(Role::User), CKR_USER_NOT_LOGGED_IN)?;
        let pins = self.store.lock_pins()?;
        self.try_pin(&pins, Role::User, pin).map(|_| ())
    }

    pub(crate) fn log_out(&self) -> Result {
        let mut state = self.state()?;
        ensure(state.login.is_some(), CKR_USER_NOT_LOGGED_IN)?;
        self.end_login(&mut state);
        Ok(())
    }

    /// C_InitPIN, for the security officer.
    pub(crate) fn set_user_pin(&self, pin: &[u8]) -> Result {
        let _pins = self.store.lock_pins()?;
        let state = self.state()?;
        let login = state.login.as_ref().filter(|login| login.role == Role::Officer);
        let login = login.ok_or(Rv(CKR_USER_NOT_LOGGED_IN))?;
        let mut token = self.token()?;
        // Another token may be in the slot by now, with keys of its own.
        let same = state.token.as_ref().is_some_and(|known| known.serial() == token.serial());
        ensure(same, CKR_TOKEN_NOT_RECOGNIZED)?;
        token.set_pin(Role::User, &login.keys, pin)?;
        self.store.write_token(&self.store.lock()?, &token)
    }

    /// C_SetPIN, for whoever is logged in, or the user.
    pub(crate) fn change_pin(&self, old: &[u8], new: &[u8]) -> Result {
        ensure(pins::has_length(new), CKR_PIN_LEN_RANGE)?;
        let role = self.state()?.role().unwrap_or(Role::User);
        let pins = self.store.lock_pins()?;
        let (mut token, keys) = self.try_pin(&pins, role, old)?;
        token.set_pin(role, &keys, new)?;
        self.store.write_token(&self.store.lock()?, &token)
    }

    pub(crate) fn open_session(&self, session: CK_SESSION_HANDLE, writable: bool) -> Result {
        self.token()?;
        let mut state = self.state()?;
        ensure(state.sessions.len() < MAX_SESSIONS, CKR_SESSION_COUNT)?;
        let officer = state.role() == Some(Role::Officer);
        ensure(writable || !officer, CKR_SESSION_READ_WRITE_SO_EXISTS)?;
        state.sessions.insert(session, writable);
        Ok(())
    }

    /// The last session that closes logs out.
    pub(crate) fn close_session(&self, session: CK_SESSION_HANDLE) -> Result {
        let mut state = self.state()?;
        state.sessions.remove(&session);
        state.objects.drop_session(session);
        if state.sessions.is_empty() {
            self.end_login(&mut state);
        }
        Ok(())
    }
}

/// Whether this role can log in now.
fn check_login(state: &State, role: Role) -> Result {
    match state.role() {
        Some(other) if other == role => fail(CKR_USER_ALREADY_LOGGED_IN),
        Some(_) => fail(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
        None if role == Role::Officer => {
            let all_write = state.sessions.values().all(|writable| *writable);
            ensure(all_write, CKR_SESSION_READ_ONLY_EXISTS)
        }
        None => Ok(()),
    }
}
