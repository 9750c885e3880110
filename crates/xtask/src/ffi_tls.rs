//! National TLS through the C ABI: what its test reads, and OpenSSL 4 on the other side.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::run::{self, Result};

/// An authority, a server and a client, made by the host's command.
pub(crate) fn files(dir: &Path) -> Result {
    let program = run::root().join("target/debug/gmkit");
    for name in ["root", "localhost", "alice"] {
        for kind in ["key", "csr", "pem"] {
            // Of an earlier run, if there is one.
            let _ = fs::remove_file(dir.join(format!("{name}.{kind}")));
        }
    }
    let gmkit = |line: &str| {
        let mut command = Command::new(&program);
        run::run_command(command.args(line.split(' ')).current_dir(dir), line)
    };
    gmkit("keygen --no-passphrase -o root.key")?;
    gmkit("cert ca -k root.key --subject CN=Root,C=CN -o root.pem")?;
    for (name, profile) in [("localhost", "tls-server"), ("alice", "tls-client")] {
        gmkit(&format!("keygen --no-passphrase -o {name}.key"))?;
        gmkit(&format!(
            "cert csr -k {name}.key --subject CN={name},C=CN --san DNS:{name} -o {name}.csr"
        ))?;
        gmkit(&format!(
            "cert issue --ca root.pem -k root.key --csr {name}.csr --profile {profile} \
             -o {name}.pem"
        ))?;
    }
    Ok(())
}

const NATIONAL: &str = "-ciphersuites TLS_SM4_GCM_SM3 -groups curveSM2 -sigalgs sm2sig_sm3";

/// A program in a folder, which finds its library.
pub(crate) struct Interop<'a> {
    pub(crate) example: &'a Path,
    pub(crate) libraries: PathBuf,
    pub(crate) dir: &'a Path,
}

impl Interop<'_> {
    /// The example in C as a client of OpenSSL 4's server, and as the server of its client.
    pub(crate) fn test(&self) -> Result {
        let options = format!("s_server -accept 127.0.0.1:0 -tls1_3 {NATIONAL} -rev");
        let mut server =
            self.openssl4(&format!("{options} -cert localhost.pem -key localhost.key"))?;
        let port = after(&mut server.1, "ACCEPT ")?;
        let port = port.rsplit(':').next().unwrap_or_default();
        let mut ours = self.example(&format!("connect localhost {port} root.pem"))?;
        let answer = after(&mut ours.1, "olleh");
        ended(ours.0)?;
        let mut stranger = self.example(&format!("connect localhost {port} alice.pem"))?;
        let refused = stranger.0.wait().map_err(|error| error.to_string())?;
        // It serves until it is told to end.
        server.0.kill().and_then(|()| server.0.wait()).map_err(|error| error.to_string())?;
        answer?;
        if refused.code() != Some(1) {
            return Err(format!("a client that trusts nobody of this ended with {refused}"));
        }

        let port = free_port()?;
        let mut ours = self.example(&format!("serve {port} localhost.pem localhost.key"))?;
        after(&mut ours.1, "listening")?;
        let options =
            format!("s_client -connect 127.0.0.1:{port} -tls1_3 {NATIONAL} -quiet -ign_eof");
        let mut client =
            self.openssl4(&format!("{options} -CAfile root.pem -verify_return_error"))?;
        let hello = client.0.stdin.take().ok_or("no stdin")?.write_all(b"hello\n");
        hello.map_err(|error| error.to_string())?;
        after(&mut client.1, "hello")?;
        ended(client.0)?;
        ended(ours.0)
    }

    fn example(&self, arguments: &str) -> Result<Running> {
        let mut command = Command::new(self.example);
        command.env("LD_LIBRARY_PATH", &self.libraries);
        self.start(command, arguments)
    }

    fn openssl4(&self, arguments: &str) -> Result<Running> {
        let home = run::root().join("target/peers/openssl4");
        let mut command = Command::new(home.join("apps/openssl"));
        command.env("LD_LIBRARY_PATH", &home).env("OPENSSL_CONF", "/dev/null");
        command.stderr(File::create("/dev/null").map_err(|error| error.to_string())?);
        self.start(command, arguments)
    }

    fn start(&self, mut command: Command, arguments: &str) -> Result<Running> {
        println!("$ {} {arguments}", command.get_program().to_string_lossy());
        command.args(arguments.split(' ')).current_dir(self.dir);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| error.to_string())?;
        let output = child.stdout.take().ok_or("no stdout")?;
        Ok((child, BufReader::new(output)))
    }
}

type Running = (Child, BufReader<ChildStdout>);

/// What a line says behind a prefix.
fn after(output: &mut BufReader<ChildStdout>, prefix: &str) -> Result<String> {
    let mut lines = output.lines().map_while(std::io::Result::ok);
    let found = lines.find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
    found.ok_or_else(|| format!("no line that begins with {prefix}"))
}

fn ended(mut child: Child) -> Result {
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}
