//! `cargo xtask cross`: builds for the first-class targets and tests there, under qemu-user where
//! this machine cannot run them. No container is needed.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    abi, ffi, ffi_tls, install, packages,
    run::{self, Result},
    second_class,
    test::Outcome,
    zig,
};

struct Target {
    triple: &'static str,
    /// The target as zig names it; with glibc, its oldest version that must do.
    zig: &'static str,
    /// Linker of the test programs, where the host's own does not do.
    linker: Option<&'static str>,
    /// Prefix of its binutils.
    tools: &'static str,
    /// What runs its binaries here.
    runner: &'static [&'static str],
    /// Whether its binaries need no library of the system.
    is_static: bool,
}

const ARM64_LINKER: Option<&str> = Some("aarch64-linux-gnu-gcc");

/// The first is this machine.
const TARGETS: &[Target] = &[
    Target {
        triple: "x86_64-unknown-linux-gnu",
        zig: "x86_64-linux-gnu.2.28",
        linker: None,
        tools: "",
        runner: &[],
        is_static: false,
    },
    Target {
        triple: "aarch64-unknown-linux-gnu",
        zig: "aarch64-linux-gnu.2.28",
        linker: ARM64_LINKER,
        tools: "aarch64-linux-gnu-",
        runner: &["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
        is_static: false,
    },
    Target {
        triple: "aarch64-unknown-linux-musl",
        zig: "aarch64-linux-musl",
        linker: ARM64_LINKER,
        tools: "aarch64-linux-gnu-",
        runner: &["qemu-aarch64"],
        is_static: true,
    },
    Target {
        triple: "x86_64-unknown-linux-musl",
        zig: "x86_64-linux-musl",
        linker: None,
        tools: "",
        runner: &[],
        is_static: true,
    },
];

/// Largest acceptable sizes in bytes: the vectors binary, and the shared library, a third of which is
/// masking, with its regular expressions and Unicode's tables, and an eighth TLS.
const MAX_VECTORS: u64 = 8 << 20;
const MAX_LIBRARY: u64 = 10 << 20;

/// How much of it is done.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// The crates' tests and the command's flows on every target.
    Long,
    /// The static programs are built from the code of the others: there the vectors have to do, and
    /// the crates' tests run on ARM64 once. What is for other machines is optimised crate by crate.
    Short,
}

impl Form {
    /// How cargo builds libraries that are not run.
    pub(crate) fn build(self) -> &'static str {
        match self {
            Self::Long => "build",
            Self::Short => "check",
        }
    }

    /// How cargo builds a release of what does not run on this machine.
    pub(crate) fn profile(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Long => &[],
            Self::Short => &[
                ("CARGO_PROFILE_RELEASE_LTO", "false"),
                ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ],
        }
    }
}

/// Builds and tests every target. Those that are not first class may be missing, which is said.
pub(crate) fn run() -> Result {
    if let Some(target) = TARGETS.iter().find(|target| !second_class::available(target.triple)) {
        return Err(format!("rustup cannot get {} here", target.triple));
    }
    if let Outcome::NotRun(reason) = all(Form::Long)? {
        println!("NOT RUN in full: {reason}");
    }
    Ok(())
}

/// The same as a part of `cargo xtask test`, which goes on where rustup cannot get a target.
pub(crate) fn test() -> Result<Outcome> {
    all(Form::Short)
}

fn all(form: Form) -> Result<Outcome> {
    packages::install_for_cross()?;
    for target in TARGETS {
        println!("\n--> {}", target.triple);
        if !second_class::available(target.triple) {
            return Ok(Outcome::NotRun(format!("rustup cannot get {} here", target.triple)));
        }
        target.build(form)?;
        check_vectors(target, form)?;
        if !target.is_static || form == Form::Long {
            check_c_abi(target)?;
        }
        if !target.is_static {
            check_token(target)?;
            check_tls(target)?;
        }
        if target.zig.starts_with("x86_64-linux-gnu") {
            abi::check_bites(&target.release().join("libgmkit.a"))?;
            check_start(&target.release().join("gmkit"))?;
        } else if !target.is_static || form == Form::Long {
            let cores = "--package gmkit-sm3 --package gmkit-sm4 --package gmkit-sm2";
            target.cargo(&format!("test {cores} --tests --all-features"))?;
            if form == Form::Long && !target.is_static {
                // With its layers, whose tests serve the host's curl.
                target.cargo("test --package gmkit-mask --all-features --tests")?;
            }
            test_command(target, form)?;
        }
    }
    second_class::test(form)
}

impl Target {
    /// The programs and libraries, as users get them.
    fn build(&self, form: Form) -> Result {
        let packages = "--package gmkit-vectors --package gmkit-ffi --package gmkit-cli";
        let profile = if self.runner.is_empty() && !self.is_static { &[] } else { form.profile() };
        if self.is_static {
            // A static program cannot load a module, and the token is nothing else.
            let packages = if form == Form::Short { "--package gmkit-vectors" } else { packages };
            return self.cargo_with(&format!("build --release {packages}"), profile);
        }
        let glibc = self.zig.split_once("gnu.").map_or("", |(_, version)| version);
        let packages = format!("{packages} --package gmkit-token");
        zig::cargo(&format!("--release {packages} --target {}.{glibc}", self.triple), profile)?;
        let built = self.release();
        abi::check_library(&built.join("libgmkit.so"))?;
        abi::check_needs(&built.join("gmkit"))?;
        abi::check_needs(&built.join("gmkit-vectors"))?;
        abi::check_module(&built.join("libgmkit_token.so"))?;
        if profile.is_empty() {
            check_size(&built.join("libgmkit.so"), MAX_LIBRARY)
        } else {
            Ok(())
        }
    }

    fn release(&self) -> PathBuf {
        run::root().join("target").join(self.triple).join("release")
    }

    fn cargo(&self, args: &str) -> Result {
        self.cargo_with(args, &[])
    }

    fn cargo_with(&self, args: &str, environment: &[(&str, &str)]) -> Result {
        let line = format!("cargo {args} --target {}", self.triple);
        let mut command = run::command(&line);
        let variable = self.triple.replace('-', "_").to_uppercase();
        if let Some(linker) = self.linker {
            command.env(format!("CARGO_TARGET_{variable}_LINKER"), linker);
        }
        if !self.runner.is_empty() {
            command.env(format!("CARGO_TARGET_{variable}_RUNNER"), self.runner.join(" "));
        }
        command.envs(environment.iter().copied());
        run::run_command(&mut command, &line)
    }

    /// A command line that runs one of its binaries here.
    fn binary(&self, name: &str) -> Vec<String> {
        self.start(&self.release().join(name))
    }

    fn start(&self, path: &Path) -> Vec<String> {
        let runner = self.runner.iter().map(|word| (*word).to_owned());
        runner.chain([path.display().to_string()]).collect()
    }
}

/// The vectors pass on the target, the report is signed there and verified by the host's command
/// and the target's; size and linkage are as promised.
fn check_vectors(target: &Target, form: Form) -> Result {
    let dir = run::root().join("target").join(target.triple).join("vectors");
    std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let at = |name: &str| dir.join(name).display().to_string();
    let _ = std::fs::remove_file(at("key.pem"));
    let _ = std::fs::remove_file(at("pub.pem"));
    let host = TARGETS[0].binary("gmkit");
    let built = !target.is_static || form == Form::Long;
    let gmkit = if built { target.binary("gmkit") } else { host.clone() };
    let vectors = target.binary("gmkit-vectors");
    let keygen = ["keygen", "-o", &at("key.pem"), "-p", &at("pub.pem"), "--no-passphrase"];
    start(&gmkit, &keygen)?;
    start(&vectors, &["-o", &at("report.json"), "--sign", &at("key.pem")])?;
    let verify = ["verify", "-p", &at("pub.pem"), "-s", &at("report.json.sig"), &at("report.json")];
    for verifier in [&gmkit, &host] {
        start(verifier, &verify)?;
    }

    let path = vectors.last().expect("a binary");
    check_size(Path::new(path), MAX_VECTORS)?;
    if target.is_static && !is_static(path)? {
        return Err(format!("{path} wants a dynamic linker"));
    }
    Ok(())
}

/// The target's command makes a key in the target's token and signs with it; this machine verifies.
fn check_token(target: &Target) -> Result {
    let dir = run::root().join("target").join(target.triple).join("token");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    for (name, text) in [("pin", "87654321"), ("so-pin", "12345678"), ("file", "to be signed")] {
        std::fs::write(dir.join(name), text).map_err(|error| error.to_string())?;
    }
    let module = target.release().join("libgmkit_token.so");
    let key =
        format!("pkcs11:token=t;object=k?pin-source=file:pin&module-path={}", module.display());
    let host = TARGETS[0].binary("gmkit");
    for (program, line) in [
        (
            target.binary("gmkit"),
            "token init --dir token --label t --pin-file pin --so-pin-file so-pin",
        ),
        (target.binary("gmkit"), "hsm keygen -k KEY -p public.pem"),
        (target.binary("gmkit"), "sign -k KEY -o signature file"),
        (target.binary("gmkit"), "hsm test -k KEY --pace 0"),
        (host, "verify -p public.pem -s signature file"),
    ] {
        let line = line.replace("KEY", &key);
        let mut command = Command::new(&program[0]);
        command.args(&program[1..]).args(line.split(' ')).current_dir(&dir);
        command.env("GMKIT_TOKEN_DIR", dir.join("token"));
        run::run_command(&mut command, &format!("{} {line}", program.join(" ")))?;
    }
    Ok(())
}

/// The target's command serves TLS, and this machine's connects to it.
fn check_tls(target: &Target) -> Result {
    let dir = run::root().join("target").join(target.triple).join("tls");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let host = TARGETS[0].binary("gmkit");
    let gmkit = |line: &str| {
        let mut command = Command::new(&host[0]);
        command.args(&host[1..]).args(line.split(' ')).current_dir(&dir);
        run::run_command(&mut command, &format!("{} {line}", host.join(" ")))
    };
    gmkit("keygen --no-passphrase -o ca.key")?;
    gmkit("cert ca -k ca.key --subject CN=CA,C=CN -o ca.pem")?;
    gmkit("keygen --no-passphrase -o a.key")?;
    gmkit("cert csr -k a.key --subject CN=a,C=CN --san DNS:localhost -o a.csr")?;
    gmkit("cert issue --ca ca.pem -k ca.key --csr a.csr --profile tls-server -o a.pem")?;
    let program = target.binary("gmkit");
    let line = "tls serve -c a.pem -k a.key --listen 127.0.0.1:0 --connections 1";
    let mut server = Command::new(&program[0])
        .args(&program[1..])
        .args(line.split(' '))
        .current_dir(&dir)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{line}: {error}"))?;
    let mut said = String::new();
    let listening =
        server.stdout.take().map(BufReader::new).map(|mut out| out.read_line(&mut said));
    let done = match (listening, said.trim().rsplit(':').next()) {
        (Some(Ok(_)), Some(port)) => {
            gmkit(&format!("tls connect --ca ca.pem --name localhost 127.0.0.1:{port}"))
        }
        _ => Err(format!("{line} said {said:?}")),
    };
    let _ = server.kill();
    let _ = server.wait();
    done
}

/// `gmkit --version` costs next to nothing: under ten million instructions, a few milliseconds.
fn check_start(program: &Path) -> Result {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg("--version")
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text.split("Collected : ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let count: u64 =
        count.and_then(|count| count.parse().ok()).ok_or("callgrind counted nothing")?;
    println!("{} --version: {count} instructions", program.display());
    if count > 10_000_000 {
        return Err(format!("--version takes {count} instructions"));
    }
    Ok(())
}

fn check_size(path: &Path, most: u64) -> Result {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    println!("{}: {size} bytes", path.display());
    if size > most {
        return Err(format!("{} has {size} bytes, more than {most}", path.display()));
    }
    Ok(())
}

/// The C programs run on the target: with the shared library where there is one, else with the
/// static one. A signature made there is one for the host's OpenSSL.
fn check_c_abi(target: &Target) -> Result {
    let dir = run::root().join("target").join(target.triple).join("c-abi");
    let prefix = dir.join("prefix");
    install::stage(&target.release(), &prefix, target.tools)?;
    let library = if target.is_static { "-static -lunwind" } else { "-lpthread" };
    let compile = |source: &Path, out: &Path| {
        zig::cc(&format!(
            "-target {} -std=c99 {} -DEXPECTED_VERSION=\"{}\" -I{prefix}/include {} -o {} \
             -L{prefix}/lib -lgmkit {library}",
            target.zig,
            ffi::FLAGS,
            env!("CARGO_PKG_VERSION"),
            source.display(),
            out.display(),
            prefix = prefix.display(),
        ))
    };
    let run = |program: &Path, args: &[&str]| {
        let words = target.start(program);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(args).current_dir(&dir);
        command.env("LD_LIBRARY_PATH", prefix.join("lib"));
        run::run_command(&mut command, &format!("{} {}", words.join(" "), args.join(" ")))
    };
    ffi_tls::files(&dir)?;
    for program in ffi::PROGRAMS {
        let out = dir.join(program);
        compile(&run::root().join("ffi/tests").join(format!("{program}.c")), &out)?;
        // Each format of keys derives them anew, which takes its time under qemu.
        run(&out, if program == "functions" { &["1"] } else { &[] })?;
    }
    let sign = dir.join("sign");
    compile(&run::root().join("ffi/examples/sign.c"), &sign)?;
    let peer = ffi::OpenSsl::new(&dir)?;
    run(&sign, &["sign", "key.pem", "file", "signature"])?;
    peer.verify(&dir.join("signature"))?;
    peer.sign(&dir.join("signature"))?;
    run(&sign, &["verify", "public.pem", "file", "signature"])
}

/// Whether an ELF file names no interpreter.
fn is_static(path: &str) -> Result<bool> {
    let headers = run::output(&format!("readelf --program-headers --wide {path}"))?;
    Ok(!headers.contains("INTERP"))
}

/// The flows of the command's tests, run by the host with the target's binary.
fn test_command(target: &Target, form: Form) -> Result {
    // Key derivation takes its time under qemu.
    let (more, skip) = match form {
        Form::Long => ("--test audit --test cms --test bad_input --test cert --test mask", ""),
        Form::Short => ("--test audit --test mask", "--skip encrypted_keys"),
    };
    // The workspace's tests have been built.
    let line = format!(
        "cargo test --workspace --test flows {more} -- {skip} --skip any_size \
         --skip progress_bar --skip sealed_binary --skip broken_pipe --skip flipped_bit --skip tour \
         --skip without_threads"
    );
    let mut command = run::command(&line);
    command.env("GMKIT_UNDER_TEST", target.binary("gmkit").join(" "));
    run::run_command(&mut command, &line)
}

fn start(program: &[String], args: &[&str]) -> Result {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).args(args).current_dir(run::root());
    run::run_command(&mut command, &format!("{} {}", program.join(" "), args.join(" ")))
}
