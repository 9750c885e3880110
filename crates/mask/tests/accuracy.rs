//! What is found of a corpus that others' generators have made. `GMKIT_MASK_CORPUS` says how large it is.

#[path = "accuracy/confusion.rs"]
mod confusion;

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use confusion::{Confusion, Count};
use gmkit_mask::Finder;

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
    let (finder, mut confusion) = (Finder::new(), Confusion::default());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        confusion.look(&finder, &line.unwrap());
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(confusion.texts, positives + negatives);
    confusion.print();
    let Confusion { counts, false_hits, .. } = confusion;
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
