//! Constant time, checked on the machine code that ships. The harness (`harness.c`) calls the C ABI
//! with a secret; this program runs it instruction by instruction, for several secrets, and
//! compares the address of every instruction and of every byte of memory that it touches. Any
//! difference is a branch, an index or an allocation that depends on a secret. Unlike tools that
//! emulate the CPU, this one sees every instruction that the CPU has.
//!
//! The second way, for backends whose instructions valgrind knows: the secrets are marked as
//! undefined, and memcheck reports every branch and every address that depends on them. It needs
//! no second secret to compare with, but it emulates, and hides newer instructions from programs.
//!
//! `cargo xtask ct` builds what is needed and calls it.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod compare;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod operations;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod symbol;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod trace;

mod undefined;

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const USAGE: &str = "\
gmkit-ct HARNESS SECRETS BACKENDS [OPERATION...]
gmkit-ct HARNESS undefined BACKENDS [OPERATION...]

Runs each operation (all by default) of HARNESS over SECRETS different secrets and compares the
addresses; or runs them under valgrind with their secrets marked as undefined. BACKENDS are the
names of the backends of SM2, SM3 and SM4 that must run, with commas between them. Exit code 1: a branch or an address depends on a secret.";

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(([harness, secrets, backend], names)) = args.split_first_chunk() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let checked = match secrets.parse::<usize>() {
        _ if secrets == "undefined" => undefined::check(harness.as_ref(), backend, names),
        Ok(secrets @ 2..) => operations::check_all(harness.as_ref(), secrets, backend, names),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match checked {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("gmkit-ct: {reason}");
            ExitCode::from(2)
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() -> ExitCode {
    eprintln!("gmkit-ct traces programs on Linux for x86-64 only");
    ExitCode::from(2)
}
