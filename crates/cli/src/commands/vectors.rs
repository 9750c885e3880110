//! `gmkit vectors`.

use gmkit_vectors::{Report, Selection};

use crate::{
    args::Vectors,
    failure::Failure,
    output::{Access, Content, Output, print},
};

pub(crate) fn run(args: &Vectors) -> Result<(), Failure> {
    let Vectors::Run { suite, backend, json, junit } = args;
    let selection = Selection { suite: suite.clone(), backend: backend.clone() };
    let report =
        gmkit_vectors::run(&selection).map_err(|error| Failure::input(error.to_string()))?;
    if let Some(path) = junit {
        let mut output = Output::create(Some(path), Content::Text, Access::Public)?;
        output.write(report.to_junit().as_bytes())?;
        output.commit()?;
    }
    if json.json {
        print(&report.to_json())?;
    } else {
        print_table(&report)?;
    }
    if report.failed == 0 {
        Ok(())
    } else {
        Err(Failure::check(format!("{} vectors failed", report.failed)))
    }
}

fn print_table(report: &Report) -> Result<(), Failure> {
    let machine = &report.machine;
    print(&format!("CPU: {} ({})", machine.cpu, machine.arch))?;
    print(&format!("features: {}", machine.features.join(" ")))?;
    print(&format!("backends: {}\n", report.backends.join(" ")))?;
    for suite in &report.suites {
        print(&format!(
            "{:<22} {:<10} {:>4} passed, {:>3} of them refusals, {} failed   {}, {}",
            suite.suite,
            suite.backend,
            suite.passed,
            suite.refusals.len(),
            suite.failures.len(),
            suite.standard,
            suite.clause,
        ))?;
        for failure in &suite.failures {
            print(&format!("    {}: {}: {}", failure.tc_id, failure.comment, failure.observed))?;
        }
    }
    print(&format!("\n{} passed, {} failed", report.passed, report.failed))
}
