//! Objects by handle, as the sessions with a token see them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use cryptoki_sys::*;

use crate::{
    attributes::Attributes,
    ops::Key,
    rules,
    rv::{Result, Rv},
    store::{Name, Role, Stamp, Store, StoreKeys, TokenFile},
};

/// An object. It never changes: a changed one is another one in its place.
pub(crate) struct Object {
    pub(crate) attributes: Attributes,
    key: OnceLock<Result<Arc<Key>>>,
}

impl Object {
    pub(crate) fn new(attributes: Attributes) -> Arc<Self> {
        Arc::new(Self { attributes, key: OnceLock::new() })
    }

    /// The key, read once.
    pub(crate) fn key(&self) -> Result<Arc<Key>> {
        self.key.get_or_init(|| Key::from_attributes(&self.attributes).map(Arc::new)).clone()
    }

    pub(crate) fn is_private(&self) -> bool {
        self.attributes.flag(CKA_PRIVATE)
    }
}

/// Where an object lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// As long as this session.
    Session(CK_SESSION_HANDLE),
    /// On the token.
    Token(Name),
}

#[derive(Default)]
pub(crate) struct Objects {
    by_handle: BTreeMap<CK_OBJECT_HANDLE, (Place, Arc<Object>)>,
    /// Of what is on the token: an object keeps its handle as long as it exists.
    known: HashMap<Name, (CK_OBJECT_HANDLE, Stamp)>,
    change: Option<Vec<u8>>,
    next: CK_OBJECT_HANDLE,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Objects({})", self.by_handle.len())
    }
}

impl Objects {
    pub(crate) fn get(&self, handle: CK_OBJECT_HANDLE) -> Option<&(Place, Arc<Object>)> {
        self.by_handle.get(&handle)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (CK_OBJECT_HANDLE, &Arc<Object>)> {
        self.by_handle.iter().map(|(handle, (_, object))| (*handle, object))
    }

    pub(crate) fn insert(&mut self, place: Place, object: Arc<Object>) -> CK_OBJECT_HANDLE {
        self.next += 1;
        self.by_handle.insert(self.next, (place, object));
        self.next
    }

    pub(crate) fn replace(&mut self, handle: CK_OBJECT_HANDLE, object: Arc<Object>) {
        if let Some(entry) = self.by_handle.get_mut(&handle) {
            entry.1 = object;
        }
    }

    pub(crate) fn remove(&mut self, handle: CK_OBJECT_HANDLE) {
        if let Some((Place::Token(name), _)) = self.by_handle.remove(&handle) {
            self.known.remove(&name);
        }
    }

    /// Remembers where on the disk an object with a handle lies.
    pub(crate) fn know(&mut self, name: Name, handle: CK_OBJECT_HANDLE, stamp: Stamp) {
        self.known.insert(name, (handle, stamp));
    }

    pub(crate) fn has_seen(&self, change: &[u8]) -> bool {
        self.change.as_deref() == Some(change)
    }

    /// The disk will be looked at again.
    pub(crate) fn forget_change(&mut self) {
        self.change = None;
    }

    pub(crate) fn drop_private(&mut self) {
        self.keep(|place, object| match place {
            Place::Token(_) => !rules::is_sealed(&object.attributes),
            Place::Session(_) => !object.is_private(),
        });
        self.change = None;
    }

    pub(crate) fn drop_session(&mut self, session: CK_SESSION_HANDLE) {
        self.keep(|place, _| place != Place::Session(session));
    }

    pub(crate) fn clear_token(&mut self) {
        self.keep(|place, _| matches!(place, Place::Session(_)));
        self.change = None;
    }

    fn keep(&mut self, wanted: impl Fn(Place, &Object) -> bool) {
        self.by_handle.retain(|_, (place, object)| wanted(*place, object));
        self.known.retain(|_, (handle, _)| self.by_handle.contains_key(handle));
    }

    /// Brings the token's objects up to date with the disk. A file that this token did not write,
    /// or that was changed, is an error: an object must not vanish without a word.
    pub(crate) fn load(
        &mut self,
        store: &Store,
        token: &TokenFile,
        login: Option<(Role, &StoreKeys)>,
        change: Vec<u8>,
    ) -> Result {
        let found = store.list(token)?;
        let gone = self.known.keys().filter(|name| !found.contains_key(name)).copied();
        for name in gone.collect::<Vec<_>>() {
            let (handle, _) = self.known.remove(&name).ok_or(Rv(CKR_GENERAL_ERROR))?;
            self.by_handle.remove(&handle);
        }
        for (name, stamp) in found {
            let known = self.known.get(&name).copied();
            if known.is_some_and(|(_, old)| old == stamp) {
                continue;
            }
            let keys = login.map(|(_, keys)| keys);
            let Some(attributes) = store.read_object(token, keys, name)? else { continue };
            // The officer has the keys, and nothing of the user's.
            if attributes.flag(CKA_PRIVATE) && login.is_some_and(|(role, _)| role != Role::User) {
                continue;
            }
            let object = Object::new(attributes);
            let handle = match known {
                Some((handle, _)) => {
                    self.replace(handle, object);
                    handle
                }
                None => self.insert(Place::Token(name), object),
            };
            self.known.insert(name, (handle, stamp));
        }
        self.change = Some(change);
        Ok(())
    }
}
