//! `gmkit audit forward --copy syslog://` to syslog-ng, and under national TLS to OpenSSL 4.

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use support::{Lab, built_peer};

const FORWARD: &str = "audit forward --log log -p pub.pem --cursor cursor";

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been stopped.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn append(lab: &Lab, count: usize) {
    let events = "{\"op_type\":\"login\",\"result\":{\"outcome\":\"denied\"},\"actor\":{\"user\":\"张三\"}}\n";
    let args = "audit append --log log -k key.pem";
    assert_eq!(lab.gmkit_with(args.split(' '), events.repeat(count).as_bytes()).code, 0);
}

/// All lines of the log.
fn lines(lab: &Lab) -> String {
    let mut segments: Vec<_> = fs::read_dir(lab.path("log/segments"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    segments.sort();
    segments.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn syslog_ng(lab: &Lab, port: u16) -> Server {
    let new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    let by = "-CA ca.pem -CAkey ca.key -subj /CN=localhost -addext subjectAltName=DNS:localhost \
              -addext basicConstraints=critical,CA:FALSE";
    lab.peer(&format!("{new} -subj /CN=CA -keyout ca.key -out ca.pem"));
    lab.peer(&format!("{new} {by} -keyout server.key -out server.pem"));
    fs::create_dir(lab.path("kept")).unwrap();
    let dir = lab.path("");
    let dir = dir.display();
    lab.write(
        "conf",
        format!(
            "@version: 3.38\n\
             options {{ log-msg-size(131072); stats-freq(0); frac-digits(6); }};\n\
             source s {{ syslog(ip(\"127.0.0.1\") port({port}) transport(\"tls\")\n\
             tls(key-file(\"{dir}/server.key\") cert-file(\"{dir}/server.pem\") ca-file(\"{dir}/ca.pem\") peer-verify(required-trusted))); }};\n\
             destination d {{ file(\"{dir}/kept/messages\" template(\"$MESSAGE\\n\")); }};\n\
             log {{ source(s); destination(d); }};\n"
        ),
    );
    let mut server = Command::new("syslog-ng");
    server.args("-F --no-caps -f conf -R kept/persist -p kept/pid -c kept/control".split(' '));
    let server = server.current_dir(lab.path("")).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server(server.spawn().expect("syslog-ng is installed by `cargo xtask test`"));
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "syslog-ng does not listen");
        thread::sleep(Duration::from_millis(20));
    }
    server
}

#[test]
fn to_syslog_ng_with_a_certificate_of_its_own() {
    let lab = Lab::new();
    append(&lab, 300);
    let only = |url: &str| format!("audit forward --log log -p pub.pem --copy {url}");
    lab.fails(2, FORWARD);
    lab.fails(2, &only("syslog://localhost:6514"));
    lab.fails(2, &only("localhost:6514"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = syslog_ng(&lab, port);
    let to = format!("{FORWARD} --copy syslog://localhost:{port} --ca ca.pem");
    // The server asks for certificates, and gets one.
    let refused = lab.gmkit(&to);
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains(&format!("localhost:{port}")), "{}", refused.stderr);
    let said = lab.ok(&format!("{to} --cert server.pem --cert-key server.key --json"));
    assert!(said.contains("\"skipped\":0"), "{said}");
    append(&lab, 10);
    lab.ok(&format!("{to} --cert server.pem --cert-key server.key"));
    lab.fails(2, &format!("{to} --cert server.pem --cert-key missing.key"));
    let said =
        lab.fails(2, &format!("{to} --cert server.pem --cert-key pkcs11:token=t?pin-value=1234"));
    assert!(!said.contains("1234"), "{said}");
    // What is for another kind of server is not passed over.
    lab.write("password", "secret\n");
    for args in [
        "syslog://localhost:1 --cursor cursor --user u --password-file password",
        "nats://localhost:1 --cursor cursor",
        "nats://localhost:1 --cert server.pem --cert-key server.key",
        "nats://localhost:1 --ca ca.pem --national",
        "nats://localhost:1 --plain-end",
        "kafka://localhost:1 --user u --password-file password",
        "kafka://localhost",
        "kafka://user:secret@localhost:1",
        "otlp+http://localhost:1 --cursor cursor --ca ca.pem",
        "otlp+https://localhost:1",
        "otlp+https://localhost:1 --cursor cursor --plain-end",
        "otlp+https://user:secret@localhost:1 --cursor cursor",
        "kafka://localhost:1/.",
        "http://localhost:1",
    ] {
        lab.fails(2, &format!("audit forward --log log -p pub.pem --copy {args}"));
    }
    let prune = "audit prune --log log -k key.pem --copy syslog://localhost:6514";
    assert!(lab.fails(2, prune).contains("gives nothing back"));
    // A cursor that is none, and that of another server, send nothing.
    lab.fails(1, &to.replace("localhost:", "127.0.0.1:"));
    let cursor = lab.read("cursor");
    lab.write("cursor", &cursor[..20]);
    lab.fails(1, &format!("{to} --cert server.pem --cert-key server.key"));

    assert!(Command::new("kill").arg(server.0.id().to_string()).status().unwrap().success());
    server.0.wait().unwrap();
    let messages = String::from_utf8(lab.read("kept/messages")).unwrap();
    let lines = lines(&lab);
    let differs = messages.lines().zip(lines.lines()).find(|(kept, own)| kept != own);
    assert!(messages == lines, "{} bytes for {}; {differs:?}", messages.len(), lines.len());
}

/// OpenSSL 4 as a server, which prints what it gets.
fn national(lab: &Lab) -> (Server, u16, BufReader<ChildStdout>) {
    for line in [
        "keygen --no-passphrase -o ca.key",
        "cert ca -k ca.key --subject CN=CA -o ca.pem",
        "keygen --no-passphrase -o server.key",
        "cert csr -k server.key --subject CN=localhost --san DNS:localhost -o server.csr",
        "cert issue --ca ca.pem -k ca.key --csr server.csr --profile tls-server -o server.pem",
        "keygen --no-passphrase -o client.key",
        "cert csr -k client.key --subject CN=client --san DNS:client -o client.csr",
        "cert issue --ca ca.pem -k ca.key --csr client.csr --profile tls-client -o client.pem",
    ] {
        lab.ok(line);
    }
    let line = format!(
        "{} s_server -accept 127.0.0.1:0 -tls1_3 -ciphersuites TLS_SM4_GCM_SM3 -groups curveSM2 \
         -sigalgs sm2sig_sm3 -cert server.pem -key server.key -CAfile ca.pem -Verify 2 \
         -verify_return_error",
        built_peer("openssl4")
    );
    let mut words = line.split_whitespace();
    let mut server = Command::new(words.next().unwrap());
    server.args(words).current_dir(lab.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = server.stderr(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let port = loop {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it says where it listens");
        if let Some(address) = line.strip_prefix("ACCEPT ") {
            break address.trim_end().rsplit(':').next().unwrap().parse().unwrap();
        }
    };
    (Server(child), port, said)
}

#[test]
fn under_national_tls_to_openssl() {
    let lab = Lab::new();
    append(&lab, 50);
    let (mut server, port, mut said) = national(&lab);
    let to = format!("{FORWARD} --copy syslog://localhost:{port} --national");
    lab.fails(2, &to);
    let to = format!("{to} --ca ca.pem");
    assert_eq!(lab.gmkit(&to).code, 3);
    lab.ok(&format!("{to} --cert client.pem --cert-key client.key"));

    // A collector of OpenTelemetry's in the same way; OpenSSL says what it is told to.
    let to = format!(
        "audit forward --log log -p pub.pem --copy otlp+https://localhost:{port} --cursor collector \
         --national --ca ca.pem --cert client.pem --cert-key client.key"
    );
    let mut forward = Command::new(env!("CARGO_BIN_EXE_gmkit"))
        .args(to.split_whitespace())
        .current_dir(lab.path(""))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"POST /v1/logs HTTP/1.1\r\n") {
        assert_ne!(said.read_until(b'\n', &mut text).unwrap(), 0, "nothing was asked");
    }
    let stdin = server.0.stdin.as_mut().unwrap();
    stdin
        .write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n",
        )
        .unwrap();
    assert!(forward.wait().unwrap().success());
    assert!(!lab.read("collector").ends_with(b"\n-\n"), "it counts as sent");
    server.0.kill().unwrap();
    said.read_to_end(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("TLS_SM4_GCM_SM3"), "{text}");
    for (line, index) in lines(&lab).lines().zip(1..) {
        assert!(text.contains(&format!("[meta sequenceId=\"{index}\"] {line}")), "record {index}");
    }
}
