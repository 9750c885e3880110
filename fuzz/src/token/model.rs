//! What the token should hold and say.

use std::collections::HashSet;

use cryptoki_sys::*;
use gmkit_keys::{SecretKey, SoftwareSecret};

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Hmac,
    Sm4,
}

impl Kind {
    pub(super) fn chosen(byte: u8) -> Self {
        [Self::Data, Self::Hmac, Self::Sm4][usize::from(byte % 3)]
    }

    /// A value that such an object can have.
    pub(super) fn value(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Data => bytes.to_vec(),
            Self::Hmac => [&[1], bytes].concat(),
            Self::Sm4 => {
                let mut key = bytes.to_vec();
                key.resize(16, 0x55);
                key
            }
        }
    }
}

/// The IV of all encryptions.
pub(super) const IV: [u8; 16] = [0x1f; 16];

pub(super) struct Object {
    pub(super) handle: CK_OBJECT_HANDLE,
    session: CK_SESSION_HANDLE,
    private: bool,
    pub(super) label: u8,
    kind: Kind,
    value: Vec<u8>,
}

/// An operation under way: its key, if it has one, and what has come in.
struct Under {
    key: Vec<u8>,
    message: Vec<u8>,
    /// How much of the result has gone out.
    given: usize,
}

pub(super) struct Session {
    pub(super) handle: CK_SESSION_HANDLE,
    writable: bool,
    digest: Option<Under>,
    sign: Option<Under>,
    encrypt: Option<Under>,
}

#[derive(Default)]
pub(super) struct Model {
    pub(super) sessions: Vec<Session>,
    pub(super) objects: Vec<Object>,
    /// Whether the user is logged in.
    pub(super) user: bool,
    /// Handles of objects that were given out: none comes twice.
    handles: HashSet<CK_OBJECT_HANDLE>,
}

/// What a step of an operation gives: nothing, or bytes.
pub(super) type Said = Result<Vec<u8>, CK_RV>;

impl Model {
    pub(super) fn is_new(&mut self, handle: CK_OBJECT_HANDLE) -> bool {
        handle != 0 && self.handles.insert(handle)
    }

    pub(super) fn open(&mut self, handle: CK_SESSION_HANDLE, writable: bool) {
        assert!(self.sessions.iter().all(|session| session.handle != handle));
        self.sessions.push(Session { handle, writable, digest: None, sign: None, encrypt: None });
    }

    pub(super) fn close(&mut self, place: usize) {
        let closed = self.sessions.remove(place).handle;
        self.objects.retain(|object| object.session != closed);
        self.user &= !self.sessions.is_empty();
    }

    pub(super) fn create(
        &mut self,
        handle: CK_OBJECT_HANDLE,
        session: CK_SESSION_HANDLE,
        private: bool,
        label: u8,
        kind: Kind,
        value: Vec<u8>,
    ) {
        self.objects.push(Object { handle, session, private, label, kind, value });
    }

    /// An object that can be seen now.
    pub(super) fn object(&self, handle: CK_OBJECT_HANDLE) -> Option<&Object> {
        let seen = |object: &&Object| object.handle == handle && (self.user || !object.private);
        self.objects.iter().find(seen)
    }

    /// Whether there was such an object; it goes if the session is one.
    pub(super) fn destroy(&mut self, handle: CK_OBJECT_HANDLE, may: bool) -> bool {
        let there = self.object(handle).is_some();
        if there && may {
            self.objects.retain(|object| object.handle != handle);
        }
        there
    }

    pub(super) fn labelled(&self, label: u8) -> Vec<CK_OBJECT_HANDLE> {
        let seen = self.objects.iter().filter(|object| self.user || !object.private);
        let mut found: Vec<_> =
            seen.filter(|object| object.label == label).map(|object| object.handle).collect();
        found.sort_unstable();
        found
    }

    /// Private objects of sessions go, and so does every operation.
    pub(super) fn log_out(&mut self) {
        self.user = false;
        self.objects.retain(|object| !object.private);
        for session in &mut self.sessions {
            (session.digest, session.sign, session.encrypt) = (None, None, None);
        }
    }

    pub(super) fn state(&self, place: usize) -> CK_STATE {
        match (self.user, self.sessions[place].writable) {
            (false, false) => CKS_RO_PUBLIC_SESSION,
            (false, true) => CKS_RW_PUBLIC_SESSION,
            (true, false) => CKS_RO_USER_FUNCTIONS,
            (true, true) => CKS_RW_USER_FUNCTIONS,
        }
    }

    pub(super) fn digest(&mut self, place: usize, what: u8, piece: &[u8], short: bool) -> Said {
        let finish = |under: &Under| gmkit_sm3::digest(&[&under.message]).to_vec();
        step(&mut self.sessions[place].digest, what, Ok(Vec::new()), piece, short, finish)
    }

    pub(super) fn sign(
        &mut self,
        place: usize,
        what: u8,
        key: CK_OBJECT_HANDLE,
        piece: &[u8],
        short: bool,
    ) -> Said {
        let key = self.key(key, Kind::Hmac);
        let finish = |under: &Under| {
            let key = SoftwareSecret::hmac_sm3(&under.key).expect("a key");
            let mut mac = key.start_mac().expect("a MAC key");
            mac.update(&under.message).expect("in memory");
            mac.finish().expect("in memory").to_vec()
        };
        step(&mut self.sessions[place].sign, what, key, piece, short, finish)
    }

    pub(super) fn encrypt(
        &mut self,
        place: usize,
        what: u8,
        key: CK_OBJECT_HANDLE,
        piece: &[u8],
    ) -> Said {
        let key = self.key(key, Kind::Sm4);
        let finish = |under: &Under| {
            let key = under.key.as_slice().try_into().expect("16 bytes");
            let all = gmkit_sm4::cbc::encrypt(key, &IV, &under.message);
            all[under.given..].to_vec()
        };
        let running = &mut self.sessions[place].encrypt;
        let said = step(running, what, key, piece, false, finish);
        match running {
            // Whole blocks come out at once.
            Some(under) if what == 1 && said.is_ok() => {
                let ready = under.message.len() / 16 * 16;
                let given = std::mem::replace(&mut under.given, ready);
                let key = under.key.as_slice().try_into().expect("16 bytes");
                Ok(gmkit_sm4::cbc::encrypt(key, &IV, &under.message)[given..ready].to_vec())
            }
            _ => said,
        }
    }

    /// A key of the right kind, that can be seen.
    fn key(&self, handle: CK_OBJECT_HANDLE, kind: Kind) -> Result<Vec<u8>, CK_RV> {
        match self.object(handle) {
            None => Err(CKR_KEY_HANDLE_INVALID),
            Some(object) if object.kind == Kind::Data => Err(CKR_KEY_HANDLE_INVALID),
            Some(object) if object.kind != kind => Err(CKR_KEY_TYPE_INCONSISTENT),
            Some(object) => Ok(object.value.clone()),
        }
    }
}

/// Begins (0), goes on (1) or ends (2) an operation. One whose answer does not fit stays.
fn step(
    running: &mut Option<Under>,
    what: u8,
    key: Result<Vec<u8>, CK_RV>,
    piece: &[u8],
    short: bool,
    finish: impl Fn(&Under) -> Vec<u8>,
) -> Said {
    match (what, running.as_mut()) {
        (0, Some(_)) => Err(CKR_OPERATION_ACTIVE),
        (0, None) => {
            *running = Some(Under { key: key?, message: Vec::new(), given: 0 });
            Ok(Vec::new())
        }
        (_, None) => Err(CKR_OPERATION_NOT_INITIALIZED),
        (1, Some(under)) => {
            under.message.extend_from_slice(piece);
            Ok(Vec::new())
        }
        (_, Some(_)) if short => Err(CKR_BUFFER_TOO_SMALL),
        (_, Some(under)) => {
            let result = finish(under);
            *running = None;
            Ok(result)
        }
    }
}
