//! The system packages that the tests need.

use crate::run::{self, Result};

/// Debian package, and a command that shows it is there.
const NEEDED: &[(&str, &str)] = &[
    ("build-essential", "c++ --version"),
    ("openssl", "openssl version"),
    ("python3", "python3 --version"),
    ("python3-venv", "python3 -c import\u{a0}ensurepip"),
    ("cmake", "cmake --version"),
    ("util-linux", "prlimit --version"),
    ("bsdutils", "script --version"),
    ("diffutils", "cmp --version"),
    ("clang", "clang --version"),
    ("libclang-rt-dev", "sh -c ls\u{a0}$(clang\u{a0}-print-runtime-dir)/libclang_rt.asan*"),
    ("default-jdk-headless", "javac -version"),
    ("libjna-java", "test -e /usr/share/java/jna.jar"),
    ("perl", "perl -MFile::Compare -e 1"),
    ("pkg-config", "pkg-config --version"),
    ("nodejs", "node --version"),
    ("npm", "npm --version"),
    ("botan", "botan version"),
    ("valgrind", "valgrind --version"),
    ("strace", "strace --version"),
    ("curl", "curl --version"),
    ("nats-server", "nats-server --version"),
    ("syslog-ng-core", "syslog-ng --version"),
    // PKCS#11's clients, and a module to compare with.
    ("opensc", "which pkcs11-tool"),
    ("gnutls-bin", "which p11tool"),
    ("libengine-pkcs11-openssl", "openssl engine pkcs11"),
    ("softhsm2", "which softhsm2-util"),
];

/// The same for building and running on other targets.
const NEEDED_FOR_CROSS: &[(&str, &str)] = &[
    ("gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc --version"),
    ("libc6-dev-arm64-cross", "test -e /usr/aarch64-linux-gnu/include/stdio.h"),
    ("libc6-riscv64-cross", "test -e /usr/riscv64-linux-gnu/lib/libc.so.6"),
    ("qemu-user", "qemu-aarch64 --version"),
];

/// What the tests need, all of it at once: nobody wants to be asked twice.
pub(crate) fn install() -> Result {
    install_missing(&[NEEDED, NEEDED_FOR_CROSS].concat())
}

/// What `cargo xtask cross` needs.
pub(crate) fn install_for_cross() -> Result {
    install_missing(NEEDED_FOR_CROSS)
}

/// Installs what is missing when root on a system with `apt-get`; otherwise prints the command
/// and stops.
fn install_missing(needed: &[(&'static str, &str)]) -> Result {
    let missing: Vec<_> =
        needed.iter().filter(|(_, probe)| !present(probe)).map(|(package, _)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = format!("apt-get install -y --no-install-recommends {}", missing.join(" "));
    let is_root = run::output("id -u").is_ok_and(|id| id.trim() == "0");
    if !is_root || !run::succeeds("apt-get --version") {
        return Err(format!(
            "packages are missing; install them and start again:\n  \
             sudo apt-get update && sudo {install}"
        ));
    }
    run::run("apt-get update -qq")?;
    run::run(&install)
}

/// Words are split at blanks; a no-break space stands for a blank inside a word.
fn present(probe: &str) -> bool {
    let words: Vec<_> = probe.split(' ').map(|word| word.replace('\u{a0}', " ")).collect();
    std::process::Command::new(&words[0])
        .args(&words[1..])
        .output()
        .is_ok_and(|output| output.status.success())
}
