//! Test vectors as data, and one runner for them.
//!
//! The files in `data/` follow Wycheproof's schema and name the standard and clause they come
//! from. `generate.py` makes them with a reference implementation in Python that shares nothing
//! with the Rust code; `data/third_party` holds vectors that others made. All of it is embedded,
//! so that a binary proves itself on any machine.
//!
//! ```
//! let report = gmkit_vectors::run(&gmkit_vectors::Selection::default())?;
//! assert_eq!(report.failed, 0);
//! # Ok::<(), gmkit_vectors::Error>(())
//! ```

mod checks;
mod cores;
mod files;
mod junit;
mod machine;
mod report;
mod schema;

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Instant,
};

pub use machine::Machine;
pub use report::{Failure, Refusal, Report, SuiteReport};

use cores::{CORES, Core};
use schema::{Expected, File};

/// Which suites to run, and through which backend. By default all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only this suite, as [`suites`] names it.
    pub suite: Option<String>,
    /// Only this backend.
    pub backend: Option<String>,
}

/// A selection that selects nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is no such suite.
    UnknownSuite(String),
    /// This build has no such backend.
    UnknownBackend(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSuite(name) => {
                write!(f, "no suite \"{name}\"; there are: {}", suites().join(", "))
            }
            Self::UnknownBackend(name) => {
                write!(f, "no backend \"{name}\"; there are: {}", backends().join(", "))
            }
        }
    }
}

impl std::error::Error for Error {}

/// The names of all suites.
#[must_use]
pub fn suites() -> Vec<&'static str> {
    files::FILES.iter().map(|file| file.suite).collect()
}

/// The backends of all cores that this machine can run.
#[must_use]
pub fn backends() -> Vec<&'static str> {
    names(true)
}

/// The backends that it has not got what they need for: they are not run, which a report says.
#[must_use]
pub fn not_run() -> Vec<&'static str> {
    names(false)
}

fn names(available: bool) -> Vec<&'static str> {
    let mut names = Vec::new();
    for (name, has) in CORES.iter().flat_map(|core| (core.backends)()) {
        if has == available && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Runs the selected vectors, each through all backends of the core that it tests.
///
/// # Errors
/// [`Error`] when the selection names a suite or backend that does not exist.
pub fn run(selection: &Selection) -> Result<Report, Error> {
    let mut backends = backends();
    if let Some(wanted) = &selection.backend {
        backends.retain(|name| name == wanted);
        if backends.is_empty() {
            return Err(Error::UnknownBackend(wanted.clone()));
        }
    }
    let wanted =
        |file: &&files::Embedded| selection.suite.as_deref().is_none_or(|s| s == file.suite);
    let selected: Vec<_> = files::FILES.iter().filter(wanted).collect();
    if selected.is_empty() {
        return Err(Error::UnknownSuite(selection.suite.clone().unwrap_or_default()));
    }
    // One run at a time: backends are preferred in the whole process.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut suites = Vec::new();
    for file in selected {
        let core = Core::of(file.suite);
        for (backend, _) in (core.backends)().into_iter().filter(|(_, has)| *has) {
            if backends.contains(&backend) {
                suites.push(run_file(file, core, backend));
            }
        }
    }
    // A backend of another core: nothing ran, which must not pass for a success.
    match (&selection.backend, &suites[..]) {
        (Some(wanted), []) => Err(Error::UnknownBackend(wanted.clone())),
        _ => Ok(Report::new(Machine::detect(), backends, not_run(), suites)),
    }
}

fn run_file(embedded: &files::Embedded, core: &Core, backend: &'static str) -> SuiteReport {
    let _preferred = core.through(backend);
    let file = File::parse(embedded.text);
    let mut report = SuiteReport::new(embedded, &file, backend);
    let started = Instant::now();
    for group in &file.test_groups {
        let check = checks::by_type(&group.kind);
        for test in &group.tests {
            match (test.result, check(group, test)) {
                (Expected::Valid, Ok(true)) => report.passed += 1,
                (Expected::Invalid, Err(reason)) if test.wants(&reason) => {
                    report.refused(test, reason);
                }
                (_, outcome) => report.failed(test, outcome),
            }
        }
    }
    report.micros = started.elapsed().as_micros();
    report
}
