//! Events and forms, whole and in pieces.

use gmkit_mask::{BodyStream, Error, Format, Keys, Limits, OnLimit, Policy};
use proptest::prelude::*;

fn policy() -> Policy {
    let toml = r#"
        version = 1
        style = "usual"
        [[rule]]
        path = "**.phone"
        kind = "mobile"
        [[rule]]
        path = "internal"
        strategy = "drop"
        [[rule]]
        path = "phones[*]"
        kind = "mobile"
        [[rule]]
        path = "m.*"
        strategy = "nullify"
        [[rule]]
        path = "gone"
        strategy = "nullify"
        [[rule]]
        path = "raw"
        opaque = true
        [[rule]]
        path = "to[*].name"
        kind = "name"
        [detect]
    "#;
    Policy::from_toml(toml, &Keys::new()).unwrap()
}

fn in_pieces(
    policy: &Policy,
    format: Format,
    body: &[u8],
    ends: &[usize],
) -> Result<Vec<u8>, Error> {
    let (mut stream, mut out, mut start) = (BodyStream::new(policy, format), Vec::new(), 0);
    for end in ends.iter().copied().chain([body.len()]) {
        stream.push(&body[start..end], &mut out)?;
        start = end;
    }
    stream.finish(&mut out)?;
    Ok(out)
}

fn masked(policy: &Policy, format: Format, body: &str) -> String {
    String::from_utf8(in_pieces(policy, format, body.as_bytes(), &[]).unwrap()).unwrap()
}

const EVENTS: &[(&str, &str)] = &[
    ("", ""),
    ("data: {\"phone\": \"13800138000\"}\n\n", "data: {\"phone\": \"138****8000\"}\n\n"),
    (
        "\u{feff}event: order\r\nid: 7\r\ndata:{\"phone\":\r\ndata: \"13800138000\"}\r\n\r\nretry: 3000\r\n\r\n",
        "\u{feff}event: order\r\nid: 7\r\ndata:{\"phone\":\r\ndata: \"138****8000\"}\r\n\r\nretry: 3000\r\n\r\n",
    ),
    (
        "data: call 138-0013-8000\rdata: now\r\r: mail alice@example.com\r",
        "data: call 138-****-8000\rdata: now\r\r: mail a****@example.com\r",
    ),
    ("data: [DONE]\n\ndata\n\n\n\n", "data: [DONE]\n\ndata\n\n\n\n"),
    // Lines of JSON in one event, and a key over three of them.
    (
        "data: {\"phone\":1}\ndata: {\"phone\":\"13800138000\"}\n\n",
        "data: {\"phone\":\"****\"}\ndata: {\"phone\":\"138****8000\"}\n\n",
    ),
    (
        "data: -----BEGIN PRIVATE KEY-----\n\ndata: MIG\nid: 7\n\ndata: -----END PRIVATE KEY-----\n\ndata: x\n\n",
        "data: [REDACTED:private_key]\n\ndata: \nid: 7\n\ndata: \n\ndata: x\n\n",
    ),
    // What is left of a value stands on lines that have room for one.
    (
        "data: {\"internal\":\ndata: 1,\ndata\ndata: \"b\":2}\n\n",
        "data: {\ndata: \ndata: \"b\":2}\n\n",
    ),
    (
        "alice@example.com\nid: alice@example.com\n\n",
        "a****@example.com\nid: a****@example.com\n\n",
    ),
    (
        "data: -----BEGIN PRIVATE KEY-----\ndata: MIG\ndata: -----END PRIVATE KEY-----\ndata: x\n\n",
        "data: [REDACTED:private_key]\ndata: x\n\n",
    ),
    // No event, as it does not end; its bytes are there all the same.
    ("data: {\"phone\": 13800138000}", "data: {\"phone\": \"138****8000\"}"),
];

const FORMS: &[(&str, &str)] = &[
    ("", ""),
    ("a=1&&b&=&c=%zz", "a=1&&b&=&c=%zz"),
    ("phone=138+0013+8000&x=a+b", "phone=138+****+8000&x=a+b"),
    ("user[phone]=%31%33%38%30%30138000", "user[phone]=138****8000"),
    ("user.phone=1&PHONE[]=13800138000", "user.phone=****&PHONE[]=138****8000"),
    ("internal=1&a=2&internal[b]=3&c=4", "a=2&c=4"),
    ("phones[]=13800138000&phones[]=1&phones=2", "phones[]=138****8000&phones[]=****&phones=****"),
    ("m[1]=x&m[+1]=x&m.1=x&m[b]=x", "m[1]=&m[+1]=&m.1=&m[b]="),
    ("gone=1&raw=alice@example.com", "gone=&raw=alice@example.com"),
    (
        "to[0][name]=%E5%BC%A0%E4%BC%9F&to[0][x]=%E5%BC%A0%E4%BC%9F",
        "to[0][name]=%E5%BC%A0**&to[0][x]=%E5%BC%A0%E4%BC%9F",
    ),
    (
        "alice%40example.com=1&j={\"phone\":\"13800138000\"}",
        "a****%40example.com=1&j=%7B%22phone%22%3A%22138****8000%22%7D",
    ),
    ("password=hunter%26two", "password=%5BREDACTED%3Apassword%5D"),
    ("note=%E6%89%8B%E6%9C%BA13800138000", "note=%E6%89%8B%E6%9C%BA138****8000"),
];

/// However they are cut; and a second time nothing changes.
#[test]
fn as_expected_from_every_cut() {
    let policy = policy();
    for (format, bodies) in [(Format::Events, EVENTS), (Format::Form, FORMS)] {
        for (body, expected) in bodies {
            assert_eq!(masked(&policy, format, body), *expected);
            assert_eq!(masked(&policy, format, expected), *expected, "twice");
            for end in 0..=body.len() {
                let pieces = in_pieces(&policy, format, body.as_bytes(), &[end]).unwrap();
                assert_eq!(String::from_utf8(pieces).unwrap(), *expected, "cut at {end}");
            }
            let each: Vec<usize> = (0..body.len()).collect();
            let pieces = in_pieces(&policy, format, body.as_bytes(), &each).unwrap();
            assert_eq!(String::from_utf8(pieces).unwrap(), *expected, "byte by byte");
        }
    }
}

proptest! {
    /// What was not found cannot depend on the cuts, either; nor can errors, nor limits.
    #[test]
    fn cuts_make_no_difference(
        body in prop_oneof!["[a=&%3\\[\\].+]{0,40}", "(data|id|:|x)?[: ]{0,2}[a13800138000@{}\"]{0,20}(\r|\n|\r\n){0,3}data: 1\n\n"],
        cuts in prop::collection::vec(0..64_usize, 0..6),
        most in 1..40_usize,
        nullify: bool,
    ) {
        let mut limits = Limits::default();
        limits.max_inspect = most;
        limits.on_limit = if nullify { OnLimit::Nullify } else { OnLimit::Refuse };
        let policy = policy().with_limits(limits);
        let mut ends: Vec<_> = cuts.iter().map(|cut| *cut.min(&body.len())).collect();
        ends.sort_unstable();
        for format in [Format::Events, Format::Form] {
            let whole = in_pieces(&policy, format, body.as_bytes(), &[]);
            let pieces = in_pieces(&policy, format, body.as_bytes(), &ends);
            prop_assert_eq!(format!("{whole:?}"), format!("{pieces:?}"));
        }
    }
}

#[test]
fn what_is_too_long() {
    let mut limits = Limits::default();
    limits.max_inspect = 64;
    let long = "x".repeat(200);
    let refusing = policy().with_limits(limits);
    limits.on_limit = OnLimit::Nullify;
    let nullifying = policy().with_limits(limits);
    for (format, body, expected) in [
        (
            Format::Events,
            format!("data: a\n\ndata: {long}\nid: 1\n\ndata: b\n\n"),
            "data: a\n\ndata: [REDACTED:too_long]\n\ndata: b\n\n".to_owned(),
        ),
        (
            // A key that begins in an event of which nothing is left.
            Format::Events,
            format!(
                "data: {long}\ndata: -----BEGIN PRIVATE KEY-----\n\ndata: MEEC\n\ndata: AQAw\n\n"
            ),
            "data: [REDACTED:too_long]\n\ndata: \n\ndata: \n\n".to_owned(),
        ),
        (Format::Form, format!("a=1&b={long}&internal={long}&c=2"), "a=1&b=&c=2".to_owned()),
        (Format::Form, format!("raw={long}&c=2"), format!("raw={long}&c=2")),
    ] {
        assert_eq!(masked(&nullifying, format, &body), expected);
        let refused = in_pieces(&refusing, format, body.as_bytes(), &[]);
        match body.starts_with("raw") {
            true => assert_eq!(refused.unwrap(), body.as_bytes()),
            false => assert!(matches!(refused, Err(Error::Limit { offset: 0 | 4 | 9, .. }))),
        }
        for end in 0..=body.len() {
            let pieces = in_pieces(&nullifying, format, body.as_bytes(), &[end]).unwrap();
            assert_eq!(String::from_utf8(pieces).unwrap(), expected, "cut at {end}");
        }
    }
    let refused = in_pieces(&nullifying, Format::Form, long.as_bytes(), &[]);
    assert!(matches!(refused, Err(Error::Limit { .. })), "a name without an end");
}

#[test]
fn what_is_refused() {
    let rules = policy();
    for (format, body) in [
        (Format::Events, &b"data: {\"phone\": 13800138000"[..]),
        (Format::Events, b"data: see {\"phone\": 1}\n\n"),
        (Format::Events, b"data: {\"phone\": 1,}\n\n"),
        (Format::Events, b"id: {\"phone\": 1}\n\n"),
        (Format::Form, b"user[phone]x=1"),
        (Format::Form, b"user[phone=1"),
        (Format::Form, b"user]=1"),
        (Format::Form, b"a[b[c]]=1"),
        (Format::Events, b"data: \xff\n\n"),
        (Format::Events, b"data: {\"phone\": 13800138000\n\n"),
        (Format::Events, b"data: [\"13800138000\n\n"),
        (Format::Form, b"a=%ff"),
        (Format::Form, b"a%ff=1"),
        (Format::Form, b"a=\xff"),
    ] {
        let refused = in_pieces(&rules, format, body, &[]);
        assert!(matches!(refused, Err(Error::Malformed { .. })), "{refused:?}");
    }
    let (mut stream, mut out) = (BodyStream::new(&rules, Format::Form), Vec::new());
    assert!(stream.push(b"%ff&", &mut out).is_err());
    assert!(matches!(stream.push(b"a", &mut out), Err(Error::Closed)));
    assert!(matches!(stream.finish(&mut out), Err(Error::Closed)) && out.is_empty());
}
