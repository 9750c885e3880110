//! Sessions, and the operations under way in them.

mod ciphers;
mod keys;
mod objects;
mod signatures;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, RwLock},
};

use cryptoki_sys::*;
use zeroize::Zeroizing;

pub(crate) use self::objects::Value;
use crate::{
    codes::Algorithm,
    mechanism::Mechanism,
    module::Module,
    ops::{Hasher, Signing, Stream, Verifying},
    rv::{Result, Rv, ensure},
    slot::{Object, Slot},
    store::Role,
};

/// What a call gives back that may be asked for its length first (PKCS#11 2.40, 5.2).
pub(crate) enum Answer {
    /// Only the length was asked: at most this many bytes.
    Length(usize),
    /// The caller's buffer is too short for this many.
    TooShort(usize),
    /// Done.
    Bytes(Zeroizing<Vec<u8>>),
}

impl Answer {
    /// Whether the caller's room, where there is one, holds `needed` bytes.
    fn without_room(needed: usize, room: Option<usize>) -> Option<Self> {
        match room {
            // Never 0: a caller that believes there is nothing to fetch does not call again, and what
            // came in would not be processed, nor a tag be checked.
            None => Some(Self::Length(needed.max(1))),
            Some(room) if room < needed => Some(Self::TooShort(needed)),
            Some(_) => None,
        }
    }
}

/// An operation, with what has happened to it so far.
struct Under<T> {
    operation: T,
    /// Some pieces have come in: it cannot be ended by a call that takes a whole message.
    pieces: bool,
    /// The key wants the PIN before this one use.
    asks_pin: bool,
    /// The login under which it began.
    epoch: u64,
}

/// At most one operation of each kind.
#[derive(Default)]
struct Operations {
    find: Option<Vec<CK_OBJECT_HANDLE>>,
    encrypt: Option<Under<Box<dyn Stream>>>,
    decrypt: Option<Under<Box<dyn Stream>>>,
    digest: Option<Under<Hasher>>,
    sign: Option<Under<Signing>>,
    verify: Option<Under<Verifying>>,
    /// Which operation began last with a key that asks for the PIN.
    asking: Option<Asking>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    Sign,
    Decrypt,
}

struct Session {
    slot: CK_SLOT_ID,
    writable: bool,
    operations: Mutex<Operations>,
}

/// The open sessions of a module.
#[derive(Default)]
pub(crate) struct Sessions(RwLock<HashMap<CK_SESSION_HANDLE, Arc<Session>>>);

impl Sessions {
    fn get(&self, handle: CK_SESSION_HANDLE) -> Result<Arc<Session>> {
        let sessions = self.0.read().map_err(|_| Rv(CKR_GENERAL_ERROR))?;
        sessions.get(&handle).cloned().ok_or(Rv(CKR_SESSION_HANDLE_INVALID))
    }
}

/// A session in a call.
pub(crate) struct Call<'m> {
    module: &'m Module,
    handle: CK_SESSION_HANDLE,
    session: Arc<Session>,
    pub(crate) slot: &'m Slot,
}

/// What C_GetSessionInfo tells.
pub(crate) struct Info {
    pub(crate) slot: CK_SLOT_ID,
    pub(crate) state: CK_STATE,
    pub(crate) writable: bool,
}

impl Module {
    pub(crate) fn open_session(
        &self,
        slot_id: CK_SLOT_ID,
        writable: bool,
    ) -> Result<CK_SESSION_HANDLE> {
        #[cfg(feature = "lab")]
        crate::lab::fault(Some(slot_id), || self.close_all_sessions(slot_id))?;
        let handle = self.new_handle();
        let slot = self.slot(slot_id)?;
        slot.open_session(handle, writable)?;
        let session = Session { slot: slot_id, writable, operations: Mutex::default() };
        let mut sessions = self.sessions.0.write().map_err(|_| Rv(CKR_GENERAL_ERROR))?;
        sessions.insert(handle, Arc::new(session));
        Ok(handle)
    }

    pub(crate) fn close_session(&self, handle: CK_SESSION_HANDLE) -> Result {
        let mut sessions = self.sessions.0.write().map_err(|_| Rv(CKR_GENERAL_ERROR))?;
        let session = sessions.remove(&handle).ok_or(Rv(CKR_SESSION_HANDLE_INVALID))?;
        drop(sessions);
        self.slot(session.slot)?.close_session(handle)
    }

    pub(crate) fn close_all_sessions(&self, slot: CK_SLOT_ID) -> Result {
        self.slot(slot)?;
        let sessions = self.sessions.0.read().map_err(|_| Rv(CKR_GENERAL_ERROR))?;
        let of_slot = sessions.iter().filter(|(_, session)| session.slot == slot);
        let handles: Vec<_> = of_slot.map(|(handle, _)| *handle).collect();
        drop(sessions);
        for handle in handles {
            match self.close_session(handle) {
                // Another thread was faster.
                Ok(()) | Err(Rv(CKR_SESSION_HANDLE_INVALID)) => {}
                error => return error,
            }
        }
        Ok(())
    }

    /// The device is gone, and every session with it.
    #[cfg(feature = "lab")]
    pub(crate) fn lose_sessions(&self) -> Result {
        (0..self.slots().len() as CK_SLOT_ID).try_for_each(|slot| self.close_all_sessions(slot))
    }

    pub(crate) fn call(&self, handle: CK_SESSION_HANDLE) -> Result<Call<'_>> {
        let session = self.sessions.get(handle)?;
        #[cfg(feature = "lab")]
        crate::lab::fault(Some(session.slot), || self.close_all_sessions(session.slot))?;
        let slot = self.slot(session.slot)?;
        Ok(Call { module: self, handle, session, slot })
    }

    /// Ends every operation of the token's sessions: the keys behind them are locked again.
    fn stop_operations(&self, slot: CK_SLOT_ID) -> Result {
        let sessions = self.sessions.0.read().map_err(|_| Rv(CKR_GENERAL_ERROR))?;
        let of_slot: Vec<_> =
            sessions.values().filter(|session| session.slot == slot).cloned().collect();
        drop(sessions);
        for session in of_slot {
            *session.operations()? = Operations::default();
        }
        Ok(())
    }
}

impl Session {
    fn operations(&self) -> Result<MutexGuard<'_, Operations>> {
        self.operations.lock().map_err(|_| Rv(CKR_GENERAL_ERROR))
    }
}

impl Call<'_> {
    pub(crate) fn info(&self) -> Result<Info> {
        let role = self.slot.state()?.role();
        let state = match (role, self.session.writable) {
            (None, false) => CKS_RO_PUBLIC_SESSION,
            (None, true) => CKS_RW_PUBLIC_SESSION,
            (Some(Role::User), false) => CKS_RO_USER_FUNCTIONS,
            (Some(Role::User), true) => CKS_RW_USER_FUNCTIONS,
            (Some(Role::Officer), _) => CKS_RW_SO_FUNCTIONS,
        };
        Ok(Info { slot: self.session.slot, state, writable: self.session.writable })
    }

    pub(crate) fn log_in(&self, user: CK_USER_TYPE, pin: &[u8]) -> Result {
        match user {
            CKU_SO => self.slot.log_in(self.handle, Role::Officer, pin),
            CKU_USER => self.slot.log_in(self.handle, Role::User, pin),
            CKU_CONTEXT_SPECIFIC => self.log_in_for_one_use(pin),
            _ => Err(Rv(CKR_USER_TYPE_INVALID)),
        }
    }

    fn log_in_for_one_use(&self, pin: &[u8]) -> Result {
        let mut operations = self.session.operations()?;
        // One PIN is for one use, of the key whose operation began last.
        let asks = match operations.asking {
            Some(Asking::Sign) => operations.sign.as_mut().map(|under| &mut under.asks_pin),
            Some(Asking::Decrypt) => operations.decrypt.as_mut().map(|under| &mut under.asks_pin),
            None => None,
        };
        let asks = asks.filter(|asks| **asks).ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))?;
        self.slot.log_in_again(pin)?;
        *asks = false;
        Ok(())
    }

    pub(crate) fn log_out(&self) -> Result {
        self.slot.log_out()?;
        self.module.stop_operations(self.session.slot)
    }

    pub(crate) fn set_user_pin(&self, pin: &[u8]) -> Result {
        ensure(self.session.writable, CKR_SESSION_READ_ONLY)?;
        self.slot.set_user_pin(pin)
    }

    pub(crate) fn change_pin(&self, old: &[u8], new: &[u8]) -> Result {
        ensure(self.session.writable, CKR_SESSION_READ_ONLY)?;
        self.slot.change_pin(old, new)
    }

    /// C_SessionCancel: ends the operations that the flags name.
    pub(crate) fn cancel(&self, flags: CK_FLAGS) -> Result {
        let mut operations = self.session.operations()?;
        if flags & CKF_FIND_OBJECTS != 0 {
            operations.find = None;
        }
        if flags & CKF_ENCRYPT != 0 {
            operations.encrypt = None;
        }
        if flags & CKF_DECRYPT != 0 {
            operations.decrypt = None;
        }
        if flags & CKF_DIGEST != 0 {
            operations.digest = None;
        }
        if flags & CKF_SIGN != 0 {
            operations.sign = None;
        }
        if flags & CKF_VERIFY != 0 {
            operations.verify = None;
        }
        Ok(())
    }

    /// A key that may do this, with this mechanism.
    fn usable_key(
        &self,
        handle: CK_OBJECT_HANDLE,
        mechanism: &Mechanism,
        usage: (CK_ATTRIBUTE_TYPE, CK_FLAGS),
    ) -> Result<Arc<Object>> {
        let (attribute, flag) = usage;
        ensure(mechanism.offer.flags & flag != 0, CKR_MECHANISM_INVALID)?;
        let object = self.visible(handle).map_err(|error| match error {
            Rv(CKR_OBJECT_HANDLE_INVALID) => Rv(CKR_KEY_HANDLE_INVALID),
            error => error,
        })?;
        let attributes = &object.attributes;
        let class = attributes.class().ok_or(Rv(CKR_KEY_HANDLE_INVALID))?;
        let is_key = matches!(class, CKO_PUBLIC_KEY | CKO_PRIVATE_KEY | CKO_SECRET_KEY);
        ensure(is_key, CKR_KEY_HANDLE_INVALID)?;
        ensure(attributes.get(attribute).is_some(), CKR_KEY_TYPE_INCONSISTENT)?;
        ensure(attributes.flag(attribute), CKR_KEY_FUNCTION_NOT_PERMITTED)?;
        if let Some(allowed) = attributes.get(CKA_ALLOWED_MECHANISMS) {
            let code = mechanism.offer.code.to_ne_bytes();
            let listed = allowed.chunks_exact(code.len()).any(|entry| entry == code);
            ensure(listed, CKR_MECHANISM_INVALID)?;
        }
        Ok(object)
    }

    /// An object that whoever is logged in can see, as it is now: another process may have changed
    /// or destroyed it.
    fn visible(&self, handle: CK_OBJECT_HANDLE) -> Result<Arc<Object>> {
        let mut state = self.slot.state()?;
        self.slot.refresh(&mut state)?;
        let (_, object) = state.objects.get(handle).ok_or(Rv(CKR_OBJECT_HANDLE_INVALID))?;
        ensure(state.sees(object.is_private()), CKR_OBJECT_HANDLE_INVALID)?;
        Ok(Arc::clone(object))
    }

    pub(crate) fn start_digest(&self, mechanism: &Mechanism) -> Result {
        let Algorithm::Digest(hash) = mechanism.algorithm() else {
            return Err(Rv(CKR_MECHANISM_INVALID));
        };
        mechanism.without_parameter()?;
        let mut operations = self.session.operations()?;
        ensure(operations.digest.is_none(), CKR_OPERATION_ACTIVE)?;
        operations.digest = Some(Under::new(Hasher::new(hash)));
        Ok(())
    }

    /// C_Digest with `input`, C_DigestFinal without.
    pub(crate) fn digest(&self, input: Option<&[u8]>, room: Option<usize>) -> Result<Answer> {
        let mut operations = self.session.operations()?;
        let under = operations.digest.as_ref().ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))?;
        ensure(input.is_none() || !under.pieces, CKR_OPERATION_ACTIVE)?;
        if let Some(answer) = Answer::without_room(under.operation.len(), room) {
            return Ok(answer);
        }
        let Some(Under { operation: mut hash, .. }) = operations.digest.take() else {
            return Err(Rv(CKR_OPERATION_NOT_INITIALIZED));
        };
        hash.update(input.unwrap_or_default());
        Ok(Answer::Bytes(Zeroizing::new(hash.finish())))
    }

    pub(crate) fn digest_update(&self, piece: &[u8]) -> Result {
        let mut operations = self.session.operations()?;
        let under = operations.digest.as_mut().ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))?;
        under.pieces = true;
        under.operation.update(piece);
        Ok(())
    }
}

impl<T> Under<T> {
    fn new(operation: T) -> Self {
        Self { operation, pieces: false, asks_pin: false, epoch: 0 }
    }

    /// An operation with a key, which may ask for the PIN, and ends with the login.
    fn with_key(operation: T, key: &Object, epoch: u64) -> Self {
        let asks_pin = key.attributes.flag(CKA_ALWAYS_AUTHENTICATE);
        Self { operation, pieces: false, asks_pin, epoch }
    }
}

/// The operation that is under way. One whose login is over is no more.
fn live<T>(place: &mut Option<Under<T>>, epoch: u64) -> Result<&mut Under<T>> {
    if place.as_ref().is_some_and(|under| under.epoch != epoch) {
        *place = None;
    }
    place.as_mut().ok_or(Rv(CKR_OPERATION_NOT_INITIALIZED))
}
