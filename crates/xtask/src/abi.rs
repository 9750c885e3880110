//! What the finished ELF files want from the system, and what they show to programs. These are
//! promises: any Linux with glibc 2.28, pages of up to 64 KiB, nothing but libc, and exactly the
//! functions of the header.

use std::{fs, path::Path};

use goblin::elf::{
    Elf,
    header::EM_AARCH64,
    program_header::{PF_X, PT_GNU_RELRO, PT_GNU_STACK, PT_LOAD},
};

use crate::{
    header,
    run::{self, Result},
    zig,
};

/// Newest glibc that may be needed: Kylin V10, UOS 20 and NeoKylin have this one.
const GLIBC_FLOOR: (u32, u32) = (2, 28);

/// Libraries that may be needed, without their version; `ld-linux` is a part of libc.
const LIBRARIES: &[&str] = &["libc", "libm", "libdl", "libpthread", "libgcc_s", "ld-linux"];

/// Functions of PKCS#11 3.0.
const PKCS11_FUNCTIONS: usize = 92;

const PAGE: u64 = 64 << 10;

pub(crate) const SONAME: &str = "libgmkit.so.0";

/// Checks a shared library: its needs, its name, and that it exports the header's functions and
/// nothing else.
pub(crate) fn check_library(path: &Path) -> Result {
    report(path, &library_faults(path)?)
}

/// Checks the exports alone: for a build whose glibc is this machine's.
pub(crate) fn check_exports(path: &Path) -> Result {
    let bytes = read(path)?;
    report(path, &export_faults(&parse(&bytes)?)?)
}

/// Checks a program or a library: what it needs from the system, and that it is no lab build.
pub(crate) fn check_needs(path: &Path) -> Result {
    let bytes = read(path)?;
    let mut faults = need_faults(&parse(&bytes)?);
    faults.extend(lab_fault(&bytes));
    report(path, &faults)
}

/// What the token's lab build has in it, and no file that is released.
const LAB: &[u8] = b"gmkit token lab build";

fn lab_fault(bytes: &[u8]) -> Option<String> {
    let found = bytes.windows(LAB.len()).any(|window| window == LAB);
    found.then(|| "is a lab build".to_owned())
}

/// Checks a PKCS#11 module: its needs, and that it exports the standard's functions and no others.
pub(crate) fn check_module(path: &Path) -> Result {
    let bytes = read(path)?;
    let elf = parse(&bytes)?;
    let mut faults = need_faults(&elf);
    faults.extend(lab_fault(&bytes));
    let exported = exports(&elf);
    let others = exported.iter().filter(|name| !name.starts_with("C_"));
    faults.extend(others.map(|name| format!("exports {name}")));
    if exported.len() != PKCS11_FUNCTIONS {
        faults.push(format!("exports {} functions", exported.len()));
    }
    report(path, &faults)
}

fn report(path: &Path, faults: &[String]) -> Result {
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!("{}:\n  {}", path.display(), faults.join("\n  ")))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn parse(bytes: &[u8]) -> Result<Elf<'_>> {
    Elf::parse(bytes).map_err(|error| error.to_string())
}

fn library_faults(path: &Path) -> Result<Vec<String>> {
    let bytes = read(path)?;
    let elf = parse(&bytes)?;
    Ok([need_faults(&elf), export_faults(&elf)?].concat())
}

fn export_faults(elf: &Elf<'_>) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    if elf.soname != Some(SONAME) {
        faults.push(format!("its SONAME is {:?}", elf.soname));
    }
    let exported = exports(elf);
    let promised = header::functions()?;
    let missing = promised.iter().filter(|name| !exported.contains(name));
    faults.extend(missing.map(|name| format!("does not export {name}")));
    let extra = exported.iter().filter(|name| !promised.contains(name));
    faults.extend(extra.map(|name| format!("exports {name}, which the header lacks")));
    Ok(faults)
}

/// The names that other files may bind to.
fn exports(elf: &Elf<'_>) -> Vec<String> {
    elf.dynsyms
        .iter()
        .filter(|symbol| !symbol.is_import() && symbol.st_shndx != 0)
        .filter_map(|symbol| elf.dynstrtab.get_at(symbol.st_name).map(str::to_owned))
        .collect()
}

fn need_faults(elf: &Elf<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for library in &elf.libraries {
        let allowed = LIBRARIES.iter().any(|name| {
            library.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '-']))
        });
        if !allowed {
            faults.push(format!("needs {library}"));
        }
    }
    faults.extend(
        version_needs(elf)
            .filter(|name| newer_than_floor(name))
            .map(|name| format!("needs {name}")),
    );
    // Only ARM64 kernels have pages of that size.
    if elf.header.e_machine == EM_AARCH64 {
        let loaded = elf.program_headers.iter().filter(|header| header.p_type == PT_LOAD);
        let small = loaded.filter(|header| header.p_align < PAGE);
        faults.extend(small.map(|header| format!("is aligned to {} bytes only", header.p_align)));
    }
    // Without the header the stack would be executable.
    let stack = elf.program_headers.iter().find(|header| header.p_type == PT_GNU_STACK);
    if stack.is_none_or(|header| header.p_flags & PF_X != 0) {
        faults.push("wants an executable stack".to_owned());
    }
    if !elf.program_headers.iter().any(|header| header.p_type == PT_GNU_RELRO) {
        faults.push("has no RELRO segment".to_owned());
    }
    faults
}

/// Versions of foreign symbols, as `GLIBC_2.17`.
fn version_needs<'e>(elf: &'e Elf<'_>) -> impl Iterator<Item = String> + 'e {
    elf.verneed.iter().flat_map(|section| section.iter()).flat_map(|need| {
        need.iter()
            .filter_map(|aux| elf.dynstrtab.get_at(aux.vna_name).map(str::to_owned))
            .collect::<Vec<_>>()
    })
}

/// Also true for `GLIBC_PRIVATE` and whatever else is no number.
fn newer_than_floor(version: &str) -> bool {
    let Some(number) = version.strip_prefix("GLIBC_") else {
        return false;
    };
    let mut parts = number.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) > GLIBC_FLOOR,
        _ => true,
    }
}

/// Shows that the check bites: the same library with one more function in it, which calls
/// something that glibc has had since 2.36 only, must be refused for both.
pub(crate) fn check_bites(archive: &Path) -> Result {
    let dir = run::root().join("target/abi");
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let planted = dir.join("planted.c");
    let code = "unsigned arc4random(void);\n\
                unsigned gmkit_planted(void);\n\
                unsigned gmkit_planted(void) { return arc4random(); }\n";
    fs::write(&planted, code).map_err(|error| error.to_string())?;
    let clean = link(archive, None)?;
    let dirty = link(archive, Some(&planted))?;
    report(&clean, &library_faults(&clean)?)?;
    let faults = library_faults(&dirty)?;
    for wanted in ["exports gmkit_planted, which the header lacks", "needs GLIBC_2.36"] {
        if !faults.iter().any(|fault| fault == wanted) {
            return Err(format!("the ABI check did not say \"{wanted}\" but: {faults:?}"));
        }
    }
    println!("a planted export and a planted symbol of glibc 2.36 are refused: {faults:?}");
    Ok(())
}

/// Makes a shared library out of the static one; with `more` in it, for a newer glibc.
fn link(archive: &Path, more: Option<&Path>) -> Result<std::path::PathBuf> {
    let dir = run::root().join("target/abi");
    let script = dir.join("exports.map");
    fs::write(&script, "{ global: gmkit_*; local: *; };\n").map_err(|error| error.to_string())?;
    let out = dir.join(if more.is_some() { "planted.so" } else { "clean.so" });
    let glibc = if more.is_some() { "2.36" } else { "2.28" };
    let line = format!(
        "-target x86_64-linux-gnu.{glibc} -shared -o {} -Wl,--whole-archive {} \
         -Wl,--no-whole-archive {} -Wl,--version-script={} -Wl,-soname,{SONAME} \
         -Wl,-z,max-page-size=65536 -lpthread -ldl -lm",
        out.display(),
        archive.display(),
        more.map(|path| path.display().to_string()).unwrap_or_default(),
        script.display()
    );
    zig::cc(&line)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_abi_number_is_that_of_the_soname() {
        let header = fs::read_to_string(run::root().join("ffi/include/gmkit.h")).unwrap();
        let number = SONAME.strip_prefix("libgmkit.so.").unwrap();
        assert!(header.contains(&format!("#define GMKIT_ABI_VERSION {number}\n")));
    }

    #[test]
    fn the_floor() {
        for (version, newer) in [
            ("GLIBC_2.2.5", false),
            ("GLIBC_2.28", false),
            ("GLIBC_2.29", true),
            ("GLIBC_3.0", true),
            ("GLIBC_PRIVATE", true),
            ("GCC_3.0", false),
        ] {
            assert_eq!(newer_than_floor(version), newer, "{version}");
        }
    }
}
