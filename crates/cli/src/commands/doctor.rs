//! `gmkit doctor`: what this machine offers.

mod randomness;

use std::time::{SystemTime, UNIX_EPOCH};

use gmkit::{
    keys::{SysRng, selftest},
    rng::{self, health::HealthTests},
    sm2::{self, rand_core::TryRng},
    sm3, sm4,
};
use gmkit_vectors::Machine;

use crate::{args::Doctor, failure::Failure, integrity, output::print};

/// One thing that was looked at.
struct Finding {
    name: &'static str,
    value: String,
    good: bool,
}

pub(crate) fn run(args: &Doctor) -> Result<(), Failure> {
    if args.randomness {
        return randomness::run(args);
    }
    let findings = look()?;
    let good = findings.iter().all(|finding| finding.good);
    if args.json.json {
        let fields = findings.iter().map(|f| {
            (f.name.replace(' ', "_"), serde_json::json!({ "value": f.value, "good": f.good }))
        });
        let mut report: serde_json::Map<_, _> = fields.collect();
        report.insert("good".into(), good.into());
        print(&serde_json::Value::Object(report).to_string())?;
    } else {
        for Finding { name, value, good } in &findings {
            print(&format!("{} {name:<12} {value}", if *good { "  " } else { "!!" }))?;
        }
    }
    if good { Ok(()) } else { Err(Failure::check("not everything is as it should be")) }
}

fn look() -> Result<Vec<Finding>, Failure> {
    let fact = |name, value: String| Finding { name, value, good: true };
    let machine = Machine::detect();
    let integrity = integrity::check()?;
    let mut tests = selftest::run_all();
    tests.push(("DRNG", rng::selftest()));
    let failed: Vec<_> =
        tests.iter().filter(|(_, passed)| !passed).map(|(name, _)| *name).collect();
    Ok(vec![
        fact("gmkit", env!("CARGO_PKG_VERSION").to_owned()),
        fact("CPU", format!("{} ({})", machine.cpu, machine.arch)),
        fact("features", machine.features.join(" ")),
        fact("SM2 backend", chosen(sm2::backend(), sm2::backends())),
        fact("SM3 backend", chosen(sm3::backend(), sm3::backends())),
        fact("SM4 backend", chosen(sm4::backend(), sm4::backends())),
        Finding {
            name: "self-tests",
            value: match &failed[..] {
                [] => format!("{} passed", tests.len()),
                failed => format!("FAILED: {}", failed.join(", ")),
            },
            good: failed.is_empty(),
        },
        Finding {
            name: "integrity",
            value: format!("this binary is {}", integrity.name()),
            good: !matches!(integrity, integrity::Integrity::Damaged),
        },
        entropy(),
        clock(),
        umask(),
        fact("system", system()),
        fact("modules", "none: this build has no PKCS#11 layer".to_owned()),
    ])
}

/// What computes, and why: it is the first in the order of preference that this CPU has.
fn chosen(backend: &str, all: impl Iterator<Item = (&'static str, bool)>) -> String {
    let (has, lacks): (Vec<_>, Vec<_>) = all.partition(|(_, has)| *has);
    let names = |all: Vec<(&'static str, bool)>| {
        all.into_iter().map(|(name, _)| name).filter(|name| *name != backend).collect::<Vec<_>>()
    };
    let (has, lacks) = (names(has).join(", "), names(lacks).join(", "));
    match (&has[..], &lacks[..]) {
        ("", "") => format!("{backend} (the only one in this build)"),
        (has, "") => format!("{backend} (the fastest; this CPU also runs {has})"),
        ("", lacks) => format!("{backend} (this CPU lacks what {lacks} need)"),
        (has, lacks) => {
            format!("{backend} (this CPU also runs {has}; it lacks what {lacks} need)")
        }
    }
}

/// The health tests of GM/T 0105 on the operating system's generator.
fn entropy() -> Finding {
    let mut sample = [0; 4096];
    let read = SysRng.try_fill_bytes(&mut sample).is_ok();
    let good = read && HealthTests::new(4.0).check(&sample);
    let value = match (read, good) {
        (false, _) => "the operating system's generator does not answer",
        (_, false) => "the operating system's generator FAILS the health tests",
        _ => "the operating system's generator passes the health tests (--randomness tests more)",
    };
    Finding { name: "entropy", value: value.to_owned(), good }
}

/// What new files are, unless they hold secrets.
fn umask() -> Finding {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    let umask = field.and_then(|digits| u32::from_str_radix(digits.trim(), 8).ok());
    let good = umask.is_none_or(|umask| umask & 0o002 != 0);
    let value = match umask {
        None => "unknown".to_owned(),
        Some(umask) if good => format!("umask {umask:03o}; files with secrets are 600 always"),
        Some(umask) => format!("umask {umask:03o} lets everybody write to new files"),
    };
    Finding { name: "permissions", value, good }
}

fn system() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, release.trim())
}

/// A clock before this program was written makes nonsense of every date that is signed.
fn clock() -> Finding {
    const WRITTEN: u64 = 1_790_000_000; // September 2026
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let good = now >= WRITTEN;
    let value = if good { "plausible" } else { "stands before this program was written" };
    Finding { name: "clock", value: format!("{value} ({now} s after 1970)"), good }
}
