//! Random sequences of calls to the software token, beside a model of what it should hold and say:
//! sessions, objects, logins, and operations in pieces, whose results are computed here too.

mod model;
mod table;

use std::sync::{Mutex, PoisonError};

use cryptoki_sys::*;

use self::{
    model::{Kind, Model},
    table::Table,
};

/// Most calls of one input, sessions and objects at a time.
const MOST_CALLS: usize = 200;
const MOST_SESSIONS: usize = 6;
const MOST_OBJECTS: usize = 12;

/// A handle of nothing.
const NOTHING: CK_ULONG = 0x00de_ad00;

/// The input, as choices.
struct Choices<'d>(&'d [u8]);

impl<'d> Choices<'d> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    fn bytes(&mut self, most: usize) -> &'d [u8] {
        let len = usize::from(self.byte()).min(most).min(self.0.len());
        self.0.split_off(..len).unwrap_or_default()
    }
}

/// A sequence of calls; whatever the token says is what the model says.
pub fn token_calls(data: &[u8]) {
    // One module in this process: one sequence at a time.
    static TABLE: Mutex<Option<Table>> = Mutex::new(None);
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    let table = table.get_or_insert_with(Table::with_a_token);
    let mut run = Run { table, model: Model::default(), choices: Choices(data) };
    for _ in 0..MOST_CALLS {
        if run.choices.0.is_empty() {
            break;
        }
        run.step();
    }
    table.close_all();
}

/// A sequence to begin with: two sessions, a login, one object of each kind, and then as it comes.
pub(crate) fn walk(n: u8) -> Vec<u8> {
    let mut calls = vec![0, 1, 0, 0, 7, 0];
    for kind in 0..3 {
        calls.extend([2, 0, n, kind, kind, 4, 1, 2, 3, 4]);
    }
    calls.extend([10, 0, 0, 1, 1, 0, 12, 0, 0, 2, 0]);
    for round in 0..6 {
        calls.extend(gmkit_sm3::digest(&[&[n, round]]));
    }
    calls
}

struct Run<'r> {
    table: &'r mut Table,
    model: Model,
    choices: Choices<'r>,
}

impl Run<'_> {
    fn step(&mut self) {
        match self.choices.byte() % 16 {
            0 => self.open(),
            1 => self.close(),
            2 | 3 => self.create(),
            4 => self.destroy(),
            5 => self.find(),
            6 => self.label(),
            7 => self.log_in(),
            8 => self.log_out(),
            9 => self.digest(),
            10 | 11 => self.sign(),
            12 | 13 => self.encrypt(),
            14 => self.state(),
            _ => self.garbage(),
        }
    }

    /// An open session by its place in the model, or a handle of nothing.
    fn session(&mut self) -> (Option<usize>, CK_SESSION_HANDLE) {
        let chosen = usize::from(self.choices.byte()) % (self.model.sessions.len() + 1);
        match self.model.sessions.get(chosen) {
            Some(session) => (Some(chosen), session.handle),
            None => (None, NOTHING),
        }
    }

    fn object(&mut self) -> CK_OBJECT_HANDLE {
        let chosen = usize::from(self.choices.byte()) % (self.model.objects.len() + 1);
        self.model.objects.get(chosen).map_or(NOTHING, |object| object.handle)
    }

    fn open(&mut self) {
        if self.model.sessions.len() < MOST_SESSIONS {
            let writable = self.choices.byte() & 1 == 1;
            let handle = self.table.open(writable).expect("a session can be opened");
            self.model.open(handle, writable);
        }
    }

    fn close(&mut self) {
        let (place, handle) = self.session();
        let rv = self.table.close(handle);
        match place {
            Some(place) => {
                assert_eq!(rv, CKR_OK);
                self.model.close(place);
            }
            None => assert_eq!(rv, CKR_SESSION_HANDLE_INVALID),
        }
    }

    fn create(&mut self) {
        if self.model.objects.len() >= MOST_OBJECTS {
            return;
        }
        let (place, session) = self.session();
        let (private, label) = (self.choices.byte() & 1 == 1, self.choices.byte() % 4);
        let kind = Kind::chosen(self.choices.byte());
        let value = kind.value(self.choices.bytes(64));
        let made = self.table.create(session, kind, private, label, &value);
        match (place, private && !self.model.user) {
            (None, _) => assert_eq!(made, Err(CKR_SESSION_HANDLE_INVALID)),
            (Some(_), true) => assert_eq!(made, Err(CKR_USER_NOT_LOGGED_IN)),
            (Some(_), false) => {
                let handle = made.expect("an object can be made");
                assert!(self.model.is_new(handle));
                self.model.create(handle, session, private, label, kind, value);
            }
        }
    }

    fn destroy(&mut self) {
        let (place, session) = self.session();
        let object = self.object();
        let rv = self.table.destroy(session, object);
        match (place, self.model.destroy(object, place.is_some())) {
            (None, _) => assert_eq!(rv, CKR_SESSION_HANDLE_INVALID),
            (Some(_), true) => assert_eq!(rv, CKR_OK),
            (Some(_), false) => assert_eq!(rv, CKR_OBJECT_HANDLE_INVALID),
        }
    }

    fn find(&mut self) {
        let (place, session) = self.session();
        let label = self.choices.byte() % 4;
        match place {
            None => assert_eq!(self.table.find(session, label), Err(CKR_SESSION_HANDLE_INVALID)),
            Some(_) => {
                let mut found = self.table.find(session, label).expect("a search works");
                found.sort_unstable();
                assert_eq!(found, self.model.labelled(label));
            }
        }
    }

    fn label(&mut self) {
        let (place, session) = self.session();
        let object = self.object();
        let label = self.table.label(session, object);
        match (place, self.model.object(object)) {
            (None, _) => assert_eq!(label, Err(CKR_SESSION_HANDLE_INVALID)),
            (Some(_), None) => assert_eq!(label, Err(CKR_OBJECT_HANDLE_INVALID)),
            (Some(_), Some(object)) => assert_eq!(label, Ok(object.label)),
        }
    }

    fn log_in(&mut self) {
        let (place, session) = self.session();
        let Some(rv) = self.table.log_in(session, self.model.user || place.is_none()) else {
            return;
        };
        match (place, self.model.user) {
            (None, _) => assert_eq!(rv, CKR_SESSION_HANDLE_INVALID),
            (Some(_), true) => assert_eq!(rv, CKR_USER_ALREADY_LOGGED_IN),
            (Some(_), false) => {
                assert_eq!(rv, CKR_OK);
                self.model.user = true;
            }
        }
    }

    fn log_out(&mut self) {
        let (place, session) = self.session();
        let rv = self.table.log_out(session);
        match (place, self.model.user) {
            (None, _) => assert_eq!(rv, CKR_SESSION_HANDLE_INVALID),
            (Some(_), false) => assert_eq!(rv, CKR_USER_NOT_LOGGED_IN),
            (Some(_), true) => {
                assert_eq!(rv, CKR_OK);
                self.model.log_out();
            }
        }
    }

    fn state(&mut self) {
        let (place, session) = self.session();
        let state = self.table.state(session);
        match place {
            None => assert_eq!(state, Err(CKR_SESSION_HANDLE_INVALID)),
            Some(place) => assert_eq!(state, Ok(self.model.state(place))),
        }
    }

    /// Begins, goes on with or ends a digest.
    fn digest(&mut self) {
        let (place, session) = self.session();
        let (what, short) = (self.choices.byte() % 3, self.choices.byte().is_multiple_of(4));
        let piece = self.choices.bytes(255);
        let said = self.table.digest(session, what, piece, short);
        let expected = match place {
            None => Err(CKR_SESSION_HANDLE_INVALID),
            Some(place) => self.model.digest(place, what, piece, short),
        };
        assert_eq!(said, expected);
    }

    /// The same of an HMAC-SM3.
    fn sign(&mut self) {
        let (place, session) = self.session();
        let (what, short) = (self.choices.byte() % 3, self.choices.byte().is_multiple_of(4));
        let key = self.object();
        let piece = self.choices.bytes(255);
        let said = self.table.sign(session, what, key, piece, short);
        let expected = match place {
            None => Err(CKR_SESSION_HANDLE_INVALID),
            Some(place) => self.model.sign(place, what, key, piece, short),
        };
        assert_eq!(said, expected);
    }

    /// The same of SM4-CBC with padding.
    fn encrypt(&mut self) {
        let (place, session) = self.session();
        let what = self.choices.byte() % 3;
        let key = self.object();
        let piece = self.choices.bytes(255);
        let said = self.table.encrypt(session, what, key, piece);
        let expected = match place {
            None => Err(CKR_SESSION_HANDLE_INVALID),
            Some(place) => self.model.encrypt(place, what, key, piece),
        };
        assert_eq!(said, expected);
    }

    /// Templates and parameters without sense: refused, or an object that goes at once.
    fn garbage(&mut self) {
        let (place, session) = self.session();
        let kinds = [self.choices.byte(), self.choices.byte(), self.choices.byte()];
        let values = [self.choices.bytes(40), self.choices.bytes(40), self.choices.bytes(8)];
        match self.table.create_any(session, kinds, values) {
            Ok(handle) => {
                assert!(place.is_some() && self.model.is_new(handle));
                assert_eq!(self.table.destroy(session, handle), CKR_OK);
            }
            Err(rv) => assert_ne!(rv, CKR_OK),
        }
        let key = self.object();
        self.table.begin_any(session, key, kinds, values[0]);
    }
}
