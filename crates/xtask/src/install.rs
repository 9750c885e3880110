//! `cargo xtask install PREFIX`: the C ABI as C programs expect it: header, shared and static
//! library, pkg-config file and CMake package.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::{
    abi::SONAME,
    run::{self, Result},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Builds for this machine and installs.
pub(crate) fn release(prefix: &str) -> Result {
    run::run("cargo build --release --package gmkit-ffi")?;
    stage(&run::root().join("target/release"), Path::new(prefix), "")
}

/// Installs what was built into `built`. `tools` is the prefix of the target's binutils, as
/// `aarch64-linux-gnu-`.
pub(crate) fn stage(built: &Path, prefix: &Path, tools: &str) -> Result {
    let lib = prefix.join("lib");
    for dir in ["include", "lib/pkgconfig", "lib/cmake/gmkit"] {
        fs::create_dir_all(prefix.join(dir)).map_err(|error| format!("{dir}: {error}"))?;
    }
    let ffi = run::root().join("ffi");
    copy(&ffi.join("include/gmkit.h"), &prefix.join("include/gmkit.h"))?;
    let cmake = lib.join("cmake/gmkit");
    copy(&ffi.join("cmake/gmkit-config.cmake"), &cmake.join("gmkit-config.cmake"))?;
    fill(
        &ffi.join("cmake/gmkit-config-version.cmake.in"),
        &cmake.join("gmkit-config-version.cmake"),
    )?;
    fill(&ffi.join("gmkit.pc.in"), &lib.join("pkgconfig/gmkit.pc"))?;
    install_archive(&built.join("libgmkit.a"), &lib.join("libgmkit.a"), tools)?;
    let shared = built.join("libgmkit.so");
    if shared.exists() {
        let versioned = format!("libgmkit.so.{VERSION}");
        copy(&shared, &lib.join(&versioned))?;
        link(&versioned, &lib.join(SONAME))?;
        link(SONAME, &lib.join("libgmkit.so"))?;
    }
    Ok(())
}

/// One object whose only global definitions are `gmkit_*`: a program may link another Rust library
/// beside it without meeting two standard libraries.
fn install_archive(from: &Path, to: &Path, tools: &str) -> Result {
    let object = to.with_extension("o");
    let (from, to, object) = (from.display(), to, object.as_path());
    run::run(&format!("{tools}ld -r --whole-archive {from} -o {}", object.display()))?;
    // The standard library's objects carry LLVM bitcode, glued together by now: tools with an
    // LLVM plugin stumble over it.
    run::run(&format!(
        "{tools}objcopy --wildcard --keep-global-symbol=gmkit_* --strip-debug \
         --remove-section=.llvmbc --remove-section=.llvmcmd {}",
        object.display()
    ))?;
    remove(to)?;
    run::run(&format!("{tools}ar rcs {} {}", to.display(), object.display()))?;
    remove(object)
}

fn copy(from: &Path, to: &PathBuf) -> Result {
    // A new file: a running program keeps the one it has mapped.
    remove(to)?;
    fs::copy(from, to).map(|_| ()).map_err(|error| format!("{}: {error}", from.display()))
}

/// Copies a template.
fn fill(from: &Path, to: &PathBuf) -> Result {
    let text = fs::read_to_string(from).map_err(|error| format!("{}: {error}", from.display()))?;
    let text = text
        .replace("@VERSION@", VERSION)
        .replace("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR"))
        .replace("@MINOR@", env!("CARGO_PKG_VERSION_MINOR"));
    fs::write(to, text).map_err(|error| format!("{}: {error}", to.display()))
}

fn link(target: &str, at: &PathBuf) -> Result {
    remove(at)?;
    symlink(target, at).map_err(|error| format!("{}: {error}", at.display()))
}

fn remove(path: &Path) -> Result {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}
