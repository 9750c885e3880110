//! `gmkit audit`, and OpenSSL, which makes the same tree and checks the same signature.

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use support::{Done, Lab, built_peer};

const EVENT: &str = r#"{"op_type":"login","result":{"outcome":"denied"},"actor":{"user":"alice"}}"#;

impl Lab {
    fn append(&self, args: &str, events: &str) -> Done {
        let args = format!("audit append --log log {args}");
        self.gmkit_with(args.split_whitespace(), events.as_bytes())
    }

    fn log_of(events: usize) -> Self {
        let lab = Self::new();
        let done =
            lab.append("-k key.pem --name bank.example/log", &format!("{EVENT}\n").repeat(events));
        assert_eq!((done.code, done.stdout), (0, format!("{events} records, 1 to {events}\n")));
        lab
    }

    fn sm3(&self, message: &[u8]) -> Vec<u8> {
        self.write("hashed", message);
        self.peer("openssl dgst -sm3 -binary -out digest hashed");
        self.read("digest")
    }

    /// MTH of RFC 6962 with OpenSSL's SM3.
    fn root(&self, records: &[&[u8]]) -> Vec<u8> {
        match records {
            [record] => self.sm3(&[&[0], *record].concat()),
            _ => {
                let (left, right) = records.split_at(records.len().next_power_of_two() / 2);
                self.sm3(&[vec![1], self.root(left), self.root(right)].concat())
            }
        }
    }

    fn base64(&self, text: &str) -> Vec<u8> {
        self.write("base64", text);
        self.peer("openssl enc -base64 -d -A -in base64 -out decoded");
        self.read("decoded")
    }
}

/// r or s of a signature, as an INTEGER in DER.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let digits = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap()..];
    let sign: &[u8] = if digits[0] & 0x80 == 0 { &[] } else { &[0] };
    [&[2, (digits.len() + sign.len()) as u8], sign, digits].concat()
}

#[test]
fn openssl_makes_the_same_tree_and_checks_the_signature() {
    let lab = Lab::log_of(10);
    let segment = lab.read("log/segments/00000000000000000000.jsonl");
    let records: Vec<_> =
        segment.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').collect();
    assert_eq!(records.len(), 11, "and one of the log's own");
    let note = String::from_utf8(lab.read("log/checkpoint")).unwrap();
    let lines: Vec<_> = note.lines().collect();
    let [origin, size, root, "", signature] = lines[..] else { panic!("{note}") };
    assert_eq!((origin, size), ("bank.example/log", "11"));
    assert_eq!(lab.base64(root), lab.root(&records));

    let signature = lab.base64(signature.strip_prefix("— bank.example/log ").unwrap());
    let (id, raw) = signature.split_at(4);
    let (r, s) = raw.split_at(32);
    let body = [integer(r), integer(s)].concat();
    lab.write("sig", [&[0x30, body.len() as u8], &body[..]].concat());
    lab.write("text", format!("{origin}\n{size}\n{root}\n"));
    lab.peer(
        "openssl dgst -sm3 -verify pub.pem -sigopt distid:1234567812345678 -signature sig text",
    );

    // The ID of the key: name, line break, type, point.
    lab.peer("openssl pkey -pubin -in pub.pem -outform DER -out spki");
    let spki = lab.read("spki");
    let named = [origin.as_bytes(), b"\n\xffgmkit.org/sm2-with-sm3", &spki[spki.len() - 65..]];
    assert_eq!(lab.sm3(&named.concat())[..4], *id);

    // A proof, followed by hand.
    lab.ok("audit prove --log log --index 6 -o proof");
    let proof = String::from_utf8(lab.read("proof")).unwrap();
    let (head, checkpoint) = proof.split_once("\n\n").unwrap();
    assert_eq!(checkpoint, note);
    let lines: Vec<_> = head.lines().collect();
    assert_eq!((lines[0], lines[2]), ("c2sp.org/tlog-proof@v1", "index 6"));
    assert_eq!(lab.base64(lines[1].strip_prefix("extra ").unwrap()), records[6]);
    let path: Vec<_> = lines[3..].iter().map(|line| lab.base64(line)).collect();
    let mut hash = lab.root(&records[6..7]);
    // 6 is left, then right, then right, then left, in a tree of 11.
    for (sibling, left) in path.iter().zip([false, true, true, false]) {
        let (one, other) = if left { (sibling, &hash) } else { (&hash, sibling) };
        hash = lab.sm3(&[&[1], &one[..], other].concat());
    }
    assert!(path.len() == 4 && hash == lab.base64(root));
}

#[test]
fn recorded_checked_and_proven() {
    let lab = Lab::log_of(300);
    let said = lab.ok("audit verify --log log -p pub.pem --name bank.example/log");
    assert!(
        said.contains("301 records are signed, 300 of them events\nnothing is wrong"),
        "{said}"
    );
    lab.fails(1, "audit verify --log log -p pub.pem --name bank.example/other");

    let record = lab.ok("audit show --log log --index 77");
    lab.ok("audit prove --log log --index 77 -o proof");
    let said = lab.ok("audit verify --proof proof -p pub.pem");
    assert!(said.starts_with("record 77 of bank.example/log, which had 301 records:\n"), "{said}");
    assert!(said.ends_with(&record));
    assert!(lab.ok("audit verify --proof proof -p pub.pem --json").contains("\"index\":77"));
    assert_eq!(lab.ok("audit prove --log log --index 77").into_bytes(), lab.read("proof"));
    lab.write(
        "wrong",
        String::from_utf8(lab.read("proof")).unwrap().replace("index 77", "index 76"),
    );
    lab.fails(1, "audit verify --proof wrong -p pub.pem");

    let last = lab.ok("audit tail --log log -n 3");
    assert_eq!(last.lines().count(), 3);
    assert_eq!(
        lab.ok("audit show --log log --index 300"),
        format!("{}\n", last.lines().last().unwrap())
    );
    assert_eq!(lab.ok("audit tail --log log -n 1000").lines().count(), 301);
    // The records are lines of JSON for everybody.
    let segment = String::from_utf8(lab.read("log/segments/00000000000000000000.jsonl")).unwrap();
    for line in segment.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["v"], 1);
    }
}

#[test]
fn what_is_wrong_is_said() {
    let lab = Lab::log_of(20);
    let segment = lab.path("log/segments/00000000000000000000.jsonl");
    let text = fs::read_to_string(&segment).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let changed = lines[12].replace("alice", "mallory");
    fs::write(&segment, text.replace(lines[12], &changed)).unwrap();
    let done = lab.gmkit("audit verify --log log -p pub.pem");
    assert_eq!(done.code, 1);
    assert!(done.stdout.contains("WRONG: record 12 was changed"), "{}", done.stdout);
    let done = lab.gmkit("audit verify --log log -p pub.pem --json");
    let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.code, &report["sound"]), (1, &false.into()));
    assert_eq!(report["findings"][0]["kind"], "changed");
    assert_eq!(report["findings"][0]["index"], 12);
    // And nothing is added to it.
    assert_eq!(lab.append("-k key.pem", EVENT).code, 1);
    assert!(fs::read_to_string(&segment).unwrap().lines().count() == 21);
}

#[test]
fn old_records_go() {
    let lab = Lab::new();
    let event = EVENT.replace("alice", &"a".repeat(500));
    let args = "-k key.pem --name bank.example/log --segment-mib 1";
    assert_eq!(lab.append(args, &format!("{event}\n").repeat(4000)).code, 0);
    let prune = "audit prune --log log -k key.pem";
    assert_eq!(lab.ok(prune), "no segment is old enough\n");
    let said = lab.fails(2, &format!("{prune} --days 0"));
    assert!(said.contains("--less-than-required"), "{said}");
    lab.fails(2, "audit prune --log other -k key.pem");
    assert!(!lab.path("other").exists());

    let said = lab.ok(&format!("{prune} --days 0 --less-than-required --json"));
    let pruned: serde_json::Value = serde_json::from_str(&said).unwrap();
    let first = pruned["first"].as_u64().unwrap();
    assert!(first > 1000 && pruned["records"] == first, "{said}");
    assert!(pruned["bytes"].as_u64().unwrap() > 500 * first);
    let said = lab.ok("audit verify --log log -p pub.pem");
    assert!(
        said.contains(&format!("those before {first} were pruned, kept for 0 days, and are not counted\nnothing is wrong")),
        "{said}"
    );
    let said = lab.fails(2, "audit prove --log log --index 5");
    assert!(said.contains(&format!("the records before {first} were pruned")), "{said}");
    lab.fails(2, "audit show --log log --index 5");
    lab.ok(&format!("audit prove --log log --index {first} -o proof"));
    lab.ok("audit verify --proof proof -p pub.pem");
    let record = lab.ok("audit tail --log log -n 1");
    assert!(record.contains(&format!(r#""op_type":"gmkit.audit.prune","result":{{"outcome":"allowed"}},"attributes":{{"days":0,"first":{first},"note":"gmkit.org/audit-prune\nbank.example/log\n{first}\n0\n\n— bank.example/log "#)), "{record}");
}

const PERSON: &str = r#"{"op_type":"pay","result":{"outcome":"allowed"},"actor":{"user":"NAME","role":"customer","ip":"203.0.113.9"},"resource":"account/NAME","attributes":{"amount":7,"phone":"13800138000"}}"#;

/// Opens the first record of a person with another implementation, from what the book says of the format.
const OPEN: &str = r#"
import base64, glob, hmac, json, sys, uuid
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
def unseal(key, aad, sealed):
    opener = Cipher(algorithms.SM4(key), modes.GCM(sealed[:12], sealed[-16:])).decryptor()
    opener.authenticate_additional_data(aad)
    return opener.update(sealed[12:-16]) + opener.finalize()
master = open("seal.key", "rb").read()
lookup = unseal(master, b"gmkit.org/audit-lookup", open("persons/lookup", "rb").read())
mac = HMAC(lookup, hashes.SM3()); mac.update(b"alice")
stem = mac.finalize()[:16].hex()
own = unseal(master, b"gmkit.org/audit-subject " + stem.encode(), open(f"persons/{stem}.key", "rb").read())
for path in glob.glob("log/segments/*"):
    for line in open(path):
        record = json.loads(line)
        for part in record.get("personal", []):
            number = uuid.UUID(part["subject"])
            if number.bytes[:6] == own[:6] and number.bytes[9:] == own[9:16]:
                aad = uuid.UUID(record["event_id"]).bytes + number.bytes
                print(unseal(own[16:], aad, base64.b64decode(part["sealed"])).decode())
"#;

#[test]
fn persons_are_sealed_told_and_erased() {
    let lab = Lab::new();
    lab.write("seal.key", [9; 16]);
    let keys = "--subjects persons --seal-key seal.key";
    let events: String =
        ["alice", "bob", "alice"].map(|name| PERSON.replace("NAME", name) + "\n").concat();
    let append =
        format!("-k key.pem --name a.example {keys} --seal-resource --seal-attribute phone");
    assert_eq!(lab.append(&append, &events).stdout, "3 records, 1 to 3\n");
    let log = lab.ok("audit tail --log log");
    for text in ["alice", "bob", "203.0.113.9", "13800138000"] {
        assert!(!log.contains(text), "{log}");
    }
    assert!(
        log.contains("customer") && log.contains(r#""amount":7"#),
        "what is about nobody stays"
    );

    let export = format!("audit export --log log -p pub.pem {keys}");
    let told = lab.ok(&format!("{export} --subject alice"));
    let lines: Vec<serde_json::Value> =
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines.iter().map(|line| line["index"].as_u64().unwrap()).collect::<Vec<_>>(),
        [1, 3]
    );
    let event = &lines[0]["event"];
    assert_eq!(
        (&event["actor"]["user"], &event["actor"]["ip"]),
        (&"alice".into(), &"203.0.113.9".into())
    );
    assert_eq!(
        (&event["resource"], &event["attributes"]["phone"]),
        (&"account/alice".into(), &"13800138000".into())
    );
    lab.write("open.py", OPEN);
    let python = built_peer("python");
    let opened = lab.peer(&format!("{python} open.py"));
    let opened: Vec<serde_json::Value> =
        opened.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(opened.len(), 2);
    assert_eq!(
        opened[0],
        serde_json::json!({ "user": "alice", "ip": "203.0.113.9", "resource": "account/alice", "attributes": { "phone": "13800138000" } })
    );

    // What would stand there in plain text for ever is not recorded.
    for bad in [
        PERSON.replace(r#""user":"NAME","#, ""),
        EVENT.replace(r#""actor":{"user":"alice"}"#, r#""attributes":{"phone":"1"}"#),
        EVENT.replace(r#""actor":{"user":"alice"}"#, r#""resource":"account/carol""#),
        EVENT.replace(r#""actor""#, r#""personal":[{"subject":"67e55044-10b1-426f-9247-bb680e5fe0c8","sealed":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}],"actor""#),
    ] {
        let done = lab.append(&append, &format!("{bad}\n"));
        assert_eq!((done.code, &*done.stdout), (2, "0 records\n"), "{bad}: {}", done.stderr);
    }
    let allowed = r#"{"op_type":"x","result":{"outcome":"allowed"},"authorisation":{"principal":"user:alice","policy":"p","effect":"permit"},"actor":{"user":"bob"}}"#;
    assert_eq!(lab.append(&append, &format!("{allowed}\n")).code, 0);
    assert!(!lab.ok("audit tail --log log -n 1").contains("alice"));

    // Wrong names, keys, folders; nothing is made or lost by them.
    lab.fails(2, &format!("{export} --subject carol"));
    lab.fails(2, "audit export --log log -p pub.pem --subject alice");
    lab.fails(
        2,
        "audit export --log log -p pub.pem --subject alice --subjects nowhere --seal-key seal.key",
    );
    assert!(!lab.path("nowhere").exists());
    lab.write("other.key", [8; 16]);
    lab.fails(
        1,
        "audit export --log log -p pub.pem --subject alice --subjects persons --seal-key other.key",
    );
    lab.write("short.key", [8; 15]);
    lab.fails(
        2,
        "audit export --log log -p pub.pem --subject alice --subjects persons --seal-key short.key",
    );
    lab.ok("keygen --no-passphrase -o other.pem");
    lab.fails(1, &format!("audit erase --log log -k other.pem --subject alice {keys}"));

    let erase = format!("audit erase --log log -k key.pem {keys}");
    assert!(lab.ok(&format!("{erase} --subject alice")).starts_with("erased"));
    lab.fails(2, &format!("{erase} --subject alice"));
    lab.fails(2, &format!("{export} --subject alice"));
    assert_eq!(lab.ok(&format!("{export} --subject bob")).lines().count(), 2);
    assert!(lab.ok("audit verify --log log -p pub.pem").contains("nothing is wrong"));
}

#[test]
fn a_report_for_a_person() {
    let lab = Lab::log_of(300);
    let hostile = r#"{"op_type":"<script>alert(1)</script>","result":{"outcome":"failed"},"actor":{"user":"\"><img src=x>"}}"#;
    lab.append("-k key.pem", &format!("{hostile}\n"));
    lab.ok("audit export --log log -p pub.pem --html -o report.html");
    let page = String::from_utf8(lab.read("report.html")).unwrap();
    assert!(
        page.contains("Nothing is wrong")
            && page.contains("<svg")
            && page.contains("302 (301 events)"),
        "{page}"
    );
    assert!(page.contains("<td>alice</td><td class=\"n\">300</td>"), "{page}");
    assert!(!page.contains("<script") && !page.contains("<img") && page.contains("&lt;script&gt;"));
    // A report of a log that is not sound says so, and where.
    let segment = "log/segments/00000000000000000000.jsonl";
    let text = String::from_utf8(lab.read(segment)).unwrap();
    lab.write(segment, text.replacen("denied", "failed", 1));
    lab.fails(1, "audit export --log log -p pub.pem --html -o report.html");
    let page = String::from_utf8(lab.read("report.html")).unwrap();
    assert!(page.contains("Something is wrong") && page.contains("record 1 was changed"), "{page}");
    lab.fails(
        1,
        "audit export --log log -p pub.pem --subject alice --subjects . --seal-key key.pem",
    );
}

#[test]
fn a_witness_sees_a_log_rolled_back() {
    let lab = Lab::log_of(5);
    lab.ok("keygen -o w.key -p w.pub --no-passphrase");
    let witness = "audit witness --log log -p pub.pem -k w.key --name w.example --state seen";
    lab.peer("cp -r log before");
    assert!(lab.ok(witness).contains("6 records, seen for the first time"));
    assert_eq!(lab.append("-k key.pem", &format!("{EVENT}\n{EVENT}\n")).code, 0);
    assert!(lab.ok(witness).contains("grown from 6 to 8 records"));
    let verify = "audit verify --log log -p pub.pem --checkpoint seen --witness-key w.pub";
    lab.ok(verify);
    lab.fails(1, "audit verify --log log -p pub.pem --witness-key w.pub");
    lab.fails(1, "audit verify --log log -p pub.pem --checkpoint seen --witness-key pub.pem");

    // The host puts an older copy in its place, and goes on from there.
    lab.peer("mv log late");
    lab.peer("mv before log");
    let seen = lab.read("seen");
    lab.ok("audit verify --log log -p pub.pem");
    let done = lab.gmkit(verify);
    assert!(done.code == 1 && done.stdout.contains("WRONG: rolled back to 6 records"));
    lab.fails(1, witness);
    for _ in 0..3 {
        assert_eq!(lab.append("-k key.pem", EVENT).code, 0);
    }
    let done = lab.gmkit(verify);
    assert!(done.code == 1 && done.stdout.contains("WRONG: the first 8 records are not those"));
    lab.fails(1, witness);
    assert_eq!(lab.read("seen"), seen, "what was seen is kept");
    let lock = fs::File::open(lab.path("seen.lock")).unwrap();
    lock.lock().unwrap();
    lab.fails(3, witness);
    lock.unlock().unwrap();
    // What cannot be read was seen all the same.
    fs::write(lab.path("seen"), "").unwrap();
    lab.fails(2, witness);
}

/// What Python's jsonschema says of records and of events, beside what is taken.
#[test]
fn the_schema_says_the_same() {
    let lab = Lab::new();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let full = format!(
        r#"{{"v":1,"event_id":"01a2068c-da10-76c0-b131-f1849cc9edab","time":"2026-11-23T03:57:03Z","actor":{{"user":"李雷","role":"teller","ip":"2001:db8::1"}},"op_type":"transfer.create","resource":"account/42","result":{{"outcome":"failed","code":"500"}},"service":"payments","trace":"{trace}","authorisation":{{"principal":"u","policy":"p","rule_id":"r","effect":"permit","cache_hit":true}},"attributes":{{"a":1,"b":2.5,"c":true,"d":"text","e":{{"sm3":"{}","bytes":7}}}}}}"#,
        "0b".repeat(32)
    );
    let done = lab.append("-k key.pem", &format!("{EVENT}\n{full}\n"));
    assert_eq!(done.code, 0, "{}", done.stderr);
    let bad: Vec<_> = [
        (r#""v":1"#, r#""v":2"#),
        (r#""outcome":"failed""#, r#""outcome":"maybe""#),
        (r#""outcome":"failed","#, ""),
        (r#""effect":"permit""#, r#""effect":"yes""#),
        (r#""op_type":"transfer.create""#, r#""op_type":"""#),
        (r#""op_type":"transfer.create","#, ""),
        (r#""service""#, r#""services""#),
        (r#""user""#, r#""name""#),
        (r#""a":1"#, r#""a":null"#),
        (r#""a":1"#, r#""a":[1]"#),
        (r#""bytes":7"#, r#""bytes":-7"#),
        (r#""bytes":7"#, r#""bytes":7,"more":1"#),
        ("00-0af", "01-0af"),
    ]
    .map(|(from, to)| full.replacen(from, to, 1))
    .to_vec();
    for event in &bad {
        assert!(*event != full && lab.append("-k key.pem", event).code == 2, "{event}");
    }
    lab.write("bad", bad.join("\n"));
    let schema =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/en/audit-record-1.schema.json");
    lab.write(
        "validate.py",
        "import json, sys, jsonschema\n\
         validator = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))\n\
         for name in sys.argv[2:]:\n    \
             print(*(int(validator.is_valid(json.loads(line))) for line in open(name)))\n",
    );
    let python = built_peer("python");
    let segment = "log/segments/00000000000000000000.jsonl";
    let said = lab.peer(&format!("{python} validate.py {schema} {segment} bad"));
    assert_eq!(said, format!("1 1 1\n{}\n", ["0"; 13].join(" ")));
}

#[test]
fn keys_locks_and_bad_input() {
    let lab = Lab::new();
    lab.ok("keygen -o other.pem -p other.pub --no-passphrase");
    assert_eq!(lab.append("--name bank.example/log", EVENT).code, 2, "a new log without a key");
    assert_eq!(lab.append("-k key.pem --name bank.example/log", "").code, 0);
    assert_eq!(lab.append("", EVENT).code, 0, "signed later");
    assert!(lab.ok("audit verify --log log -p pub.pem").contains("2 more are not signed yet"));
    assert_eq!(lab.append("-k key.pem", "").code, 0);
    lab.ok("audit verify --log log -p pub.pem");
    assert_eq!(lab.append("-k other.pem", EVENT).code, 1, "another key");
    assert_eq!(lab.append("-k key.pem --name bank.example/2", EVENT).code, 1, "another name");
    lab.fails(1, "audit verify --log log -p other.pub");

    // Another process has the lock.
    let lock = fs::File::open(lab.path("log/lock")).unwrap();
    lock.lock().unwrap();
    let done = lab.append("-k key.pem", EVENT);
    assert!(done.code == 3 && done.stderr.contains("another process"), "{}", done.stderr);
    lock.unlock().unwrap();

    let long = format!(r#"{{"op_type":"{}","result":{{"outcome":"denied"}}}}"#, "x".repeat(70_000));
    for bad in [
        "junk",
        "{}",
        "[]",
        r#"{"op_type":"gmkit.audit.gap","result":{"outcome":"denied"}}"#,
        r#"{"op_type":"x","result":{"outcome":"denied"},"more":1}"#,
        r#"{"op_type":"x","op_type":"y","result":{"outcome":"denied"}}"#,
        r#"{"op_type":"x","result":{"outcome":"denied"},"time":"2026-13-01T00:00:00Z"}"#,
        "\u{0}",
        &long,
    ] {
        let done = lab.append("-k key.pem", &format!("{EVENT}\n\n{bad}\n{EVENT}\n"));
        assert_eq!(done.code, 2, "{bad:.60}: {}", done.stderr);
        assert!(
            done.stderr.contains("line 3") && done.stdout.starts_with("1 records"),
            "{}",
            done.stdout
        );
    }
    lab.ok("audit verify --log log -p pub.pem");
    for line in [
        "audit verify --log nowhere -p pub.pem",
        "audit verify -p pub.pem",
        "audit verify --log log",
        "audit verify --log log -p key.pem",
        "audit verify --log log -p pub.pem --checkpoint pub.pem",
        "audit verify --proof pub.pem -p pub.pem",
        "audit verify --proof nothing -p pub.pem",
        "audit prove --log log --index 4711 -o proof",
        "audit prove --log nowhere --index 0 -o proof",
        "audit show --log log --index 4711",
        "audit tail --log nowhere",
        "audit append --log pub.pem -k key.pem",
    ] {
        lab.fails(2, line);
    }
    let named = lab.gmkit("audit witness --log log -p pub.pem -k key.pem --name a+b --state seen");
    assert!(named.code == 2 && !lab.path("seen").exists(), "{}", named.stderr);
}

#[test]
fn the_last_records_and_those_to_come() {
    let lab = Lab::new();
    let append = |user: &str| {
        let event = EVENT.replace("alice", user);
        assert_eq!(lab.append("-k key.pem", &event).code, 0);
    };
    append("alice");
    append("bob");
    let mut tail = Command::new(env!("CARGO_BIN_EXE_gmkit"))
        .args("audit tail --log log -n 1 -f".split(' '))
        .current_dir(lab.path(""))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("\"bob\""));
    append("carol");
    assert!(lines.next().unwrap().unwrap().contains("\"carol\""));
    // Whoever reads no more ends it.
    drop(lines);
    append("dave");
    for _ in 0..300 {
        if tail.try_wait().unwrap().is_some() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    tail.kill().unwrap();
    panic!("it goes on though nobody reads");
}
