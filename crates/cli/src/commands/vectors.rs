//! `gmkit vectors`.

use gmkit_vectors::Selection;

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
        print(report.to_string().trim_end())?;
    }
    if report.failed == 0 {
        Ok(())
    } else {
        Err(Failure::check(format!("{} vectors failed", report.failed)))
    }
}
