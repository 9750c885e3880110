//! Messages of protobuf, written and read by Google's own implementation.
#![cfg(feature = "protobuf")]

mod grpc;

use gmkit_mask::{Descriptors, Error, Keys, Limits, OnLimit, Policy, json, protobuf};
use grpc::{ask, descriptors};
use proptest::prelude::*;
use serde_json::Value;

const ACCOUNT: &str = "bank.v1.Account";

const RULES: &str = r#"
version = 1
style = "usual"
[[rule]]
path = "phone"
kind = "mobile"
[[rule]]
path = "phones[1]"
strategy = "nullify"
[[rule]]
path = "addresses[*].phone"
kind = "mobile"
[[rule]]
path = "labels.secret"
strategy = "drop"
[[rule]]
path = "by_name.*.city"
strategy = { truncate = 1 }
[[rule]]
path = "internal"
strategy = "drop"
[[rule]]
path = "more.deep.list[1]"
strategy = { truncate = 2 }
[[rule]]
path = "detail.city"
strategy = { truncate = 3 }
[[rule]]
path = "nick_phone"
kind = "mobile"
[[rule]]
path = "parent.note"
opaque = true
"#;

fn policy(toml: &str) -> Policy {
    Policy::from_toml(toml, &Keys::new()).unwrap()
}

fn encoded(bodies: &[(&str, &str)]) -> Vec<Vec<u8>> {
    let lines: Vec<_> = bodies.iter().map(|(of, body)| format!("{of} {body}")).collect();
    ask("encode", &lines).iter().map(|line| hex::decode(line).unwrap()).collect()
}

fn decoded(messages: &[Vec<u8>]) -> Vec<Value> {
    let lines: Vec<_> =
        messages.iter().map(|own| format!("{ACCOUNT} {}", hex::encode(own))).collect();
    ask("decode", &lines).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn masked(policy: &Policy, message: &[u8]) -> Result<Vec<u8>, Error> {
    protobuf(policy, descriptors(), ACCOUNT, message)
}

/// Of texts a message becomes what its JSON becomes.
#[test]
fn as_its_json() {
    let bodies = [
        r#"{"phone":"13800138000","note":"call 13800138001 or mail alice@example.com","internal":"x"}"#,
        r#"{"phones":["a","13800138000","c"],"note":"{\"phone\":\"13800138000\"}"}"#,
        r#"{"address":{"city":"alice@example.com","phone":"13800138000"},"addresses":[{"phone":"13800138000"},{"city":"b","phone":"x"}]}"#,
        r#"{"labels":{"secret":"1","phone":"13800138000","a":"alice@example.com"}}"#,
        r#"{"labels":{"alice@example.com":"x"}}"#,
        r#"{"by_name":{"bob":{"city":"beijing","phone":"手机13800138000"}}}"#,
        r#"{"more":{"deep":{"list":["aaa","bbb","ccc"],"on":true},"mail":"alice@example.com","n":null}}"#,
        r#"{"detail":{"@type":"type.googleapis.com/bank.v1.Address","city":"beijing","phone":"电话13800138000"}}"#,
        r#"{"nick_phone":"13800138000"}"#,
        r#"{"mail":"alice@example.com","level":"LEVEL_GOLD","vip":true}"#,
        r#"{"parent":{"note":"alice@example.com","mail":"alice@example.com","phone":"13800138000"}}"#,
        r#"{"note":"YWxpY2VAZXhhbXBsZS5jb20K"}"#,
        "{}",
    ];
    let messages = encoded(&bodies.map(|body| (ACCOUNT, body)));
    for toml in [&format!("{RULES}[detect]\n"), RULES, "version = 1\n[detect]\n"] {
        let policy = policy(toml);
        let all: Vec<_> =
            messages.iter().map(|message| masked(&policy, message).unwrap()).collect();
        for ((body, message), seen) in bodies.iter().zip(&all).zip(decoded(&all)) {
            let expected = json(&policy, body.as_bytes()).unwrap();
            let mut expected: Value = serde_json::from_slice(&expected).unwrap();
            // In a list there is no null.
            if let Some(Value::Array(phones)) = expected.get_mut("phones") {
                phones.iter_mut().filter(|own| own.is_null()).for_each(|own| *own = "".into());
            }
            assert_eq!(seen, expected, "{body}");
            assert_eq!(masked(&policy, message).unwrap(), *message, "again: {body}");
        }
    }
    let clear = policy("version = 1\n[[rule]]\npath = \"none\"\n");
    for message in messages {
        assert_eq!(masked(&clear, &message).unwrap(), message, "bytes that nothing is for");
    }
}

/// There is no room for a mask in a number, and none for a mark in bytes.
#[test]
fn numbers_and_bytes() {
    let rules = policy(
        "version = 1\n[detect]\n\
         [[rule]]\npath = \"age\"\nstrategy = { generalise = 10 }\n\
         [[rule]]\npath = \"amount\"\nstrategy = { generalise = 100 }\n\
         [[rule]]\npath = \"level\"\n[[rule]]\npath = \"vip\"\n\
         [[rule]]\npath = \"by_number.7\"\nstrategy = \"nullify\"\n\
         [[rule]]\npath = \"numbers[2]\"\nstrategy = \"drop\"\n\
         [[rule]]\npath = \"labels.secret\"\n",
    );
    let cases = [
        (r#"{"mobile":"13800138000"}"#, "{}"),
        (r#"{"mobile":"20240101"}"#, r#"{"mobile":"20240101"}"#),
        (r#"{"age":37,"amount":1234.0}"#, r#"{"age":30,"amount":1200.0}"#),
        (r#"{"age":-37,"amount":1234.5}"#, r#"{"age":-40}"#),
        (r#"{"level":"LEVEL_GOLD","vip":true}"#, "{}"),
        (r#"{"numbers":["1","2","3","4"]}"#, r#"{"numbers":["1","2","4"]}"#),
        (r#"{"card":"6200000000000005"}"#, "{}"),
        (r#"{"blob":"YWxpY2VAZXhhbXBsZS5jb20="}"#, r#"{"blob":"KioqKkBleGFtcGxlLmNvbQ=="}"#),
        (r#"{"blob":"/9j/4A=="}"#, r#"{"blob":"/9j/4A=="}"#),
        (r#"{"by_number":{"7":"a","8":"b"}}"#, r#"{"by_number":{"7":"","8":"b"}}"#),
        (r#"{"more":{"phone":13800138000,"n":5}}"#, r#"{"more":{"n":5.0,"phone":null}}"#),
        (r#"{"labels":{"secret":"s"}}"#, r#"{"labels":{"secret":"****"}}"#),
    ];
    let messages = encoded(&cases.map(|(body, _)| (ACCOUNT, body)));
    let all: Vec<_> = messages.iter().map(|message| masked(&rules, message).unwrap()).collect();
    for ((body, expected), seen) in cases.iter().zip(decoded(&all)) {
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(seen, expected, "{body}");
    }
}

#[test]
fn what_the_descriptors_do_not_know() {
    let of = "bank.v1.Newer";
    let [harmless, text, number, inner] = &encoded(&[
        (of, r#"{"note":"x","extra":"nothing","extra_number":"5"}"#),
        (of, r#"{"extra":"mail alice@example.com"}"#),
        (of, r#"{"extra_number":"6200000000000005"}"#),
        (of, r#"{"extra_address":{"city":"alice@example.com"}}"#),
    ])[..] else {
        panic!()
    };
    let detecting = policy("version = 1\n[detect]\n");
    assert_eq!(masked(&detecting, harmless).unwrap(), *harmless);
    for message in [text, number, inner] {
        assert!(matches!(masked(&detecting, message), Err(Error::Malformed { .. })));
    }
    // What a rule is for goes, with all that is in it.
    let within = [&[0xc2, 1, u8::try_from(text.len()).unwrap()][..], text].concat();
    let rule = policy("version = 1\n[[rule]]\npath = \"parent\"\n");
    assert_eq!(masked(&rule, &within).unwrap(), [0xc2, 1, 0]);
    // A type that nobody knows, and one that is said twice.
    let any = |url: &str, value: &[u8]| {
        let part = |tag: u8, bytes: &[u8]| [&[tag, bytes.len() as u8], bytes].concat();
        [part(10, url.as_bytes()), part(18, value)].concat()
    };
    let detail = |any: &[u8]| [&[90, any.len() as u8], any].concat();
    let unknown = detail(&any("x/bank.v1.None", b"\x0a\x01x"));
    assert_eq!(masked(&detecting, &unknown).unwrap(), unknown);
    assert!(masked(&policy(RULES), &unknown).is_err());
    let hidden = detail(&any("x/bank.v1.None", b"\x0a\x11alice@example.com"));
    assert!(masked(&detecting, &hidden).is_err());
    let twice = [any("x/bank.v1.None", b""), any("x/bank.v1.Address", b"\x0a\x05abcde")].concat();
    let seen = masked(&policy(RULES), &detail(&twice)).unwrap();
    assert!(seen.ends_with(b"\x0a\x03abc"), "the last type counts");
}

#[test]
fn what_is_no_message() {
    let detecting = policy("version = 1\n[detect]\n");
    for message in [
        &b"\x0a"[..],
        b"\x0a\x05abc",
        b"\x0a\x02\xff\xfe",
        b"\x00\x00",
        b"\x07",
        b"\x0b\x14",
        b"\x0b\x08",
        b"\x0b",
        b"\x4a\x01\x80",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x3a\x04\x0a\x02\xff\xff",
    ] {
        assert!(matches!(masked(&detecting, message), Err(Error::Malformed { .. })), "{message:?}");
    }
    let deep = (0..200).fold(Vec::new(), |inner, _| {
        let mut outer = vec![0xc2, 1];
        prost::encoding::encode_varint(inner.len() as u64, &mut outer);
        [outer, inner].concat()
    });
    assert!(matches!(masked(&detecting, &deep), Err(Error::Limit { .. })));
    let groups = [[0x9b_u8, 6].repeat(5000), [0x9c_u8, 6].repeat(5000)].concat();
    assert!(matches!(masked(&detecting, &groups), Err(Error::Malformed { .. })));
    let long = [&b"\x12\xe8\x07"[..], &[b'x'; 1000]].concat();
    let mut limits = Limits::default();
    limits.max_inspect = 100;
    let short = detecting.clone().with_limits(limits);
    assert!(matches!(masked(&short, &long), Err(Error::Limit { .. })));
    limits.on_limit = OnLimit::Nullify;
    assert!(masked(&short.with_limits(limits), &long).unwrap().is_empty());
    assert!(matches!(Descriptors::decode(b"\x0a\x05abc"), Err(Error::Malformed { .. })));
    let none = protobuf(&detecting, descriptors(), "bank.v1.None", b"");
    assert!(matches!(none, Err(Error::Policy { .. })));
}

proptest! {
    #[test]
    fn no_message_panics(message: Vec<u8>, at in 0_usize..400, with: u8) {
        let full = policy(&format!("{RULES}[detect]\n"));
        let _ = masked(&full, &message);
        let mut sound = SOUND.with(Clone::clone);
        let at = at % sound.len();
        sound[at] = with;
        if let Ok(once) = masked(&full, &sound) {
            prop_assert_eq!(masked(&full, &once).unwrap(), once);
        }
    }
}

thread_local! {
    static SOUND: Vec<u8> = encoded(&[(ACCOUNT, r#"{"phone":"13800138000","phones":["a","b"],
        "address":{"city":"c"},"labels":{"a":"b"},"numbers":["1","300"],"more":{"a":[1,"b"]},
        "detail":{"@type":"x/bank.v1.Address","city":"d"},"nick_phone":"e","vip":true,"amount":1.5}"#
        .replace('\n', " ").as_str())]).remove(0);
}
