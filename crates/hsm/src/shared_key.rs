//! Several devices that hold the same key, as one key: when one goes, the others sign.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use gmkit_keys::{PrivateKey, SigningContext, hazmat::SignE};
use gmkit_sm2::{Ciphertext, Id, PublicKey, Signature};
use zeroize::Zeroizing;

use crate::{
    Checks, DeviceKey, Error, KeyName, Token,
    gathered::{End, Gathered, Signing},
    workers::NoResult,
};

/// How long a call may take before its device is taken out.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long a device that was taken out may take to log in and sign: nobody waits for that.
const TRIAL: Duration = Duration::from_secs(30);

/// How soon a device that was taken out is tried again, and how long it comes to take.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A key that several tokens hold: signatures come from one after the other. A device that fails or
/// does not answer in time is taken out, and the request goes to the next one: signing and
/// decrypting twice does no harm. A thread tries the lost one until it signs again.
pub struct SharedKey {
    inner: Arc<Inner>,
}

struct Inner {
    public: PublicKey,
    members: Vec<Arc<Member>>,
    next: AtomicUsize,
    deadline: Duration,
    checks: Checks,
    /// Whether all that were opened at first sign a bare e: what the key says it can do stays.
    signs_e: bool,
    any_id: bool,
}

/// One device.
struct Member {
    token: Arc<Token>,
    name: KeyName,
    /// Its key, once it could be opened.
    key: OnceLock<DeviceKey>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    /// Taken out, and being tried.
    Down,
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.inner.members.iter().map(|member| &member.token)).finish()
    }
}

impl SharedKey {
    /// Opens the key with this name on each token. Those that cannot be opened now are tried again
    /// later; one at least must.
    ///
    /// # Errors
    /// What the last token says, if none can be opened; [`Error::Ambiguous`] if two hold different
    /// keys under this name, [`Error::NotFound`] without tokens.
    pub fn open(tokens: &[Arc<Token>], name: &KeyName) -> Result<Self, Error> {
        Self::open_with(tokens, name, Checks::default())
    }

    /// The same, with fewer checks of what the devices sign.
    ///
    /// # Errors
    /// As [`SharedKey::open`]; [`Error::Unsupported`] for [`Checks::AtSigning`].
    pub fn open_with(tokens: &[Arc<Token>], name: &KeyName, checks: Checks) -> Result<Self, Error> {
        let mut last = Error::NotFound { what: "token" };
        let mut members = Vec::new();
        let mut public = None;
        for token in tokens {
            let member = Member {
                token: Arc::clone(token),
                name: name.clone(),
                key: OnceLock::new(),
                state: Mutex::new(State::Up),
            };
            match DeviceKey::open_with(token, name.clone(), checks) {
                Ok(key) => {
                    if public.replace(*key.public_key()).is_some_and(|p| p != *key.public_key()) {
                        return Err(Error::Ambiguous { what: "private key" });
                    }
                    // The cell is new.
                    let _ = member.key.set(key);
                }
                Err(error) => {
                    tracing::warn!(%error, token = token.label(), "a device cannot be opened yet");
                    *member.lock() = State::Down;
                    last = error;
                }
            }
            members.push(Arc::new(member));
        }
        let public = public.ok_or(last)?;
        let opened = || members.iter().filter_map(|member: &Arc<Member>| member.key.get());
        let (signs_e, any_id) =
            (opened().all(|key| key.as_sign_e().is_some()), opened().all(DeviceKey::takes_any_id));
        let next = AtomicUsize::new(0);
        let inner =
            Arc::new(Inner { public, members, next, deadline: DEADLINE, checks, signs_e, any_id });
        for member in &inner.members {
            if *member.lock() == State::Down {
                watch(&inner, member);
            }
        }
        Ok(Self { inner })
    }

    /// Takes another deadline for a call than 5 seconds.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a key that is in use already.
    pub fn with_deadline(mut self, deadline: Duration) -> Result<Self, Error> {
        let inner = Arc::get_mut(&mut self.inner);
        let inner = inner.ok_or(Error::Unsupported { operation: "change a key that is in use" })?;
        inner.deadline = deadline;
        Ok(self)
    }

    /// How many devices sign at present, and how many there are.
    #[must_use]
    pub fn devices(&self) -> (usize, usize) {
        let up = self.inner.members.iter().filter(|member| *member.lock() == State::Up).count();
        (up, self.inner.members.len())
    }

    /// Runs `call` on one device after the other until one of them does it. What is the device's
    /// fault takes it out; what may be the request's does not.
    fn run<T: Send + 'static>(
        &self,
        call: impl Fn(&DeviceKey) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<T, gmkit_keys::Error> {
        let inner = &self.inner;
        let call = Arc::new(call);
        let first = inner.next.fetch_add(1, Ordering::Relaxed);
        let mut last = Error::Device { function: "all devices", code: "are taken out".to_owned() };
        for n in 0..inner.members.len() {
            let member = &inner.members[first.wrapping_add(n) % inner.members.len()];
            if *member.lock() == State::Down {
                continue;
            }
            let (target, job) = (Arc::clone(member), Arc::clone(&call));
            let done = member.token.workers.run(inner.deadline, move || {
                target.key.get().map_or(Err(Error::Busy), |key| job(key))
            });
            let (error, lost) = match done {
                Ok(Ok(value)) => return Ok(value),
                // The request is at fault, or the key cannot do it, on any device.
                Ok(Err(error @ Error::Key(_))) => return Err(error.into()),
                Ok(Err(error)) => {
                    let lost = error.is_of_session()
                        || matches!(error, Error::NothingVerifies | Error::NotFound { .. });
                    (error, lost)
                }
                Err(NoResult::Hangs) => {
                    let code = "does not answer in time".to_owned();
                    (Error::Device { function: "the device", code }, true)
                }
                Err(NoResult::Busy) => (Error::Busy, false),
            };
            if lost {
                tracing::warn!(%error, token = member.token.label(), "device taken out");
                take_out(inner, member);
            }
            last = error;
        }
        Err(last.into())
    }
}

impl Member {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the device signs, by the fixed text of the first use, in a new connection.
    fn is_well(&self, inner: &Promise) -> Result<(), Error> {
        self.token.reconnect()?;
        let key = DeviceKey::open_with(&self.token, self.name.clone(), inner.checks)?;
        if *key.public_key() != inner.public {
            return Err(Error::NotFound { what: "private key" });
        }
        let kept =
            (!inner.signs_e || key.as_sign_e().is_some()) && (!inner.any_id || key.takes_any_id());
        if !kept {
            return Err(Error::Unsupported { operation: "sign as the others do" });
        }
        // One that was opened before stays: its handle is of an earlier epoch, and looked up anew.
        let _ = self.key.set(key);
        Ok(())
    }
}

/// What a device that comes back must be and do.
#[derive(Clone, Copy)]
struct Promise {
    public: PublicKey,
    checks: Checks,
    signs_e: bool,
    any_id: bool,
}

fn take_out(inner: &Arc<Inner>, member: &Arc<Member>) {
    let mut state = member.lock();
    if *state == State::Up {
        *state = State::Down;
        watch(inner, member);
    }
}

/// Tries a device until it signs again, or the key is dropped.
fn watch(inner: &Arc<Inner>, member: &Arc<Member>) {
    let (inner, member) = (Arc::downgrade(inner), Arc::clone(member));
    let watcher = move || {
        let mut pause = FIRST_PAUSE;
        while let Some(promise) = still_wanted(&inner) {
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
            // A call that hangs is left alone until it returns: more would hang too.
            if member.token.workers.are_busy() {
                continue;
            }
            let target = Arc::clone(&member);
            let tried = member.token.workers.run(TRIAL, move || target.is_well(&promise));
            match tried {
                Ok(Ok(())) => {
                    *member.lock() = State::Up;
                    tracing::info!(token = member.token.label(), "device is back");
                    return;
                }
                Ok(Err(error)) => tracing::debug!(%error, "device is not back yet"),
                Err(reason) => tracing::debug!(?reason, "device is not back yet"),
            }
        }
    };
    // Without a thread the device stays out: the others sign.
    if let Err(error) = thread::Builder::new().name("gmkit-hsm-watch".to_owned()).spawn(watcher) {
        tracing::warn!(%error, "no thread to try the device again");
    }
}

fn still_wanted(inner: &Weak<Inner>) -> Option<Promise> {
    let inner = inner.upgrade()?;
    let Inner { public, checks, signs_e, any_id, .. } = *inner;
    Some(Promise { public, checks, signs_e, any_id })
}

impl PrivateKey for SharedKey {
    fn public_key(&self) -> &PublicKey {
        &self.inner.public
    }

    fn start_signing(&self, id: Id<'_>) -> Result<Box<dyn SigningContext + '_>, gmkit_keys::Error> {
        if id != Id::DEFAULT && !self.inner.any_id {
            let operation = "sign under another ID than the default one";
            return Err(gmkit_keys::Error::Unsupported { operation });
        }
        let gathered = Gathered::new(&self.inner.public, id, self.inner.signs_e);
        let finish = |end: End| self.run(move |key| end.sign_with(key));
        Ok(Box::new(Signing { gathered, finish }))
    }

    fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, gmkit_keys::Error> {
        let ciphertext = ciphertext.clone();
        self.run(move |key| key.decrypt_ciphertext(&ciphertext))
    }

    fn as_sign_e(&self) -> Option<&dyn SignE> {
        self.inner.signs_e.then_some(self)
    }
}

impl SignE for SharedKey {
    fn sign_e(&self, e: &[u8; 32]) -> Result<Signature, gmkit_keys::Error> {
        let e = *e;
        self.run(move |key| key.sign_digest(&e))
    }
}
