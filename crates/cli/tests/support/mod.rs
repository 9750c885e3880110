//! Running gmkit and its peers in a folder of their own.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A folder with a key pair in it: `key.pem` (not encrypted) and `pub.pem`.
pub(crate) struct Lab {
    dir: tempfile::TempDir,
    environment: Vec<(&'static str, std::ffi::OsString)>,
}

/// What a command did.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Bytes of a file that fits no memory of a command; `GMKIT_BIG_MIB` asks for more.
pub(crate) fn big() -> u64 {
    std::env::var("GMKIT_BIG_MIB").map_or(100, |text| text.parse().unwrap()) << 20
}

impl Lab {
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    pub(crate) fn new() -> Self {
        let lab = Self::empty();
        lab.ok("keygen -o key.pem -p pub.pem --no-passphrase");
        lab
    }

    /// Sets a variable for what is run here.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<std::ffi::OsString>) {
        self.environment.push((name, value.into()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// A file of zeros that takes no room on the disk, with a mark at both ends.
    pub(crate) fn sparse(&self, name: &str, len: u64) {
        use std::os::unix::fs::FileExt;
        let file = File::create(self.path(name)).unwrap();
        file.set_len(len).unwrap();
        if len > 0 {
            file.write_all_at(b"B", 0).unwrap();
            file.write_all_at(b"E", len - 1).unwrap();
        }
    }

    /// Names in the folder, hidden ones included.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs gmkit with arguments split at blanks.
    pub(crate) fn gmkit(&self, args: &str) -> Done {
        self.gmkit_with(args.split_whitespace(), b"")
    }

    /// Runs gmkit with standard input.
    pub(crate) fn gmkit_with<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        stdin: &[u8],
    ) -> Done {
        // `cargo xtask cross` sets this to another target's binary behind an emulator.
        let under_test = std::env::var("GMKIT_UNDER_TEST");
        let under_test = under_test.as_deref().unwrap_or(env!("CARGO_BIN_EXE_gmkit"));
        let mut words = under_test.split(' ');
        let mut child = Command::new(words.next().unwrap())
            .args(words)
            .args(args)
            .current_dir(self.dir.path())
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        let feeder = std::thread::spawn(move || {
            // A command that does not read its input closes the pipe: not our concern.
            let _ = std::io::Write::write_all(&mut pipe, &stdin);
        });
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        done(output)
    }

    /// Runs gmkit, which must succeed, and returns its standard output.
    pub(crate) fn ok(&self, args: &str) -> String {
        let done = self.gmkit(args);
        assert_eq!(done.code, 0, "gmkit {args}: {}", done.stderr);
        done.stdout
    }

    /// Runs gmkit, which must fail with `code`, and returns what it complained.
    pub(crate) fn fails(&self, code: i32, args: &str) -> String {
        let before = self.files();
        let done = self.gmkit(args);
        assert_eq!(done.code, code, "gmkit {args}: {}{}", done.stdout, done.stderr);
        assert_eq!(self.files(), before, "gmkit {args} left something behind");
        done.stderr
    }

    /// Runs another program, which must succeed. The tests need it: a missing one is a failure.
    pub(crate) fn peer(&self, line: &str) -> String {
        let done = self.peer_done(line);
        assert_eq!(done.code, 0, "{line}: {}{}", done.stdout, done.stderr);
        done.stdout
    }

    pub(crate) fn peer_done(&self, line: &str) -> Done {
        let mut words = line.split_whitespace();
        let program = words.next().unwrap();
        let mut command = Command::new(program);
        command.args(words).current_dir(self.dir.path()).envs(self.environment.iter().cloned());
        let output = command.output();
        done(output.unwrap_or_else(|error| panic!("these tests need `{program}`: {error}")))
    }
}

/// The command line of a peer that `cargo xtask test` has built: `openssl4`, `tongsuo`, `gmssl`, `python`.
pub(crate) fn built_peer(name: &str) -> String {
    let peers = format!("{}/../../target/peers", env!("CARGO_MANIFEST_DIR"));
    let (libraries, program) = match name {
        "python" => (String::new(), format!("{peers}/bin/python")),
        "gmssl" => {
            let home = format!("{peers}/.gmssl_3.1.1_install");
            (format!("{home}/lib"), format!("{home}/bin/gmssl"))
        }
        name => (format!("{peers}/{name}"), format!("{peers}/{name}/apps/openssl")),
    };
    assert!(Path::new(&program).exists(), "{program} is missing: `cargo xtask test` builds it");
    match libraries.is_empty() {
        true => program,
        false => format!("env LD_LIBRARY_PATH={libraries} {program}"),
    }
}

fn done(output: Output) -> Done {
    let done = Done {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    done
}

pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
