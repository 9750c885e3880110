//! Replays the corpora on stable: whatever a fuzzer has found stays tested.

use std::{fs, path::Path};

use gmkit_fuzz::{TARGETS, seeds};

/// `GMKIT_WRITE_SEEDS=1 cargo test --manifest-path fuzz/Cargo.toml` writes fresh seeds.
#[test]
fn every_corpus_file() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    if std::env::var_os("GMKIT_WRITE_SEEDS").is_some() {
        for (target, name, bytes) in seeds() {
            let dir = corpus.join(target);
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join(format!("seed-{name}")), bytes).unwrap();
        }
    }
    for (name, target) in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            eprintln!("{}", path.display());
            target(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(count > 0, "the corpus of {name} is empty");
    }
}

/// Valid inputs, each with every single byte changed: what a fuzzer does first.
#[test]
fn fresh_seeds_and_their_neighbours() {
    for (name, _, seed) in seeds() {
        let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
        target(&seed);
        for at in 0..seed.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut near = seed.clone();
                near[at] ^= flip;
                target(&near);
            }
            target(&seed[..at]);
        }
    }
}
