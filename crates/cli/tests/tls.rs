//! `gmkit tls`, with itself and with OpenSSL 4 on the other side.

mod support;

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use support::{Lab, built_peer};

/// An authority, a server's certificate, and a client's.
fn lab() -> Lab {
    let lab = Lab::empty();
    lab.ok("keygen --no-passphrase -o ca.key");
    lab.ok("cert ca -k ca.key --subject CN=CA,C=CN -o ca.pem");
    for (name, profile) in [("localhost", "tls-server"), ("alice", "tls-client")] {
        lab.ok(&format!("keygen --no-passphrase -o {name}.key"));
        lab.ok(&format!(
            "cert csr -k {name}.key --subject CN={name},C=CN --san DNS:{name} -o {name}.csr"
        ));
        lab.ok(&format!(
            "cert issue --ca ca.pem -k ca.key --csr {name}.csr --profile {profile} -o {name}.pem"
        ));
    }
    lab
}

/// A server that was started, and its port.
struct Serving(Child, u16);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(lab: &Lab, options: &str) -> Serving {
    start(lab, &format!("-c localhost.pem -k localhost.key {options}"), &[])
}

fn start(lab: &Lab, options: &str, environment: &[(&str, PathBuf)]) -> Serving {
    let line = format!("tls serve --listen 127.0.0.1:0 {options}");
    let mut child = Command::new(env!("CARGO_BIN_EXE_gmkit"))
        .args(line.split_whitespace())
        .current_dir(lab.path(""))
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    let port = said.trim().rsplit(':').next().unwrap().parse();
    Serving(child, port.unwrap_or_else(|_| panic!("{said}")))
}

/// OpenSSL 4 in the lab, with pipes.
fn openssl4(lab: &Lab, line: &str) -> Child {
    let words = format!("{} {line}", built_peer("openssl4"));
    let mut words = words.split_whitespace();
    Command::new(words.next().unwrap())
        .args(words)
        .current_dir(lab.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_server_and_its_clients() {
    let lab = lab();
    lab.peer("mkdir public");
    lab.write("public/page", vec![b'x'; 100_000]);
    lab.write("outside", "secret");
    lab.peer("ln -s ../outside public/link");
    let Serving(_, port) = &serve(&lab, "--root public");
    let report = lab.ok(&format!("tls connect --ca ca.pem localhost:{port}"));
    for line in ["TLS_SM4_GCM_SM3", "curveSM2", "sm2sig_sm3", "by CN=CA"] {
        assert!(report.contains(line), "{line}: {report}");
    }
    let json = lab.ok(&format!("tls connect --ca ca.pem --json localhost:{port}"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["trusted_by"], "CN=CA, C=CN");
    let scan = lab.ok(&format!("tls scan localhost:{port}"));
    assert_eq!(scan.matches(" offered, with curveSM2").count(), 2, "{scan}");
    assert!(scan.contains("curveSM2MLKEM768 not offered"), "{scan}");
    // A client that would rather have the hybrid group takes what there is.
    let report = lab.ok(&format!("tls connect --ca ca.pem --hybrid localhost:{port}"));
    assert!(report.contains("group      curveSM2\n"), "{report}");

    let page = lab.ok(&format!("tls connect --ca ca.pem --get /page localhost:{port}"));
    assert!(page.ends_with(&"x".repeat(100_000)));
    for path in ["/link", "/../outside", "/..%2foutside", "/nothing", "/", "//etc/passwd"] {
        let answer = lab.ok(&format!("tls connect --ca ca.pem --get {path} localhost:{port}"));
        assert!(answer.starts_with("HTTP/1.0 404"), "{path}: {answer}");
    }

    // OpenSSL's client sees the same.
    let mut client = openssl4(
        &lab,
        &format!(
            "s_client -connect 127.0.0.1:{port} -tls1_3 -ciphersuites TLS_SM4_CCM_SM3 \
             -groups curveSM2 -sigalgs sm2sig_sm3 -CAfile ca.pem -verify_return_error -quiet \
             -ign_eof"
        ),
    );
    client.stdin.take().unwrap().write_all(b"GET /page HTTP/1.0\r\n\r\n").unwrap();
    let done = client.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&done.stdout).ends_with(&"x".repeat(100_000)));

    for (code, line) in [
        (1, "--ca ca.pem --name elsewhere HOST"),
        (1, "--ca localhost.pem HOST"),
        (3, "--ca ca.pem localhost:1"),
        (2, "--ca ca.pem localhost"),
        (2, "--ca ca.pem localhost:port"),
        (2, "--ca missing.pem HOST"),
        (2, "--ca ca.pem -c alice.pem HOST"),
        (2, "--ca ca.pem -c alice.pem -k ca.key HOST"),
        (2, "--ca ca.pem -c localhost.pem -k localhost.key HOST"),
        (2, "--ca ca.pem --get page HOST"),
    ] {
        lab.fails(
            code,
            &format!("tls connect {line}").replace("HOST", &format!("localhost:{port}")),
        );
    }
}

#[test]
fn the_hybrid_group_where_both_ask_for_it() {
    let lab = lab();
    let Serving(_, port) = &serve(&lab, "--hybrid");
    for (option, group) in [("--hybrid", "curveSM2MLKEM768"), ("", "curveSM2")] {
        let json = lab.ok(&format!("tls connect --ca ca.pem --json {option} localhost:{port}"));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["group"], group);
    }
    let scan = lab.ok(&format!("tls scan --json localhost:{port}"));
    let scan: serde_json::Value = serde_json::from_str(&scan).unwrap();
    assert_eq!(scan["groups"][0]["group"], "curveSM2MLKEM768");
    assert_eq!(scan["groups"][0]["offered"], true);
    assert_eq!(scan["suites"].as_array().unwrap().len(), 2);
}

#[test]
fn clients_with_certificates() {
    let lab = lab();
    let Serving(_, port) = &serve(&lab, "--client-ca ca.pem");
    let line = format!("tls connect --ca ca.pem --get / localhost:{port}");
    let answer = lab.ok(&format!("{line} -c alice.pem -k alice.key"));
    assert!(answer.contains("TLS_SM4_GCM_SM3") && answer.contains("client CN=alice"), "{answer}");
    lab.fails(3, &line);
    // Without a request, too: the server's no comes after the client's part of the handshake.
    let report = format!("tls connect --ca ca.pem localhost:{port}");
    lab.fails(3, &report);
    lab.ok(&format!("{report} -c alice.pem -k alice.key"));
}

#[test]
fn a_server_whose_key_is_in_a_device() {
    const KEY: &str = "pkcs11:token=dev;object=server?pin-source=file:pin";
    let mut lab = lab();
    let module = std::env::current_exe().unwrap().with_file_name("libgmkit_token.so");
    let environment =
        [("GMKIT_TOKEN_DIR", lab.path("token")), ("GMKIT_PKCS11_MODULE", module.clone())];
    for (name, value) in &environment {
        lab.set(name, value);
    }
    lab.write("pin", "87654321\n");
    lab.ok(&format!(
        "token init --dir token --module {} --label dev --pin-file pin --so-pin-file pin",
        module.display()
    ));
    lab.ok(&format!("hsm keygen -k {KEY} -p device.pub.pem"));
    lab.ok(&format!(
        "cert csr -k {KEY} --subject CN=localhost,C=CN --san DNS:localhost -o device.csr"
    ));
    lab.ok("cert issue --ca ca.pem -k ca.key --csr device.csr --profile tls-server -o device.pem");
    let Serving(_, port) = &start(&lab, &format!("-c device.pem -k {KEY}"), &environment);
    for _ in 0..3 {
        let report = lab.ok(&format!("tls connect --ca ca.pem localhost:{port}"));
        assert!(report.contains("sm2sig_sm3"), "{report}");
    }
    let line = format!(
        "s_client -connect 127.0.0.1:{port} -tls1_3 -ciphersuites TLS_SM4_GCM_SM3 -groups curveSM2 \
         -sigalgs sm2sig_sm3 -CAfile ca.pem -verify_return_error -quiet -ign_eof"
    );
    let mut client = openssl4(&lab, &line);
    client.stdin.take().unwrap().write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let done = client.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&done.stdout).contains("TLS_SM4_GCM_SM3 curveSM2"));
}

/// Servers that are not national, and what is no TLS at all.
#[test]
fn other_servers() {
    let lab = lab();
    lab.peer(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key \
         -subj /CN=localhost -out ec.pem",
    );
    let line = "s_server -accept 127.0.0.1:0 -tls1_3 -cert ec.pem -key ec.key -www";
    let mut child = openssl4(&lab, line);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.map_while(Result::ok).find(|line| line.starts_with("ACCEPT "));
    let port = address.unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let Serving(_, port) = &Serving(child, port);
    lab.fails(3, &format!("tls connect --ca ca.pem localhost:{port}"));
    let scan = lab.fails(3, &format!("tls scan localhost:{port}"));
    assert!(scan.contains("no national suite"), "{scan}");

    // A configuration that cannot work is refused before anybody connects.
    for (line, reason) in [
        ("-c localhost.pem -k alice.key", "not that of the certificate"),
        ("-c alice.pem -k alice.key", "not for this"),
        ("-c missing.pem -k alice.key", "missing.pem"),
    ] {
        let said = lab.fails(2, &format!("tls serve --listen 127.0.0.1:0 {line}"));
        assert!(said.contains(reason), "{said}");
    }
    lab.fails(3, "tls serve --listen 192.0.2.1:1 -c localhost.pem -k localhost.key");
}
