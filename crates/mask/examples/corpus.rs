//! Looks at the lines of a corpus from standard input, and says what it found, and how fast that was: for
//! `cargo xtask bench presidio`.

#[path = "../tests/accuracy/confusion.rs"]
mod confusion;

use std::{io::stdin, time::Instant};

use confusion::Confusion;
use gmkit_mask::Finder;

fn main() {
    let lines: Vec<String> = stdin().lines().map(|line| line.expect("text")).collect();
    let texts: Vec<&str> = lines.iter().filter_map(|line| line.splitn(4, '\t').nth(3)).collect();
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    let finder = Finder::new();
    // Whatever is made once is made before.
    assert!(finder.find("13800138000").is_empty());
    let started = Instant::now();
    let hits: usize = texts.iter().map(|text| finder.find(text).len()).sum();
    let speed = bytes as f64 / started.elapsed().as_secs_f64() / 1e6;
    let mut confusion = Confusion::default();
    lines.iter().for_each(|line| confusion.look(&finder, line));
    confusion.print();
    println!("{hits} hits, {speed:.3} MB/s");
}
