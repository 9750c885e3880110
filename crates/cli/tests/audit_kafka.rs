//! `gmkit audit forward` and `audit prune --copy` with librdkafka's mock cluster behind TLS.

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use serde_json::Value;
use support::{Lab, built_peer};

#[test]
fn copied_and_pruned() {
    let lab = Lab::new();
    lab.peer(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=kafka \
         -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
         -keyout server.key -out server.pem",
    );
    let event = format!(
        r#"{{"op_type":"login","result":{{"outcome":"denied"}},"resource":"{}"}}"#,
        "r".repeat(500)
    );
    let args = "audit append --log log -k key.pem --segment-mib 1";
    let events = format!("{event}\n").repeat(4000);
    assert_eq!(lab.gmkit_with(args.split(' '), events.as_bytes()).code, 0);

    let mut cluster = Command::new(built_peer("python"))
        .arg(format!("{}/../audit/tests/kafka_cluster.py", env!("CARGO_MANIFEST_DIR")))
        .current_dir(lab.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(cluster.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let port = line.trim().split(' ').nth(1).unwrap();

    let to = format!("--copy kafka+tls://127.0.0.1:{port}/records --ca server.pem");
    let forward = "audit forward --log log -p pub.pem";
    let refused = lab.fails(3, &format!("{forward} {to}"));
    assert!(refused.contains("Kafka"), "{refused}");
    let to = format!("{to} --cert server.pem --cert-key server.key");
    let said_done = lab.ok(&format!("{forward} {to} --json"));
    let copied: Value = serde_json::from_str(&said_done).unwrap();
    assert!(copied["records"].as_u64().unwrap() > 4000);

    let prune = "audit prune --log log -k key.pem --days 0 --less-than-required --json";
    // Another topic, which has nothing.
    lab.fails(1, &format!("{prune} {}", to.replace("/records", "/others")));
    let pruned: Value = serde_json::from_str(&lab.ok(&format!("{prune} {to}"))).unwrap();
    assert!(pruned["records"].as_u64().unwrap() > 1000);
    lab.ok("audit verify --log log -p pub.pem");

    // What the topic has is what the log has signed, also what is not in the log any more.
    writeln!(cluster.stdin.as_mut().unwrap(), "dump records dump").unwrap();
    line.clear();
    said.read_line(&mut line).unwrap();
    let dump = fs::read_to_string(lab.path("dump")).unwrap();
    assert_eq!(dump.lines().filter(|line| line.contains(&"r".repeat(500))).count(), 4000);
    cluster.kill().unwrap();
    cluster.wait().unwrap();
}
