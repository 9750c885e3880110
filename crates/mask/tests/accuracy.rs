//! What is found of a corpus that others' generators have made. `GMKIT_MASK_CORPUS` says how large it is.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use gmkit_mask::{Finder, Hit};

/// Of one kind: how many there were, how many were found, and how often it was found where it is not.
#[derive(Default)]
struct Count {
    there: u32,
    found: u32,
    wrong: u32,
}

#[test]
fn recall_and_precision() {
    let positives: u32 =
        env::var("GMKIT_MASK_CORPUS").map_or(10_000, |count| count.parse().unwrap());
    let negatives = 10 * positives;
    let here = env!("CARGO_MANIFEST_DIR");
    let mut child = Command::new(format!("{here}/../../target/peers/bin/python"))
        .arg(format!("{here}/tests/corpus.py"))
        .args([positives.to_string(), negatives.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("Faker and python-stdnum are installed by `cargo xtask test`");
    let finder = Finder::new();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let (mut lines, mut false_hits) = (0, Vec::new());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let fields: Vec<_> = line.splitn(4, '\t').collect();
        let [kind, start, end, text] = fields[..] else { panic!("{line}") };
        let byte =
            |n: &str| text.char_indices().nth(n.parse().unwrap()).map_or(text.len(), |(at, _)| at);
        let (start, end) = (byte(start), byte(end));
        let is_it = |hit: &&Hit| {
            hit.kind.name() == kind && hit.range.start <= start + 6 && hit.range.end >= end
        };
        let hits = finder.find(text);
        lines += 1;
        if kind == "-" {
            false_hits.extend(hits.iter().map(|hit| format!("{} in {text}", hit.kind)));
            continue;
        }
        let count = counts.entry(kind.to_owned()).or_default();
        count.there += 1;
        let found = hits.iter().any(|hit| is_it(&hit));
        count.found += u32::from(found);
        if !found && count.there - count.found <= 3 {
            println!("missed: {kind} in {text}");
        }
        for wrong in hits.iter().filter(|hit| !is_it(hit)) {
            counts.entry(wrong.kind.name().to_owned()).or_default().wrong += 1;
        }
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(lines, positives + negatives);
    println!("{:<10} {:>8} {:>8} {:>8}", "kind", "there", "found", "wrong");
    for (kind, Count { there, found, wrong }) in &counts {
        println!("{kind:<10} {there:>8} {found:>8} {wrong:>8}");
    }
    println!("{} false hits in {negatives} texts with nothing in them", false_hits.len());
    false_hits.iter().take(30).for_each(|hit| println!("{hit}"));
    for (kind, Count { there, found, wrong }) in &counts {
        let least = if kind == "mobile" { 0.98 } else { 0.995 };
        if *there > 0 {
            assert!(f64::from(*found) >= least * f64::from(*there), "{kind}: {found} of {there}");
            assert!(f64::from(*wrong) <= 0.005 * f64::from(*there), "{kind}: {wrong} wrong ones");
        }
    }
    assert!(false_hits.len() as f64 <= 20e-6 * f64::from(negatives), "{}", false_hits.len());
}
