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

const LATE: &str = "odd.Late";

/// Names and forms that are not what they seem.
#[test]
fn odd_types() {
    let rules = policy(
        r#"
version = 1
[detect]
[[rule]]
path = "ext_phone"
[[rule]]
path = '"[odd.top_phone]"'
[[rule]]
path = "phone"
[[rule]]
path = "p"
opaque = true
[[rule]]
path = "flags.true"
[[rule]]
path = "by_number.0"
[[rule]]
path = "detail.value"
strategy = { truncate = 1 }
[[rule]]
path = "grouped.phone"
strategy = "nullify"
[[rule]]
path = "needed"
strategy = "drop"
[[rule]]
path = "account.detail.value.more.x"
strategy = { truncate = 2 }
"#,
    );
    let any = |of: &str, value: &str| {
        format!(r#"{{"needed":"n","detail":{{"@type":"x/{of}","value":{value}}}}}"#)
    };
    let string = any("google.protobuf.StringValue", r#""abc""#);
    let cases = [
        (
            r#"{"needed":"n","[odd.Early.ext_phone]":"secret"}"#,
            r#"{"needed":"","[odd.Early.ext_phone]":"****"}"#,
        ),
        (
            r#"{"needed":"n","[odd.top_phone]":"secret"}"#,
            r#"{"needed":"","[odd.top_phone]":"****"}"#,
        ),
        (
            r#"{"needed":"n","phone":"secret","password":"hunter2"}"#,
            r#"{"needed":"","p":"****","s":"[REDACTED:password]"}"#,
        ),
        (
            r#"{"needed":"n","passwd":"aHVudGVyMv/+","picture":"iVBORw=="}"#,
            r#"{"needed":"","picture":"iVBORw=="}"#,
        ),
        (r#"{"needed":"n","passwd":"YWxpY2VAZXhhbXBsZS5jb23/"}"#, r#"{"needed":""}"#),
        (
            r#"{"needed":"n","flags":{"true":"secret","false":"shown"}}"#,
            r#"{"needed":"","flags":{"true":"****","false":"shown"}}"#,
        ),
        (
            r#"{"needed":"n","by_number":{"0":"secret","1":"shown"}}"#,
            r#"{"needed":"","by_number":{"0":"****","1":"shown"}}"#,
        ),
        (
            &string,
            r#"{"needed":"","detail":{"@type":"x/google.protobuf.StringValue","value":"a"}}"#,
        ),
        (r#"{"needed":"n","grouped":{"phone":"secret"}}"#, r#"{"needed":"","grouped":{}}"#),
        (r#"{"needed":"n","mobile":"-13800138000"}"#, r#"{"needed":""}"#),
        (
            r#"{"needed":"n","account":{"more":{"card":6222020200112232448}}}"#,
            r#"{"needed":"","account":{"more":{"card":null}}}"#,
        ),
    ];
    let lines: Vec<_> = cases.iter().map(|(body, _)| (LATE, *body)).collect();
    let lines = encoded(&lines);
    let all: Vec<_> = lines
        .iter()
        .map(|message| protobuf(&rules, descriptors(), LATE, message).unwrap())
        .collect();
    let all: Vec<_> = all.iter().map(|own| format!("{LATE} {}", hex::encode(own))).collect();
    for ((body, expected), seen) in cases.iter().zip(ask("decode", &all)) {
        let [seen, expected]: [Value; 2] =
            [&seen, *expected].map(|text| serde_json::from_str(text).unwrap());
        assert_eq!(seen, expected, "{body}");
    }
}

/// What other readers take for something else than was looked at.
#[test]
fn what_may_be_read_in_two_ways() {
    let detecting = policy("version = 1\n[detect]\n");
    let refused = |message: &[u8], why: &str| {
        let error = protobuf(&detecting, descriptors(), LATE, message).unwrap_err().to_string();
        assert!(error.contains(why), "{message:?}: {error}");
    };
    // A message in two parts, a number that is cut off, a name of a map in the same way.
    refused(b"\x6a\x03\x0a\x01a\x6a\x03\x12\x01b", "part");
    refused(b"\x4b\x0a\x01a\x4c\x4b\x0a\x01b\x4c", "part");
    refused(b"\x50\xb3\xd1\xbf\x89\x10", "no room");
    refused(b"\x58\xe5\xe2\xd8\xa6\x98\x8c\xff\x0a", "no room");
    refused(b"\x3a\x09\x08\x87\x80\x80\x80\x10\x12\x01x", "no room");
    // Fields that nobody knows, in whatever is in them.
    let card = b"6200000000000005";
    let unknown = |inner: &[u8]| [&[0xba, 0x3e, inner.len() as u8], inner].concat();
    let text = |field: u8, text: &[u8]| [&[field << 3 | 2, text.len() as u8], text].concat();
    let varint = |tag: u8, value: u64| {
        let mut out = vec![tag];
        prost::encoding::encode_varint(value, &mut out);
        out
    };
    for inner in [
        [text(1, card), vec![0x30, 5]].concat(),
        varint(8, 2 * 6_200_000_000_000_005),
        [&[0x09][..], &6_200_000_000_000_005_f64.to_le_bytes()].concat(),
        text(1, &text(2, &text(3, card))),
        text(1, b"YWxpY2VAZXhhbXBsZS5jb20="),
        text(1, br#"{"mail":"alice@example.com"}"#),
        varint(8, 6_200_000_000_000_005),
        [&[0xff; 1][..], b"alice@example.com"].concat(),
        [&[0x0b][..], &text(1, card), &[0x0c]].concat(),
    ] {
        refused(&unknown(&inner), "do not know");
    }
    for harmless in [&b"hello"[..], b"\x08\x96\x01", b"\xff\x00\x01", b""] {
        let message = unknown(harmless);
        assert_eq!(protobuf(&detecting, descriptors(), LATE, &message).unwrap(), message);
    }
    // The depth that other readers take, however much the policy allows.
    let mut limits = Limits::default();
    limits.depth = 1024;
    let deep = |levels: usize| {
        (0..levels).fold(Vec::new(), |inner, _| {
            let mut outer = vec![0x6a];
            prost::encoding::encode_varint(inner.len() as u64, &mut outer);
            [outer, inner].concat()
        })
    };
    let policy = detecting.clone().with_limits(limits);
    let of = |levels| protobuf(&policy, descriptors(), LATE, &deep(levels));
    assert_eq!(of(99).unwrap(), deep(99));
    assert!(matches!(of(100), Err(Error::Limit { .. })));
    // Descriptors that say a thing twice, or not at all.
    let set = hex::decode(&ask("descriptors", &[])[0]).unwrap();
    assert!(Descriptors::decode(&[&set[..], &set].concat()).is_err());
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
