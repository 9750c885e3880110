//! gmkit against other people's implementations: each operation, with each peer that has it, both
//! ways where there are two, on random inputs. A disagreement ends it with the inputs and the seed;
//! otherwise a matrix is printed, in which an empty cell has its reason.
//!
//! Each peer has one file in `peers/` that answers requests (`rustcrypto` is a module here, for it
//! needs no process of its own). `cargo xtask interop` builds what is needed and starts this.

mod draw;
mod names;
mod operations;
mod peer;
mod rustcrypto;
mod table;

use std::{path::Path, process::ExitCode};

use draw::Draw;
use operations::{Cell, OPERATIONS};
use peer::{Peer, Process};
use rustcrypto::RustCrypto;

const USAGE: &str = "\
gmkit-interop PEERS [SEED]

PEERS is the folder in which `cargo xtask peers` has built the peers.";

type Named = (&'static str, Box<dyn Peer>);

/// The peers, with how their processes are started.
fn peers(dir: &Path) -> Result<Vec<Named>, String> {
    let drivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let built = |name: &str| dir.join("interop").join(name);
    let python = dir.join("bin/python3");
    let script = |name: &str| Process::start(&python, &[drivers.join(name).as_os_str()]);
    let node = [drivers.join("sm_crypto.js").into_os_string(), dir.join("npm").into_os_string()];
    Ok(vec![
        (names::OPENSSL4, Box::new(Process::start(&built("openssl4"), &[])?)),
        (names::TONGSUO, Box::new(Process::start(&built("tongsuo"), &[])?)),
        (names::GMSSL, Box::new(script("gmssl31.py")?)),
        (names::OPENSSL3, Box::new(script("openssl3.py")?)),
        (names::TONGSUOPY, Box::new(script("tongsuo_python.py")?)),
        (names::SM_CRYPTO, Box::new(Process::start("node".as_ref(), &[&node[0], &node[1]])?)),
        (names::GMSSL_PY, Box::new(script("gmssl_python.py")?)),
        (names::BOTAN, Box::new(script("botan.py")?)),
        (names::RUSTCRYPTO, Box::new(RustCrypto)),
    ])
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (dir, seed) = match &args[..] {
        [dir] => (dir, rand::random()),
        [dir, seed] => match seed.parse() {
            Ok(seed) => (dir, seed),
            Err(_) => return usage(),
        },
        _ => return usage(),
    };
    println!("seed {seed}");
    match run(Path::new(dir), seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("gmkit-interop: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn run(dir: &Path, seed: u64) -> Result<(), String> {
    // One of the peers resolves paths against another folder than the one it is started in.
    let dir = dir.canonicalize().map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut peers = peers(&dir)?;
    let mut rows = Vec::new();
    for operation in OPERATIONS {
        let mut row: Vec<Cell> = Vec::new();
        for (name, peer) in &mut peers {
            // A seed of its own for each cell: it can be repeated without the others.
            let mut draw = Draw::new(seed, &[operation.name, name]);
            let cell = operation.run(name, peer.as_mut(), &mut draw);
            row.push(cell.map_err(|error| format!("{} with {name}: {error}", operation.name))?);
        }
        rows.push((operation.name, row));
    }
    let names: Vec<_> = peers.iter().map(|(name, _)| *name).collect();
    print!("{}", table::render(&names, &rows));
    operations::as_expected(&names, &rows)
}
