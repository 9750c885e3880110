//! `gmkit mask`, with tokens that OpenSSL computes too, and JSON that Python reads.

mod support;

use serde_json::Value;
use support::{Lab, built_peer};

const POLICY: &str = r#"
version = 1
style = "usual"

[[rule]]
path = "**.phone"
kind = "mobile"

[[rule]]
path = "customer"
kind = "cn_id"
strategy = { token = "joins" }

[[rule]]
path = "internal"
strategy = "drop"

[detect]

[[detector]]
name = "staff"
pattern = '\bEMP-[0-9]{6}\b'
words = ["工号", "signed by"]
strategy = { truncate = 3 }
"#;

const ORDER: &str = r#"{"phone": "+86 138-0013-8000", "customer": " 11010119900318000x", "internal": {"a": 1},
 "note": "身份证110101199003070003，工号 EMP-001234", "amount": 12.50}
"#;

fn lab() -> Lab {
    let lab = Lab::empty();
    lab.write("policy.toml", POLICY);
    lab.write("order.json", ORDER);
    lab.write("joins.key", [7; 32]);
    lab
}

const APPLY: &str = "mask apply --policy policy.toml --key joins=joins.key";

#[test]
fn json_is_masked_and_tokens_are_hmacs() {
    let lab = lab();
    lab.ok(&format!("{APPLY} -o masked.json order.json"));
    let masked = String::from_utf8(lab.read("masked.json")).unwrap();
    lab.write("token", b"\0cn_id\x0011010119900318000X");
    let hex = "07".repeat(32);
    let said = lab.peer(&format!("openssl dgst -sm3 -mac HMAC -macopt hexkey:{hex} token"));
    let token = &said.trim().rsplit(' ').next().unwrap()[..32];
    let expected = format!(
        "{{\"phone\": \"+86 138-****-8000\", \"customer\": \"tok_{token}\",\n \
         \"note\": \"身份证110101********0003，工号 EMP\", \"amount\": 12.50}}\n"
    );
    assert_eq!(masked, expected);
    lab.peer("python3 -m json.tool masked.json");
    // The same from standard input, line by line, and as a text.
    let line = ORDER.replace('\n', "") + "\n";
    let done =
        lab.gmkit_with(format!("{APPLY} --format ndjson").split(' '), line.repeat(3).as_bytes());
    assert_eq!((done.code, done.stdout), (0, (expected.replace('\n', "") + "\n").repeat(3)));
    let done = lab.gmkit_with(
        format!("{APPLY} --format text -").split(' '),
        "call 138-0013-8000\n".as_bytes(),
    );
    assert_eq!((done.code, &*done.stdout), (0, "call 138-****-8000\n"));
    for (format, body, expected) in [
        ("sse", "data: {\"phone\":\"13800138000\"}\n\n", "data: {\"phone\":\"138****8000\"}\n\n"),
        ("form", "a[phone]=138+0013+8000&internal=1", "a[phone]=138+****+8000"),
    ] {
        let apply = format!("{APPLY} --format {format} -");
        let done = lab.gmkit_with(apply.split(' '), body.as_bytes());
        assert_eq!((done.code, &*done.stdout), (0, expected));
    }
}

/// What is sealed and enciphered can be had back with the keys, as the library does it.
#[test]
fn sealed_enciphered_and_generalised() {
    use std::sync::Arc;

    use gmkit::{
        keys::SoftwareFieldKey,
        mask::{Digits, Kind, Sealing},
    };

    let lab = lab();
    lab.write("seal.key", "09".repeat(16));
    lab.write("ff1.key", [9; 16]);
    let rule = |path: &str, kind: &str, strategy: &str| {
        format!("[[rule]]\npath = \"{path}\"\n{kind}strategy = {{ {strategy} }}\n")
    };
    let policy = [
        "version = 1\n".to_owned(),
        rule("id", "kind = \"cn_id\"\n", "seal = \"archive\", domain = \"d\""),
        rule("card", "kind = \"card\"\n", "ff1 = \"cards\", keep = [6, 4]"),
        rule("born", "kind = \"birth_date\"\n", "generalise = 10"),
        rule("age", "", "generalise = 5"),
    ];
    lab.write("fields.toml", policy.concat());
    let body = r#"{"id": "11010119900318000X", "card": 6200000000000005, "born": "1990-03-18", "age": 36}"#;
    lab.write("body.json", body);
    let apply = "mask apply --policy fields.toml --seal-key archive=seal.key";
    lab.ok(&format!("{apply} --ff1-key cards=ff1.key -o out.json body.json"));
    let out: Value = serde_json::from_slice(&lab.read("out.json")).unwrap();
    assert_eq!((&out["born"], &out["age"]), (&"1990-1999".into(), &"35-39".into()));
    let sealing = Sealing::new(Arc::new(SoftwareFieldKey::sealing(&[9; 16]).unwrap()), "d");
    let id = sealing.unwrap().open(Some(Kind::CnId), out["id"].as_str().unwrap()).unwrap();
    assert_eq!(*id, "11010119900318000X");
    let digits = Digits::new(Arc::new(SoftwareFieldKey::digits(&[9; 16]).unwrap()), "").unwrap();
    let card = out["card"].as_str().unwrap();
    assert!(card.starts_with("620000") && card.ends_with("0005") && card != "6200000000000005");
    let back = digits.keeping(6, 4).decrypt(Some(Kind::Card), card).unwrap();
    assert_eq!(*back, "6200000000000005");
    for (keys, why) in [
        ("", "cards"),
        ("--seal-key cards=seal.key", "keep a format"),
        ("--ff1-key cards=joins.key", "32 bytes"),
        ("--key cards=joins.key", "cards"),
        ("--ff1-key cards", "NAME=FILE"),
    ] {
        let said = lab.fails(2, &format!("{apply} {keys} -o no.json body.json"));
        assert!(said.contains(why), "{keys}: {said}");
    }
}

#[test]
fn what_cannot_be_masked_leaves_nothing() {
    let lab = lab();
    let refuse = |name: &str, body: &[u8], why: &str| {
        lab.write(name, body);
        let said = lab.fails(2, &format!("{APPLY} -o out {name}"));
        assert!(said.contains(why) && !said.contains("13800138000"), "{said}");
        assert!(!lab.path("out").exists());
    };
    refuse("cut.json", br#"{"phone":"13800138000""#, "it ends too early");
    refuse("two.json", b"{} {}", "byte 3");
    refuse("deep.json", "[".repeat(1000).as_bytes(), "nested deeper");
    refuse("long.json", format!("\"{}\"", "x".repeat(70_000)).as_bytes(), "longer");
    refuse("latin.json", b"\"caf\xe9\"", "no UTF-8");
    refuse("order.txt", b"13800138000", "say --format");
    refuse("none.json", b"", "it ends too early");
    lab.write("rules.toml", "version = 1\n[[rule]]\npath = \"a\"\n");
    let said = lab.fails(2, "mask apply --policy rules.toml --format text -o out order.txt");
    assert!(said.contains("[detect]"), "{said}");
    lab.fails(2, &format!("{APPLY} -o out missing.json"));
    lab.fails(2, "mask apply --policy policy.toml -o out order.json");
    lab.fails(2, "mask apply --policy policy.toml --key joins -o out order.json");
    lab.fails(2, "mask apply --policy policy.toml --key joins=missing -o out order.json");
    for (policy, why) in [
        ("version = 1\n[[rule]]\npath = \"a\"\nkind = \"phone\"\n", "line 4, column 8"),
        ("version = 2\n", "line 1, column 11"),
        ("version = 1\nunknown = 1\n", "line 2, column 1"),
        ("version = 1\n[[rule]]\nstrategy = \"mask\"\n", "path"),
        ("version = 1\n", "clear = true"),
        ("version = 1\n[[rule]]\npath = \"a..b\"\n", "line 3, column 8"),
        ("version = 1\n[[rule]]\npath = \"a\"\nstrategy = \"hash\"\n", "a strategy"),
        ("version = 1\n[[rule]]\npath = \"a\"\nopaque = true\nkind = \"card\"\n", "opaque"),
        ("version = 1\n[detect]\n[limits]\nmax_inspect = 0\n", "max_inspect"),
        ("version = 1\nversion", "line 2"),
        (
            "version = 1\n[detect]\n[[detector]]\nname = \"a\"\npattern = \"(\"\n",
            "line 3, column 1: a: ",
        ),
        ("version = 1\n[[detector]]\nname = \"a\"\npattern = \"x\"\n", "[detect]"),
        ("", "version"),
    ] {
        lab.write("bad.toml", policy);
        let said = lab.fails(2, "mask apply --policy bad.toml -o out order.json");
        assert!(said.contains("bad.toml") && said.contains(why), "{policy}: {said}");
    }
    assert!(!lab.path("out").exists());
}

/// What Python's jsonschema says of policies, and of what a change makes of them, beside what is taken.
#[test]
fn the_schema_says_the_same() {
    let lab = lab();
    let full = r#"{"version": 1, "style": "usual",
        "limits": {"max_inspect": 1000, "depth": 3, "nested": 0, "on_limit": "nullify"},
        "rule": [{"path": "a.b[*]", "kind": "mobile", "strategy": {"token": "joins", "domain": "d"}},
                 {"path": "c", "strategy": {"generalise": 10}}, {"path": "raw", "opaque": true}],
        "detect": {"kinds": ["email", "card"], "least": "low", "strategy": {"truncate": 2},
                   "strategies": {"email": "nullify", "card": {"style": "strict"}}},
        "detector": [{"name": "staff", "pattern": "EMP-[0-9]{6}", "words": ["staff"], "strategy": "drop"}],
        "scope": [{"route": "/a/*", "methods": ["GET"], "direction": "request", "roles": ["x"],
                   "purposes": ["y"], "consent": true, "clear": true},
                  {"rule": [{"path": "p"}]}]}"#
        .replace('\n', " ");
    let good = [
        (r#""scope": [{"#, r#""scope": [{"clear": true, "route": "/z"}, {"#),
        (r#""detect": {"kinds": ["email", "card"],"#, r#""detect": {"#),
        (r#", "card": {"style": "strict"}"#, ""),
        (r#"{"rule": [{"path": "p"}]}"#, r#"{"detect": null}"#),
        (r#""strategy": {"truncate": 2},"#, ""),
    ];
    let bad = [
        (r#""version": 1"#, r#""version": 2"#),
        (r#""version": 1, "#, ""),
        (r#""usual""#, r#""loud""#),
        (r#""depth": 3"#, r#""depth": 0"#),
        (r#""nested": 0"#, r#""nested": 9"#),
        (r#""on_limit": "nullify""#, r#""on_limit": "pass""#),
        (r#""on_limit""#, r#""limit""#),
        (r#""path": "c", "#, ""),
        (r#""kind": "mobile""#, r#""kind": "phone""#),
        (r#"{"generalise": 10}"#, r#"{"generalise": 0}"#),
        (r#""domain": "d""#, r#""keep": [1, 1]"#),
        (r#"{"token": "joins", "#, "{"),
        (r#""opaque": true"#, r#""opaque": true, "kind": "card""#),
        (r#"["email", "card"]"#, "[]"),
        (r#""least": "low""#, r#""least": "none""#),
        (r#"{"truncate": 2}"#, r#"{"truncate": -2}"#),
        (r#""card": {"style"#, r#""cards": {"style"#),
        (r#""words": ["staff"]"#, r#""words": []"#),
        (r#""pattern": "EMP-[0-9]{6}", "#, ""),
        (r#"["GET"]"#, r#"["get"]"#),
        (r#"["x"]"#, "[]"),
        (r#""direction": "request""#, r#""direction": "up""#),
        (r#""clear": true"#, r#""clear": false"#),
        (r#""clear": true"#, r#""clear": true, "detect": {}"#),
        (r#"{"rule": [{"path": "p"}]}"#, "{}"),
        (r#"{"rule": [{"path": "p"}]}"#, r#"{"rule": []}"#),
        (r#"{"rule": [{"path": "p"}]}"#, r#"{"detector": [{"name": "a", "pattern": "b"}]}"#),
    ];
    let changed = |(from, to): (&str, &str)| {
        assert_eq!(full.matches(from).count(), 1, "{from}");
        full.replace(from, to)
    };
    let mut lines = vec![full.clone()];
    lines.extend(good.map(changed));
    let taken = lines.len();
    lines.extend(bad.map(changed));
    lab.write("a.json", "{}");
    for (n, line) in lines.iter().enumerate() {
        lab.write("one.json", line);
        let apply = "mask apply --policy one.json --key joins=joins.key a.json";
        match n < taken {
            true => drop(lab.ok(apply)),
            false => drop(lab.fails(2, apply)),
        }
    }
    lab.write("policies", lines.join("\n"));
    lab.write(
        "validate.py",
        "import json, sys, jsonschema\n\
         schema = json.load(open(sys.argv[1]))\n\
         jsonschema.Draft202012Validator.check_schema(schema)\n\
         validator = jsonschema.Draft202012Validator(schema)\n\
         print(*(int(validator.is_valid(json.loads(line))) for line in open(sys.argv[2])), sep='')\n",
    );
    let python = built_peer("python");
    let schema =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/en/mask-policy-1.schema.json");
    let said = lab.peer(&format!("{python} validate.py {schema} policies"));
    assert_eq!(said.trim(), ["1".repeat(taken), "0".repeat(bad.len())].concat());
}

/// Who asks, and for what, decides.
#[test]
fn scopes() {
    let lab = lab();
    let scoped = "version = 1\n[detect]\n[[scope]]\nroute = \"/a/*\"\nroles = [\"auditor\"]\nconsent = true\n\
                  clear = true\n[[scope]]\npurposes = [\"support\"]\nstyle = \"usual\"\n[scope.detect]\n";
    lab.write("scoped.toml", scoped);
    lab.write("body.json", r#"{"phone":"13800138000"}"#);
    let apply = |as_what: &str| {
        let args = format!("mask apply --policy scoped.toml {as_what} body.json");
        lab.ok(&args)
    };
    assert_eq!(apply("--route /a/1"), r#"{"phone":"138******00"}"#);
    assert_eq!(apply("--purpose support"), r#"{"phone":"138****8000"}"#);
    assert_eq!(apply("--route /a/1 --role auditor"), r#"{"phone":"138******00"}"#);
    let clear = "mask apply --policy scoped.toml --route /a/1 --role auditor --consent body.json";
    assert!(lab.fails(2, clear).contains("as it is"));
    lab.fails(2, "mask apply --policy scoped.toml --request body.json");
}

#[test]
fn scanned() {
    let lab = Lab::empty();
    std::fs::create_dir_all(lab.path("logs/old")).unwrap();
    lab.write(
        "logs/a.log",
        "fine\n张三 手机 13800138000\nand alice@example.com, key AKIAIOSFODNN7EXAMPLE\n",
    );
    lab.write("logs/old/b.log", b"gbk \xd6\xd0 id 110101199003070003");
    lab.write("logs/binary", b"\0\x01alice@example.com");
    std::os::unix::fs::symlink("/", lab.path("logs/link")).unwrap();
    let said = lab.ok("mask scan logs");
    let expected = "logs/a.log:2:7: mobile (medium) 138******00\n\
                    logs/a.log:3:5: email (high) ****@example.com\n\
                    logs/a.log:3:28: api_key (high) [REDACTED:api_key]\n\
                    logs/old/b.log:1:11: cn_id (high) 1****************3\n\
                    4 found in 2 files; 1 that are no text passed over\n";
    assert_eq!(said, expected);
    let said = lab.ok("mask scan --json --kind email --kind cn_id logs");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["found"].as_array().unwrap().len(), 2);
    assert_eq!(report["found"][1]["masked"], "1****************3");
    let said = lab.ok("mask scan --sarif logs");
    let report: Value = serde_json::from_str(&said).unwrap();
    let result = &report["runs"][0]["results"][0];
    assert_eq!((&report["version"], &result["ruleId"]), (&"2.1.0".into(), &"mobile".into()));
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startColumn"], 7);
    let done = lab.gmkit("mask scan --fail-on-hit logs");
    assert_eq!(done.code, 1);
    for raw in ["13800138000", "alice", "AKIA", "1990"] {
        assert!(!done.stdout.contains(raw) && !done.stderr.contains(raw));
    }
    lab.write("clean", "order 1700000000000\n13800138000\n");
    lab.ok("mask scan --fail-on-hit clean");
    assert!(lab.ok("mask scan --strict clean").contains("clean:2:1: mobile (low)"));
    lab.fails(2, "mask scan missing");
    lab.fails(2, "mask scan --kind phone clean");
    // A line that is longer than is held, and one without an end.
    lab.write("long", format!("{} alice@example.com", "word ".repeat(1 << 20)));
    let column = 5 * (1 << 20) + 2;
    assert!(lab.ok("mask scan long").starts_with(&format!("long:1:{column}: email")));
}

#[test]
fn explained() {
    let lab = lab();
    let explain = "mask explain --policy policy.toml --key joins=joins.key order.json";
    let said = lab.ok(explain);
    let row = |name: &str| {
        let line = said.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("phone"), "phone mobile rule mask, usual 1 10000 +86 138-****-8000");
    assert_eq!(row("note"), "note cn_id high mask, usual 1 3320 110101********0003");
    assert!(row("customer").starts_with("customer cn_id rule token 1 - tok_"));
    let rows: Value = serde_json::from_str(&lab.ok(&format!("{explain} --json"))).unwrap();
    assert!(rows.as_array().unwrap().iter().any(|row| row["candidates"] == 3320));
    lab.write("empty.json", "{}");
    assert_eq!(lab.ok(&explain.replace("order.json", "empty.json")), "nothing is replaced\n");
}

/// A message of protobuf, as protoc writes it, reads it and describes it.
#[test]
fn messages_of_protobuf() {
    let lab = lab();
    let proto = "syntax = \"proto3\"; package shop;\n\
                 message Order { string phone = 1; repeated string notes = 2; int64 amount = 3; }\n";
    lab.write("shop.proto", proto);
    lab.write(
        "order.txt",
        "phone: '13800138000' notes: 'a' notes: 'to alice@example.com' amount: 7",
    );
    let protoc = format!("{} -m grpc_tools.protoc -I.", built_peer("python"));
    lab.peer(&format!("{protoc} --include_imports --descriptor_set_out=shop.pb shop.proto"));
    lab.write("encode", format!("{protoc} --encode=shop.Order shop.proto < order.txt > order.bin"));
    lab.write("decode", format!("{protoc} --decode=shop.Order shop.proto < masked.bin"));
    lab.peer("sh encode");
    lab.write("rules.yaml", "version: 1\nrule: [{path: 'notes[0]', strategy: drop}]\ndetect:\n");
    let apply = "mask apply --policy rules.yaml --descriptors shop.pb";
    lab.ok(&format!("{apply} --message shop.Order -o masked.bin order.bin"));
    let expected = "phone: \"138******00\"\nnotes: \"to ****@example.com\"\namount: 7\n";
    assert_eq!(lab.peer("sh decode"), expected);
    let explained = lab.ok(
        "mask explain --policy rules.yaml --descriptors shop.pb --message shop.Order order.bin",
    );
    assert!(explained.contains("phone") && explained.contains("mobile"), "{explained}");
    for (args, file) in [
        ("--message shop.None", "order.bin"),
        ("--message shop.Order", "order.txt"),
        ("--message shop.Order", "missing"),
        ("--message shop.Order --format json", "order.bin"),
        ("--format protobuf", "order.bin"),
        ("", "order.bin"),
    ] {
        lab.fails(2, &format!("{apply} {args} -o out {file}"));
    }
    lab.fails(2, "mask apply --policy rules.yaml --format protobuf -o out order.bin");
    lab.fails(2, "mask apply --policy rules.yaml --message shop.Order -o out order.bin");
    let odd = "mask apply --policy rules.yaml --descriptors order.txt --message shop.Order";
    lab.fails(2, &format!("{odd} -o out order.bin"));
}
