//! `cargo xtask peers`: OpenSSL 4 and Tongsuo 8.5, built once under `target/peers`. Their sources
//! come as crates, from the registry that everything else comes from. Beside them sm-crypto from
//! npm, and the programs of `crates/interop` that ask the two libraries.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::run::{self, Result};

struct Peer {
    name: &'static str,
    /// The crate with the source, its exact version, and the folder inside.
    source: &'static str,
    version: &'static str,
    folder: &'static str,
    options: &'static str,
}

const PEERS: &[Peer] = &[
    Peer {
        name: "openssl4",
        source: "openssl-src",
        version: "400.0.2",
        folder: "openssl",
        options: "no-docs",
    },
    Peer {
        name: "tongsuo",
        source: "tongsuo-src",
        version: "850.1.1",
        folder: "tongsuo",
        options: "enable-ntls enable-ec_sm2p_64_gcc_128",
    },
];

/// Builds what is not built yet: the command of each peer, and our programs on its library.
pub(crate) fn build() -> Result {
    let dir = run::root().join("target/peers");
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    for peer in PEERS {
        let tree = dir.join(peer.name);
        let done = tree.join("built");
        if fs::read_to_string(&done).is_ok_and(|version| version == peer.version) {
            continue;
        }
        let _ = fs::remove_dir_all(&tree);
        let source = fetch(&dir, peer)?;
        run::run(&format!("cp -r {} {}", source.join(peer.folder).display(), tree.display()))?;
        compile(&tree, peer)?;
        fs::write(&done, peer.version).map_err(|error| error.to_string())?;
    }
    npm(&dir)?;
    let drivers = dir.join("interop");
    fs::create_dir_all(&drivers).map_err(|error| error.to_string())?;
    for peer in PEERS {
        driver(&dir.join(peer.name), &drivers.join(peer.name), peer.name)?;
    }
    Ok(())
}

/// sm-crypto, with what it depends on, in a folder of its own.
fn npm(dir: &Path) -> Result {
    const PACKAGE: &str = "sm-crypto@0.5.8";
    let (dir, done) = (dir.join("npm"), dir.join("npm/installed"));
    if fs::read_to_string(&done).is_ok_and(|text| text == PACKAGE) {
        return Ok(());
    }
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    run::run(&format!(
        "npm install --silent --no-audit --no-fund --no-save --prefix {} {PACKAGE}",
        dir.display()
    ))?;
    fs::write(done, PACKAGE).map_err(|error| error.to_string())
}

/// Where cargo has put the source.
fn fetch(dir: &Path, peer: &Peer) -> Result<PathBuf> {
    let fetch = dir.join("fetch").join(peer.name);
    fs::create_dir_all(fetch.join("src")).map_err(|error| error.to_string())?;
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{} = \"={}\"\n",
        peer.source, peer.version
    );
    let path = fetch.join("Cargo.toml");
    fs::write(&path, manifest).map_err(|error| error.to_string())?;
    fs::write(fetch.join("src/lib.rs"), "").map_err(|error| error.to_string())?;
    let line = format!("cargo metadata --format-version 1 --manifest-path {}", path.display());
    let metadata: Value =
        serde_json::from_str(&run::output(&line)?).map_err(|error| error.to_string())?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == peer.source)
        .and_then(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(Path::to_owned)
        .ok_or_else(|| format!("cargo did not fetch {}", peer.source))
}

fn compile(tree: &Path, peer: &Peer) -> Result {
    let jobs = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    for line in [
        format!(
            "perl ./Configure no-tests no-shared no-module no-legacy --libdir=lib {}",
            peer.options
        ),
        format!("make -s -j{jobs} build_generated"),
        format!("make -s -j{jobs} libcrypto.a libssl.a apps/openssl"),
    ] {
        let log = fs::File::create(tree.join("build.log")).map_err(|error| error.to_string())?;
        let mut command = run::command(&line);
        command.current_dir(tree).stdout(log);
        run::run_command(&mut command, &line)?;
    }
    Ok(())
}

/// The program of `crates/interop` that asks the peer's library.
fn driver(tree: &Path, program: &Path, name: &str) -> Result {
    run::run(&format!(
        "cc -O1 -Wall -Wextra -Werror -I{tree}/include crates/interop/peers/{name}.c -o {} \
         {tree}/libcrypto.a -lpthread -ldl",
        program.display(),
        tree = tree.display()
    ))
}
