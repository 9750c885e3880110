//! `gmkit doctor --randomness`.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use gmkit::rng::randomness::{ItemReport, Report, Stage};

use crate::{
    args::{Doctor, RandomnessStage},
    commands::random::{Fill, generator},
    failure::{Context, Failure},
    output::print,
    progress::Progress,
};

pub(super) fn run(args: &Doctor) -> Result<(), Failure> {
    let stage = match args.stage {
        RandomnessStage::Assessment => Stage::Assessment,
        RandomnessStage::Delivery => Stage::Delivery,
        RandomnessStage::PowerOn => Stage::PowerOn,
        RandomnessStage::Periodic => Stage::Periodic,
    };
    let mut source: Fill<'_> = match &args.file {
        None => generator(args.source)?,
        Some(path) => Box::new(file(path, stage)?),
    };
    let mut progress = Progress::new(Some((stage.samples() * stage.sample_bytes()) as u64));
    let report = stage.run(|sample| {
        progress.add(sample.len());
        source(sample)
    })?;
    drop(progress);
    match args.json.json {
        true => print(&json(stage, &report))?,
        false => text(stage, &report)?,
    }
    if report.passed() {
        return Ok(());
    }
    Err(Failure::check(
        "randomness tests failed: a good generator fails now and then too; GM/T 0062 lets it try \
         once more",
    ))
}

fn file<'p>(
    path: &'p Path,
    stage: Stage,
) -> Result<impl FnMut(&mut [u8]) -> Result<(), Failure> + 'p, Failure> {
    let mut reader: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(path).about(path)?),
    };
    let needed = stage.samples() * stage.sample_bytes();
    Ok(move |sample: &mut [u8]| {
        reader.read_exact(sample).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                let reason = format!("has less than the {needed} bytes that this stage tests");
                Failure::about(path.display(), Failure::input(reason))
            }
            _ => Failure::about(path.display(), error),
        })
    })
}

fn text(stage: Stage, report: &Report) -> Result<(), Failure> {
    let (samples, bits) = (stage.samples(), 8 * stage.sample_bytes());
    print(&format!("GM/T 0005-2021, {samples} samples of {bits} bits, significance 0.01\n"))?;
    for item in &report.items {
        let ItemReport { test, passes, needed, evenness, .. } = item;
        let verdict = if item.passed() { "passed" } else { "FAILED" };
        let evenness = evenness.map(|p| format!(", Q-values even: P = {p:.4}")).unwrap_or_default();
        let counts = format!("{passes} of {samples} samples ({needed} needed{evenness})");
        print(&format!("{:<44} {verdict}  {counts}", test.to_string()))?;
    }
    Ok(())
}

fn json(stage: Stage, report: &Report) -> String {
    let items: Vec<_> = report
        .items
        .iter()
        .map(|item| {
            serde_json::json!({
                "test": item.test.to_string(),
                "passed": item.passed(),
                "samples_passed": item.passes,
                "samples_needed": item.needed,
                "evenness_p": item.evenness,
            })
        })
        .collect();
    serde_json::json!({
        "standard": "GM/T 0005-2021",
        "samples": stage.samples(),
        "bits_per_sample": 8 * stage.sample_bytes(),
        "passed": report.passed(),
        "items": items,
    })
    .to_string()
}
