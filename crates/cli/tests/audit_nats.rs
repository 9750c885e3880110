//! `gmkit audit forward` and `audit prune --copy` with a real NATS server behind TLS, and OpenSSL's certificate.

mod support;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use support::Lab;

struct Server {
    port: u16,
    monitor: u16,
    child: Child,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    fn start(lab: &Lab) -> Self {
        let (port, monitor) = (free_port(), free_port());
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\n\
             jetstream {{ store_dir: store }}\nauthorization {{ user: audit, password: secret }}\n\
             tls {{ cert_file: server.pem, key_file: server.key }}\n"
        );
        lab.write("nats.conf", config);
        let mut server = Command::new("nats-server");
        server.args(["-c", "nats.conf"]).current_dir(lab.path("")).stderr(Stdio::null());
        let child = server.spawn().expect("nats-server is installed by `cargo xtask test`");
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "nats-server does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { port, monitor, child }
    }

    fn to(&self) -> String {
        format!(
            "--copy tls://localhost:{} --user audit --password-file password --ca server.pem",
            self.port
        )
    }

    /// How many messages it has, as it says to curl.
    fn messages(&self) -> u64 {
        let url = format!("http://127.0.0.1:{}/jsz?streams=true", self.monitor);
        let output = Command::new("curl").args(["-sS", &url]).output().expect("curl");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        said["account_details"][0]["stream_detail"][0]["state"]["messages"].as_u64().unwrap_or(0)
    }

    fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been stopped.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn certificate(lab: &Lab) {
    let line = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
                -keyout server.key -out server.pem";
    let mut openssl = Command::new("openssl");
    let status = openssl.args(line.split_whitespace()).current_dir(lab.path("")).output().unwrap();
    assert!(status.status.success());
}

#[test]
fn copied_and_pruned() {
    let lab = Lab::new();
    certificate(&lab);
    lab.write("password", "secret\n");
    lab.write("wrong", "guessed\n");
    let event = format!(
        r#"{{"op_type":"login","result":{{"outcome":"denied"}},"resource":"{}"}}"#,
        "r".repeat(500)
    );
    let append = |count: usize| {
        let args = "audit append --log log -k key.pem --segment-mib 1";
        let events = format!("{event}\n").repeat(count);
        assert_eq!(lab.gmkit_with(args.split(' '), events.as_bytes()).code, 0);
    };
    append(4000);
    let forward = "audit forward --log log -p pub.pem";
    let said = lab.fails(2, forward);
    assert!(said.contains("--copy"), "{said}");
    let mut server = Server::start(&lab);
    let to = server.to();
    let said = lab.ok(&format!("{forward} {to} --json"));
    let copied: Value = serde_json::from_str(&said).unwrap();
    let copied = copied["records"].as_u64().unwrap();
    assert_eq!((copied > 4000, server.messages()), (true, copied));
    let said = lab.ok(&format!("{forward} {to}"));
    assert!(said.contains(&copied.to_string()) && server.messages() == copied, "{said}");

    // Whoever the server is not, and whoever it does not know.
    for to in [
        to.replace("--password-file password", "--password-file wrong"),
        to.replace("--ca server.pem", ""),
        to.replace("tls://localhost", "tls://127.0.0.1"),
    ] {
        let said = lab.fails(3, &format!("{forward} {to}"));
        assert!(said.contains("NATS") && !said.contains("guessed"), "{said}");
    }
    let said = lab.fails(2, &format!("{forward} --copy nats://audit:secret@localhost"));
    assert!(!said.contains("secret"), "{said}");
    lab.fails(2, &format!("audit forward --log none -p pub.pem {to}"));
    // Without the server it would prune what is not copied.
    let prune = "audit prune --log log -k key.pem --days 0 --less-than-required";
    lab.fails(2, &format!("{prune} --user audit --password-file password"));

    // What is recorded later comes, too.
    let mut following = Command::new(env!("CARGO_BIN_EXE_gmkit"))
        .args(format!("{forward} --follow {to}").split(' '))
        .current_dir(lab.path(""))
        .spawn()
        .unwrap();
    append(50);
    let started = Instant::now();
    while server.messages() < copied + 50 {
        assert!(started.elapsed() < Duration::from_secs(60), "{} came", server.messages());
        thread::sleep(Duration::from_millis(100));
    }
    following.kill().unwrap();
    following.wait().unwrap();

    server.stop();
    lab.fails(3, &format!("{prune} {to}"));
    fs::rename(lab.path("store"), lab.path("kept")).unwrap();
    let mut server = Server::start(&lab);
    let said = lab.fails(1, &format!("{prune} {}", server.to()));
    assert!(said.contains("the log's copy is not what was signed"), "{said}");
    server.stop();
    fs::remove_dir_all(lab.path("store")).unwrap();
    fs::rename(lab.path("kept"), lab.path("store")).unwrap();
    let server = Server::start(&lab);
    let said = lab.ok(&format!("{prune} {}", server.to()));
    assert!(said.contains("records are gone"), "{said}");
    lab.ok("audit verify --log log -p pub.pem");
    append(5);
    lab.ok(&format!("{forward} {}", server.to()));
    assert!(server.messages() > copied + 55, "with the record of the pruning");
}
