//! The test of a device: what of its profile it has, whether that computes rightly, in which form
//! it answers, and how fast.

mod ciphers;
#[cfg(feature = "rustls")]
mod classic;
mod hashes;
mod sm2;
mod standard;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use cryptoki::{
    object::{Attribute, ObjectHandle},
    session::Session,
};

use crate::{Error, Token};

/// Longest message that the test works with, in bytes.
const MESSAGE: [u8; 1024] = [0x5a; 1024];

/// What the test of a device found of one mechanism.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// What the mechanism does.
    pub what: &'static str,
    /// CKM; 0 where there is none.
    pub mechanism: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// How often it was done in a second, by one thread in one session; messages of ciphers and
    /// hashes had 1,024 bytes.
    pub per_second: Option<f64>,
}

/// What came of trying a mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It does what it should: the result was compared with ours or verified here.
    Works {
        /// In what form; empty where there is but one.
        form: String,
    },
    /// The device does not have it.
    Absent,
    /// The device has it, and refused.
    Fails {
        /// The standard's name of the return value, or what else went wrong.
        error: String,
    },
    /// It did something, and the result is wrong.
    Wrong {
        /// What is wrong.
        reason: &'static str,
    },
    /// There is no key to try it with.
    NotTried,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Works { form } if form.is_empty() => f.write_str("works"),
            Self::Works { form } => write!(f, "works: {form}"),
            Self::Absent => f.write_str("absent"),
            Self::Fails { error } => write!(f, "fails: {error}"),
            Self::Wrong { reason } => write!(f, "WRONG: {reason}"),
            Self::NotTried => f.write_str("not tried: no key for it"),
        }
    }
}

/// Why something did not work.
enum Fault {
    Device(Error),
    Wrong(&'static str),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Device(error)
    }
}

impl From<gmkit_keys::Error> for Fault {
    fn from(error: gmkit_keys::Error) -> Self {
        Self::Device(error.into())
    }
}

/// Does it once more, for its pace.
type Again<'t> = Box<dyn Fn() -> Result<(), Error> + 't>;

/// In what form it works.
type Tried<'t> = Result<(String, Again<'t>), Fault>;

fn right(is: bool, reason: &'static str) -> Result<(), Fault> {
    if is { Ok(()) } else { Err(Fault::Wrong(reason)) }
}

/// What works, in the only form that there is.
fn plainly<'t>(again: impl Fn() -> Result<(), Error> + 't) -> Tried<'t> {
    Ok((String::new(), Box::new(again)))
}

impl Token {
    /// Tries every mechanism of the profile, and some of the standard's, with keys that go with
    /// their session: nothing is left on the token. Each is done for as long as `pace`, to see how
    /// fast it is.
    ///
    /// # Errors
    /// [`Error::Device`] where the token cannot be used at all; what a mechanism says is a
    /// [`Finding`].
    pub fn conformance(self: &Arc<Self>, pace: Duration) -> Result<Vec<Finding>, Error> {
        self.with_writer(|keys| {
            let mut test = Test { token: self, keys, pace, findings: Vec::new() };
            let done = sm2::run(&mut test)
                .and_then(|()| hashes::run(&mut test))
                .and_then(|()| ciphers::run(&mut test))
                .and_then(|()| standard::run(&mut test));
            remove_traces(keys);
            done.map(|()| test.findings)
        })
    }
}

/// A test under way.
struct Test<'t> {
    token: &'t Arc<Token>,
    /// The session that keys are made in, and go with.
    keys: &'t Session,
    pace: Duration,
    findings: Vec<Finding>,
}

impl<'t> Test<'t> {
    /// Tries a mechanism once for what it gives, and then for its pace.
    fn row(
        &mut self,
        what: &'static str,
        mechanism: u64,
        tried: impl FnOnce() -> Tried<'t>,
    ) -> Result<(), Error> {
        let (outcome, per_second) = match mechanism == 0 || self.token.offers(mechanism)? {
            false => (Outcome::Absent, None),
            true => match tried() {
                Ok((form, again)) => (Outcome::Works { form }, self.rate(again)),
                Err(Fault::Wrong(reason)) => (Outcome::Wrong { reason }, None),
                Err(Fault::Device(error)) => (Outcome::Fails { error: error.label() }, None),
            },
        };
        self.findings.push(Finding { what, mechanism, outcome, per_second });
        Ok(())
    }

    /// Tries a mechanism that needs a key, where there is one.
    fn row_with<K>(
        &mut self,
        what: &'static str,
        mechanism: u64,
        key: Option<K>,
        tried: impl FnOnce(K) -> Tried<'t>,
    ) -> Result<(), Error> {
        if let Some(key) = key {
            return self.row(what, mechanism, || tried(key));
        }
        let there = self.token.offers(mechanism)?;
        let outcome = if there { Outcome::NotTried } else { Outcome::Absent };
        self.findings.push(Finding { what, mechanism, outcome, per_second: None });
        Ok(())
    }

    fn rate(&self, again: Again<'t>) -> Option<f64> {
        let started = Instant::now();
        let mut done = 0_u32;
        while done == 0 || started.elapsed() < self.pace {
            again().ok()?;
            done += 1;
        }
        Some(f64::from(done) / started.elapsed().as_secs_f64())
    }
}

/// What keys of the test are called.
const LABEL: &[u8] = b"gmkit: test of a device";

/// Makes a key from a template, which goes with the session.
fn create(session: &Session, mut template: Vec<Attribute>) -> Result<ObjectHandle, Error> {
    template.push(Attribute::Label(LABEL.to_vec()));
    session.create_object(&template).map_err(Error::of("C_CreateObject"))
}

/// Keys go with their session; there may be devices where they do not.
fn remove_traces(session: &Session) {
    for object in session.find_objects(&[Attribute::Label(LABEL.to_vec())]).unwrap_or_default() {
        if let Err(error) = session.destroy_object(object) {
            tracing::warn!(%error, "a key of the test stays on the token");
        }
    }
}
