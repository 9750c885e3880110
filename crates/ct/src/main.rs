//! Constant time, checked on the machine code that ships. The harness (`harness.c`) calls the C ABI
//! with a secret; this program runs it instruction by instruction, for several secrets, and
//! compares the address of every instruction and of every byte of memory that it touches. Any
//! difference is a branch, an index or an allocation that depends on a secret. Unlike tools that
//! emulate the CPU, this one sees every instruction that the CPU has.
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

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const USAGE: &str = "\
gmkit-ct HARNESS SECRETS BACKEND [OPERATION...]

Runs each operation (all by default) of HARNESS over SECRETS different secrets and compares the
addresses. BACKEND is the name of the backend that must run. Exit code 1: a difference.";

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(([harness, secrets, backend], names)) = args.split_first_chunk() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let Ok(secrets @ 2..) = secrets.parse::<usize>() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match operations::check_all(harness.as_ref(), secrets, backend, names) {
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
