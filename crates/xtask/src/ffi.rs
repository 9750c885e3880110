//! `cargo xtask ffi`: the C ABI, seen from C, C++, Python and Java.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    abi, ffi_tls, header, install,
    run::{self, Result},
};

/// The C programs in `ffi/tests`.
pub(crate) const PROGRAMS: [&str; 8] =
    ["functions", "errors", "messages", "sequences", "threads", "tls", "audit", "mask"];

/// What the tests of the C ABI need, and the book: one line, so that cargo builds it once.
pub(crate) const BUILD: &str =
    "cargo build --package gmkit-ffi --package gmkit-cli --package gmkit-token";

/// How every program is compiled, beside the language.
pub(crate) const FLAGS: &str = "-Wall -Wextra -Werror -pedantic -g";

/// Compilers, and the language they are to see.
const COMPILERS: [&str; 4] =
    ["gcc -std=c99", "clang -std=c99", "g++ -x c++ -std=c++11", "clang++ -x c++ -std=c++11"];

/// Everything about the C ABI that needs no other target.
pub(crate) fn test() -> Result {
    header::check()?;
    check_coverage()?;
    run::run(BUILD)?;
    let dir = fresh_dir("target/ffi")?;
    let prefix = dir.join("prefix");
    install::stage(&run::root().join("target/debug"), &prefix, "")?;
    abi::check_exports(&prefix.join("lib/libgmkit.so"))?;
    ffi_tls::files(&dir)?;
    let stage = Stage { dir, prefix };
    for compiler in COMPILERS {
        stage.programs(compiler)?;
    }
    stage.valgrind()?;
    stage.wiping()?;
    stage.examples()
}

/// Every function of the header is called in the functions test and in the errors test, the last
/// of which is about what can fail; the tests of messages, of TLS, of audit logs and of masking are both.
fn check_coverage() -> Result {
    let source = |name: &str| {
        let path = run::root().join("ffi/tests").join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let messages =
        source("messages.c")? + &source("tls.c")? + &source("audit.c")? + &source("mask.c")?;
    let (works, fails) = (source("functions.c")? + &messages, source("errors.c")? + &messages);
    let header = source("../include/gmkit.h")?;
    let errors = header.lines().filter(|line| line.trim_start().starts_with("GMKIT_"));
    for line in errors.filter(|line| line.contains(" = ")) {
        let pair = line.trim().trim_end_matches(',').replace(" = ", ", ");
        if !works.contains(&format!("{{{pair}}}")) {
            return Err(format!("ffi/tests/functions.c does not pin {{{pair}}}"));
        }
    }
    let cannot_fail = ["_version", "_backend", "_description", "_message", "_selftest"];
    for function in header::functions()? {
        let call = format!("{function}(");
        let fallible = !cannot_fail.iter().any(|end| function.ends_with(end));
        if !works.contains(&call) && function != "gmkit_last_error_message" {
            return Err(format!("ffi/tests/functions.c does not call {function}"));
        }
        if fallible && !fails.contains(&call) {
            return Err(format!("ffi/tests/errors.c does not call {function}"));
        }
    }
    Ok(())
}

fn fresh_dir(name: &str) -> Result<PathBuf> {
    let dir = run::root().join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    Ok(dir)
}

/// An installation to test, and where to work.
struct Stage {
    dir: PathBuf,
    prefix: PathBuf,
}

impl Stage {
    /// The C programs, plain and with the sanitizers.
    fn programs(&self, compiler: &str) -> Result {
        for sanitizers in ["", "-fsanitize=address,undefined -fno-sanitize-recover=all"] {
            for program in PROGRAMS {
                let out = self.dir.join(program);
                let source = run::root().join("ffi/tests").join(format!("{program}.c"));
                self.compile(&format!("{compiler} {FLAGS} {sanitizers}"), &source, &out)?;
                self.run(&mut Command::new(&out))?;
            }
        }
        Ok(())
    }

    /// Compiles with what pkg-config says.
    fn compile(&self, compiler: &str, source: &Path, out: &Path) -> Result {
        let pc = self.prefix.join("lib/pkgconfig");
        let mut command = run::command("pkg-config --cflags --libs gmkit");
        let output = command.env("PKG_CONFIG_PATH", pc).output();
        let output = output.map_err(|error| format!("pkg-config: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let flags = String::from_utf8_lossy(&output.stdout);
        run::run(&format!(
            "{compiler} -DEXPECTED_VERSION=\"{}\" {} -o {} -x none {flags} -lpthread",
            env!("CARGO_PKG_VERSION"),
            source.display(),
            out.display()
        ))
    }

    /// Runs a program that finds the library.
    fn run(&self, command: &mut Command) -> Result {
        let name = format!("{command:?}");
        let lib = self.prefix.join("lib");
        run::run_command(command.current_dir(&self.dir).env("LD_LIBRARY_PATH", lib), &name)
    }

    /// Every error and every leak is a failure; fewer sequences, as it is slow.
    fn valgrind(&self) -> Result {
        for program in PROGRAMS {
            let out = self.dir.join(program);
            let source = run::root().join("ffi/tests").join(format!("{program}.c"));
            self.compile(&format!("gcc -std=c99 {FLAGS}"), &source, &out)?;
            let mut command = Command::new("valgrind");
            // A static table of x509-parser is found by a pointer to its middle only: "possibly lost".
            let leaks = [
                "--leak-check=full",
                "--show-leak-kinds=definite",
                "--errors-for-leak-kinds=definite",
            ];
            command.args(["--quiet", "--error-exitcode=99"]).args(leaks).arg(&out);
            command.args(match program {
                "functions" => &["1"][..],
                "sequences" => &["1", "1000"],
                _ => &[],
            });
            self.run(&mut command)?;
        }
        Ok(())
    }

    /// The memory of freed handles. Not under the sanitizers, which have a malloc of their own.
    fn wiping(&self) -> Result {
        let out = self.dir.join("wipe");
        let source = run::root().join("ffi/tests/wipe.c");
        // Without builtins: the compiler must not pair this malloc with this free.
        self.compile(&format!("gcc -std=gnu99 -fno-builtin {FLAGS} -ldl"), &source, &out)?;
        self.run(&mut Command::new(&out))
    }

    /// The examples work, and OpenSSL agrees with each of them.
    fn examples(&self) -> Result {
        let examples = run::root().join("ffi/examples");
        let build = format!(
            "cmake -S {} -B {} -DCMAKE_PREFIX_PATH={} -DCMAKE_BUILD_TYPE=Release",
            examples.join("cmake").display(),
            self.dir.join("cmake").display(),
            self.prefix.display()
        );
        run::run(&build)?;
        run::run(&format!("cmake --build {}", self.dir.join("cmake").display()))?;
        self.run(&mut Command::new(self.dir.join("cmake/seal")))?;

        let peer = OpenSsl::new(&self.dir)?;
        let library = self.prefix.join("lib/libgmkit.so.0");
        let sign = self.dir.join("cmake/sign");
        let signature = self.dir.join("signature");
        let [key, public, file] = [&peer.key, &peer.public, &peer.file];
        self.run(Command::new(&sign).arg("sign").args([key, file, &signature]))?;
        peer.verify(&signature)?;
        peer.sign(&signature)?;
        self.run(Command::new(&sign).arg("verify").args([public, file, &signature]))?;
        self.refuses(Command::new(&sign).arg("verify").args([public, key, &signature]))?;

        let script = examples.join("gmkit_example.py");
        let args = [&library, key, public, file, &signature];
        self.run(Command::new("python3").arg(script).args(args))?;
        peer.verify(&signature)?;

        let jna = "/usr/share/java/jna.jar";
        let source = examples.join("GmkitExample.java");
        run::run(&format!("javac -cp {jna} -d {} {}", self.dir.display(), source.display()))?;
        let path = format!("{jna}:{}", self.dir.display());
        self.run(Command::new("java").args(["-cp", &path, "GmkitExample"]).args(args))?;
        peer.verify(&signature)?;
        self.device(&sign, peer)?;
        let tls = self.dir.join("cmake/tls");
        let libraries = self.prefix.join("lib");
        ffi_tls::Interop { example: &tls, libraries, dir: &self.dir }.test()
    }

    /// The example in C signs with a key in a token, by nothing but another name of the key.
    fn device(&self, sign: &Path, mut peer: OpenSsl) -> Result {
        let built = run::root().join("target/debug");
        let token = self.dir.join("token");
        for (name, pin) in [("pin", "87654321"), ("so-pin", "12345678")] {
            fs::write(self.dir.join(name), pin).map_err(|error| error.to_string())?;
        }
        let gmkit = |line: &str| {
            let mut command = Command::new(built.join("gmkit"));
            command.args(line.split(' ')).env("GMKIT_TOKEN_DIR", &token);
            self.run(&mut command)
        };
        gmkit("token init --dir token --label c --pin-file pin --so-pin-file so-pin")?;
        let module = built.join("libgmkit_token.so");
        let uri = format!(
            "pkcs11:token=c;object=key?pin-source=file:pin&module-path={}",
            module.display()
        );
        gmkit(&format!("hsm keygen -k {uri} -p device.pem"))?;
        peer.public = self.dir.join("device.pem");
        let signature = self.dir.join("signature");
        let mut command = Command::new(sign);
        command.arg("sign").arg(&uri).args([&peer.file, &signature]);
        self.run(command.env("GMKIT_TOKEN_DIR", &token))?;
        peer.verify(&signature)
    }

    /// Runs a check that must say no, with exit code 1.
    fn refuses(&self, command: &mut Command) -> Result {
        command.current_dir(&self.dir).env("LD_LIBRARY_PATH", self.prefix.join("lib"));
        let status = command.status().map_err(|error| error.to_string())?;
        if status.code() == Some(1) { Ok(()) } else { Err(format!("{command:?}: {status}")) }
    }
}

/// The system's OpenSSL, with a key, a file, and the default ID.
pub(crate) struct OpenSsl {
    pub(crate) key: PathBuf,
    pub(crate) public: PathBuf,
    pub(crate) file: PathBuf,
}

impl OpenSsl {
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        let at = |name: &str| dir.join(name);
        let peer = Self { key: at("key.pem"), public: at("public.pem"), file: at("file") };
        fs::write(&peer.file, "to be signed\n".repeat(20_000))
            .map_err(|error| error.to_string())?;
        let (key, public) = (peer.key.display(), peer.public.display());
        run::run(&format!("openssl genpkey -algorithm SM2 -out {key}"))?;
        run::run(&format!("openssl pkey -in {key} -pubout -out {public}"))?;
        Ok(peer)
    }

    pub(crate) fn verify(&self, signature: &Path) -> Result {
        let (public, file) = (self.public.display(), self.file.display());
        run::run(&format!(
            "openssl dgst -sm3 -sigopt distid:1234567812345678 -verify {public} -signature {} {file}",
            signature.display()
        ))
    }

    pub(crate) fn sign(&self, signature: &Path) -> Result {
        let (key, file) = (self.key.display(), self.file.display());
        run::run(&format!(
            "openssl dgst -sm3 -sigopt distid:1234567812345678 -sign {key} -out {} {file}",
            signature.display()
        ))
    }
}
