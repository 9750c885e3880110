//! Developer commands. `cargo xtask test` is what CI runs.

mod abi;
mod arrows;
mod asan;
mod bench;
mod book;
mod cross;
mod ct;
mod ffi;
mod ffi_tls;
mod fuzz;
mod header;
mod install;
mod interop;
mod packages;
mod peers;
mod python;
mod run;
mod second_class;
mod soak;
mod test;
mod zig;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test          everything CI runs, in its short form
cargo xtask arrows        check that crates use each other only as docs/architecture says
cargo xtask cross [short] build for ARM64 (glibc, musl) and static x86-64, test under qemu-user
cargo xtask ct [short]    constant time, traced on the machine code; planted leaks must be found
cargo xtask peers         build and install other implementations under target/peers, once
cargo xtask interop       compare with all of them, both ways, and print the matrix
cargo xtask bench [table] criterion benches; or the table of the book, beside OpenSSL 4 and Tongsuo
cargo xtask bench tls     handshakes and data in memory, beside aws-lc-rs, OpenSSL 4 and Tongsuo
cargo xtask bench presidio  what masking finds of a corpus, beside Presidio without a model
cargo xtask bench --check instructions per operation, against benches/baseline.json (--baseline writes it)
cargo xtask fuzz [SECS]   each fuzz target for SECS seconds (default 60); needs a nightly and cargo-fuzz
cargo xtask soak          big files, kills and devices that go away, for hours
cargo xtask asan          what has `unsafe` in it, under AddressSanitizer; needs a nightly
cargo xtask ffi           test the C ABI from C, C++, Python and Java
cargo xtask install DIR   install libgmkit, gmkit.h, pkg-config and CMake files under DIR
cargo xtask header        write ffi/include/gmkit.h from the source of the C ABI
cargo xtask book          check the book, and build it if mdbook is installed";

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        ["test"] => test::all(),
        ["arrows"] => arrows::check(),
        ["cross"] => cross::run(),
        ["cross", "short"] => cross::test().map(|_| ()),
        ["ct"] => ct::run(),
        ["ct", "short"] => ct::test().map(|_| ()),
        ["peers"] => packages::install().and_then(|()| test::peers().map(|_| ())),
        ["interop"] => test::peers().and_then(|_| interop::run()),
        ["bench"] => bench::run(),
        ["bench", "--check"] => packages::install().and_then(|()| bench::check()),
        ["bench", "--baseline"] => packages::install().and_then(|()| bench::write_baseline()),
        ["bench", "tls"] => test::peers().and_then(|_| bench::tls()),
        ["bench", "presidio"] => packages::install().and_then(|()| bench::presidio()),
        ["bench", "table"] => test::peers().and_then(|_| bench::table()),
        ["fuzz"] => fuzz::run("60"),
        ["fuzz", seconds] => fuzz::run(seconds),
        ["asan"] => packages::install().and_then(|()| asan::run()),
        ["soak"] => test::peers().and_then(|_| soak::run()),
        ["ffi"] => packages::install().and_then(|()| ffi::test()),
        ["install", prefix] => install::release(prefix),
        ["header"] => header::write(),
        ["book"] => book::check(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
