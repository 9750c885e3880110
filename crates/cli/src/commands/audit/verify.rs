//! `gmkit audit verify`.

use std::path::Path;

use gmkit::{
    audit::{Auditor, Proof, Report},
    sm2::PublicKey,
};
use serde_json::json;

use super::MAX_NOTE;
use crate::{
    args::AuditVerify,
    failure::{Context, Failure},
    input::Input,
    keys::read_public,
    output::{print, print_bytes},
};

pub(super) fn run(args: &AuditVerify) -> Result<(), Failure> {
    let key = read_public(&args.public)?;
    match (&args.log, &args.proof) {
        (Some(log), _) => verify_log(args, log, &key),
        (None, Some(proof)) => verify_proof(args, proof, &key),
        (None, None) => Err(Failure::input("--log or --proof is needed")),
    }
}

fn verify_log(args: &AuditVerify, log: &Path, key: &PublicKey) -> Result<(), Failure> {
    let mut auditor = Auditor::new(log, key);
    for kept in &args.checkpoint {
        auditor = auditor.with_kept(&Input::open(kept)?.read_all(MAX_NOTE)?);
    }
    if let Some(witness) = &args.witness_key {
        auditor = auditor.with_witness(&read_public(witness)?);
    }
    if let Some(name) = &args.name {
        auditor = auditor.with_origin(name);
    }
    let report = auditor.run().about(log)?;
    match args.json.json {
        true => print(&as_json(&report).to_string())?,
        false => print_report(&report)?,
    }
    match report.is_sound() {
        true => Ok(()),
        false => Err(Failure::about(log.display(), Failure::check("the log is not sound"))),
    }
}

fn print_report(report: &Report) -> Result<(), Failure> {
    let Report { size, tail, gaps, .. } = report;
    let origin = report.origin.as_deref().unwrap_or("a log without a checkpoint");
    print(&format!("{origin}: {size} records are signed, {} of them events", gaps.events))?;
    if report.first > 0 {
        let days = report.kept_days.map_or(String::new(), |days| format!(", kept for {days} days"));
        print(&format!("those before {} were pruned{days}, and are not counted", report.first))?;
    }
    if *tail > 0 {
        print(&format!("{tail} more are not signed yet: nothing is proven about them"))?;
    }
    if report.unfinished > 0 {
        print(&format!(
            "{} bytes of a record that is not finished stand at the end",
            report.unfinished
        ))?;
    }
    if gaps.gaps > 0 {
        let at_most = if gaps.at_most { "at most " } else { "" };
        let (refused, dropped, lost) = (gaps.refused, gaps.dropped, gaps.lost);
        print(&format!(
            "not recorded, as {} gap records say: {refused} refused, {dropped} dropped, {at_most}{lost} lost",
            gaps.gaps
        ))?;
    }
    report.findings.iter().try_for_each(|finding| {
        print(&format!("WRONG: {finding}").replace(char::is_control, "?"))
    })?;
    if report.is_sound() {
        print("nothing is wrong")?;
    }
    Ok(())
}

fn as_json(report: &Report) -> serde_json::Value {
    let gaps = &report.gaps;
    let findings = report.findings.iter().map(|finding| {
        json!({ "kind": finding.kind(), "index": finding.index(), "text": finding.to_string() })
    });
    json!({
        "sound": report.is_sound(),
        "origin": report.origin,
        "first": report.first,
        "kept_days": report.kept_days,
        "size": report.size,
        "unsigned": report.tail,
        "unfinished_bytes": report.unfinished,
        "root": report.root.map(hex::encode),
        "events": gaps.events,
        "gaps": {
            "records": gaps.gaps,
            "refused": gaps.refused,
            "dropped": gaps.dropped,
            "lost": gaps.lost,
            "lost_is_upper_bound": gaps.at_most,
        },
        "findings": findings.collect::<Vec<_>>(),
    })
}

/// Prints the record that was proven.
fn verify_proof(args: &AuditVerify, path: &Path, key: &PublicKey) -> Result<(), Failure> {
    let text = Input::open(path)?.read_all(MAX_NOTE)?;
    let (proof, checkpoint) = Proof::verify(&text, key).about(path)?;
    if args.name.as_ref().is_some_and(|name| *name != checkpoint.origin) {
        let other = format!("it is in another log, {}", checkpoint.origin);
        return Err(Failure::about(path.display(), Failure::check(other)));
    }
    let record = String::from_utf8_lossy(proof.record());
    if args.json.json {
        let report = json!({
            "sound": true,
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "index": proof.index(),
            "record": serde_json::from_str::<serde_json::Value>(&record).unwrap_or_default(),
        });
        return print_bytes(report.to_string().as_bytes());
    }
    let (index, origin) = (proof.index(), &checkpoint.origin);
    print(&format!("record {index} of {origin}, which had {} records:", checkpoint.size))?;
    print(&record.replace(char::is_control, "?"))
}
