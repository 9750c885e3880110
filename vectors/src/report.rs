//! What came of a run.

use std::fmt;

use serde::Serialize;

use crate::{
    Machine,
    checks::Outcome,
    files::Embedded,
    junit,
    schema::{File, Test},
};

/// All suites of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where it ran.
    pub machine: Machine,
    /// The backends that ran.
    pub backends: Vec<&'static str>,
    /// Backends that this CPU has not got what they need for.
    pub not_run: Vec<&'static str>,
    /// One entry per suite and backend.
    pub suites: Vec<SuiteReport>,
    /// Vectors that gave what they should, refusals included.
    pub passed: usize,
    /// Vectors that did not.
    pub failed: usize,
}

impl Report {
    pub(crate) fn new(
        machine: Machine,
        backends: Vec<&'static str>,
        not_run: Vec<&'static str>,
        suites: Vec<SuiteReport>,
    ) -> Self {
        let passed = suites.iter().map(|suite| suite.passed).sum();
        let failed = suites.iter().map(|suite| suite.failures.len()).sum();
        Self { machine, backends, not_run, suites, passed, failed }
    }

    /// The report as JSON.
    ///
    /// # Panics
    /// Never: the report has string keys only.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report serializes")
    }

    /// The report as JUnit XML, one test case per suite.
    #[must_use]
    pub fn to_junit(&self) -> String {
        junit::write(self)
    }
}

/// The report as a person reads it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "CPU: {} ({})", self.machine.cpu, self.machine.arch)?;
        writeln!(f, "features: {}", self.machine.features.join(" "))?;
        writeln!(f, "backends: {}", self.backends.join(" "))?;
        if !self.not_run.is_empty() {
            writeln!(f, "NOT RUN, as this CPU lacks what they need: {}", self.not_run.join(" "))?;
        }
        writeln!(f)?;
        for suite in &self.suites {
            writeln!(f, "{suite}")?;
            for failure in &suite.failures {
                writeln!(f, "    {}: {}: {}", failure.tc_id, failure.comment, failure.observed)?;
            }
        }
        writeln!(f, "\n{} passed, {} failed", self.passed, self.failed)
    }
}

/// One suite through one backend.
#[derive(Clone, Debug, Serialize)]
pub struct SuiteReport {
    /// The suite's name.
    pub suite: &'static str,
    /// The standard that its vectors come from.
    pub standard: String,
    /// Clause or edition.
    pub clause: String,
    /// The backend.
    pub backend: &'static str,
    /// Vectors that gave what they should, refusals included.
    pub passed: usize,
    /// Inputs that had to be refused and were, each with the reason.
    pub refusals: Vec<Refusal>,
    /// Vectors that did not give what they should.
    pub failures: Vec<Failure>,
    /// Time for the whole suite, in microseconds. Tells how the machine fares, not how fast the
    /// algorithms are: that is what the benches are for.
    pub micros: u128,
}

impl fmt::Display for SuiteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<20} {:<12} {:>4} passed, {:>3} of them refusals, {} failed {:>9.1} ms  {}, {}",
            self.suite,
            self.backend,
            self.passed,
            self.refusals.len(),
            self.failures.len(),
            self.micros as f64 / 1000.0,
            self.standard,
            self.clause,
        )
    }
}

/// A bad input that was refused, as it had to be.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// Number of the test in its file.
    pub tc_id: u32,
    /// What is wrong with the input.
    pub comment: String,
    /// The same by edge case.
    pub flags: Vec<String>,
    /// The error that it met.
    pub reason: String,
}

/// A vector that failed.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Number of the test in its file.
    pub tc_id: u32,
    /// What the vector tests.
    pub comment: String,
    /// What happened instead.
    pub observed: String,
}

impl SuiteReport {
    pub(crate) fn new(embedded: &Embedded, file: &File, backend: &'static str) -> Self {
        let (standard, clause) = match (&file.source, embedded.origin) {
            (Some(source), _) => (source.standard.clone(), source.clause.clone()),
            (None, Some((standard, origin))) => (standard.to_owned(), origin.to_owned()),
            (None, None) => Default::default(),
        };
        Self {
            suite: embedded.suite,
            standard,
            clause,
            backend,
            passed: 0,
            refusals: Vec::new(),
            failures: Vec::new(),
            micros: 0,
        }
    }

    pub(crate) fn refused(&mut self, test: &Test, reason: String) {
        self.passed += 1;
        self.refusals.push(Refusal {
            tc_id: test.tc_id,
            comment: test.comment.clone(),
            flags: test.flags.clone(),
            reason,
        });
    }

    pub(crate) fn failed(&mut self, test: &Test, outcome: Outcome) {
        let observed = match (outcome, &test.reason) {
            (Ok(true), _) => "accepted, but is invalid".to_owned(),
            (Ok(false), _) => "another output".to_owned(),
            (Err(reason), Some(want)) => format!("refused for {reason} instead of {want}"),
            (Err(reason), None) => format!("refused for {reason}"),
        };
        let failure = Failure { tc_id: test.tc_id, comment: test.comment.clone(), observed };
        self.failures.push(failure);
    }
}
