//! Bodies that are rewritten, whole and in pieces.

use gmkit_mask::{
    Action, Decision, Error, JsonStream, Keys, Kind, Limits, Observer, OnLimit, Path, Policy,
    Strategy, Style, TextStream, json, text,
};
use proptest::{prelude::*, strategy::Strategy as _};

fn policy(toml: &str) -> Policy {
    Policy::from_toml(&format!("version = 1\nstyle = \"usual\"\n{toml}"), &Keys::new()).unwrap()
}

fn masked(policy: &Policy, body: &str) -> String {
    String::from_utf8(json(policy, body.as_bytes()).unwrap()).unwrap()
}

/// In pieces that end at these places.
fn in_pieces(policy: &Policy, body: &[u8], ends: &[usize]) -> Result<Vec<u8>, Error> {
    let (mut stream, mut out, mut start) = (JsonStream::lines(policy), Vec::new(), 0);
    for end in ends.iter().copied().chain([body.len()]) {
        stream.push(&body[start..end], &mut out)?;
        start = end;
    }
    stream.finish(&mut out)?;
    Ok(out)
}

const RULES: &str = r#"
    [[rule]]
    path = "**.phone"
    kind = "mobile"
    [[rule]]
    path = "a.secret"
    strategy = "drop"
    [[rule]]
    path = "list[*].drop"
    strategy = "drop"
    [[rule]]
    path = "cut"
    strategy = { truncate = 2 }
    [[rule]]
    path = "gone"
    strategy = "nullify"
    [[rule]]
    path = "raw"
    opaque = true
    [[rule]]
    path = "who.*"
    kind = "name"
    [detect]
"#;

/// A body, and what becomes of it.
const BODIES: &[(&str, &str)] = &[
    (r#"{"phone":"13800138000","n":1}"#, r#"{"phone":"138****8000","n":1}"#),
    (r#"{ "Phone" : 13800138000 , "x" : [ ] }"#, r#"{ "Phone" : "138****8000" , "x" : [ ] }"#),
    (
        r#"[{"a":{"phone":[1.3800138e10,null,true]}}]"#,
        r#"[{"a":{"phone":["138****8000",null,null]}}]"#,
    ),
    // Whatever is under a rule is masked as its kind, or hidden.
    (r#"{"phone":{"x":"no number"}}"#, r#"{"phone":{"x":"****"}}"#),
    (r#"{"phone":""}"#, r#"{"phone":"****"}"#),
    // Members that go, at each place.
    (r#"{"a":{"secret":1,"b":2}}"#, r#"{"a":{"b":2}}"#),
    (r#"{"a":{"b":2 , "secret":{"x":[1,{}]} }}"#, r#"{"a":{"b":2 }}"#),
    (r#"{"a":{"b":2,"secret":"x","c":3}}"#, r#"{"a":{"b":2,"c":3}}"#),
    (r#"{"a":{"secret":[]}}"#, r#"{"a":{}}"#),
    (r#"{"list":[{"drop":1},{"drop":2,"keep":3}]}"#, r#"{"list":[{},{"keep":3}]}"#),
    (r#"{"cut":"abcdef","gone":[1,"x"]}"#, r#"{"cut":"ab","gone":[null,null]}"#),
    (
        r#"{"raw":{"id":"110101199003070003"},"who":{"a":"张伟","b":7}}"#,
        r#"{"raw":{"id":"110101199003070003"},"who":{"a":"张**","b":"****"}}"#,
    ),
    // What is found, through escapes.
    (
        r#"{"t":"\/id \u0031\u0031\u0030\u0031\u0030\u0031199003070003\n\/"}"#,
        r#"{"t":"\/id 110101********0003\n\/"}"#,
    ),
    (r#"{"idCard":110101199003070003}"#, r#"{"idCard":"110101********0003"}"#),
    (
        r#"{"110101199003070003":{"alice@example.com":1}}"#,
        r#"{"110101********0003":{"a****@example.com":1}}"#,
    ),
    // JSON in strings, base64 in strings.
    (
        r#"{"j":"{\"phone\": \"13800138000\", \"n\":\"\\u0041\"}"}"#,
        r#"{"j":"{\"phone\": \"138****8000\", \"n\":\"\\u0041\"}"}"#,
    ),
    (r#"{"j":"{no json 13800138000"}"#, r#"{"j":"{no json 13800138000"}"#),
    // {"phone":"13800138000"}
    (r#"{"b":"eyJwaG9uZSI6IjEzODAwMTM4MDAwIn0="}"#, r#"{"b":"eyJwaG9uZSI6IjEzOCoqKio4MDAwIn0="}"#),
    // tel 13800138000
    (r#"{"b":"dGVsIDEzODAwMTM4MDAw"}"#, r#"{"b":"dGVsIDEzOCoqKio4MDAw"}"#),
    (r#"{"t":"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0ZXN0In0."}"#, r#"{"t":"[REDACTED:jwt]"}"#),
    // Nothing to mask.
    (
        "\u{feff}[ 1.50e+3, -0, \"\\ud83d\\ude00\\ud800\", \"é\\u00e9\", true , false, null, {} ]\r\n ",
        "\u{feff}[ 1.50e+3, -0, \"\\ud83d\\ude00\\ud800\", \"é\\u00e9\", true , false, null, {} ]\r\n ",
    ),
    ("13800138000", "13800138000"),
    ("\"手机13800138000\"", "\"手机138****8000\""),
];

#[test]
fn what_becomes_of_bodies() {
    let policy = policy(RULES);
    for (body, expected) in BODIES {
        let once = masked(&policy, body);
        assert_eq!(once, *expected);
        assert_eq!(masked(&policy, &once), once, "a second time");
    }
}

#[test]
fn pieces_make_no_difference() {
    let policy = policy(RULES);
    for (body, expected) in BODIES {
        for end in 0..=body.len() {
            let out = in_pieces(&policy, body.as_bytes(), &[end]).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), *expected, "{end}");
        }
        let every: Vec<_> = (0..body.len()).collect();
        assert_eq!(in_pieces(&policy, body.as_bytes(), &every).unwrap(), expected.as_bytes());
    }
    let lines: String = BODIES
        .iter()
        .filter(|(body, _)| !body.starts_with('\u{feff}'))
        .map(|(body, _)| format!("{body}\n"))
        .collect();
    let expected: String = BODIES
        .iter()
        .filter(|(body, _)| !body.starts_with('\u{feff}'))
        .map(|(_, body)| format!("{body}\n"))
        .collect();
    assert_eq!(
        String::from_utf8(in_pieces(&policy, lines.as_bytes(), &[]).unwrap()).unwrap(),
        expected
    );
}

#[test]
fn what_is_no_json_is_refused() {
    let policy = policy(RULES);
    for body in [
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "[1 2]",
        "[1}",
        "{\"a\":1]",
        "]",
        "1 2",
        "1,",
        ":",
        ",",
        "01",
        "1.",
        "-",
        "tru",
        "nul",
        "truex",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"",
        "{\"\\q\":1}",
        "[\"a\":1]",
        "{,}",
        "[,]",
        "{\"a\":,}",
        "\u{feff}",
        "\u{fefe}1",
        "'a'",
        "NaN",
        "/**/1",
        "{\"phone\":\"13800138000\"}}",
    ] {
        let (mut stream, mut out) = (JsonStream::new(&policy), Vec::new());
        let done = stream.push(body.as_bytes(), &mut out).and_then(|()| stream.finish(&mut out));
        assert!(matches!(done, Err(Error::Malformed { .. })), "{body}: {done:?}");
        assert!(matches!(stream.push(b"1", &mut out), Err(Error::Closed)));
        assert!(!String::from_utf8_lossy(&out).contains("13800138000"), "{body}");
    }
    for body in [&b"\"\xff\""[..], b"\xff", b"{\"\xc3\":1}", b"\"\xed\xa0\x80\""] {
        assert!(json(&policy, body).is_err(), "{body:?}");
    }
    assert!(in_pieces(&policy, b"1 2", &[]).is_err(), "one a line");
    assert_eq!(in_pieces(&policy, b"\n1\n\n2", &[]).unwrap(), b"\n1\n\n2");
}

#[test]
fn nothing_comes_out_before_it_is_decided() {
    let policy = policy(RULES);
    for (body, secret) in [
        (r#"{"phone":"13800138000"#, "0013"),
        (r#"{"x":"alice@example.co"#, "alice"),
        (r#"{"phone":13800138000"#, "0013"),
    ] {
        let (mut stream, mut out) = (JsonStream::new(&policy), Vec::new());
        stream.push(body.as_bytes(), &mut out).unwrap();
        assert!(stream.finish(&mut out).is_err());
        assert!(!String::from_utf8(out).unwrap().contains(secret));
    }
}

#[test]
fn limits() {
    let limits = |on_limit| {
        let mut limits = Limits::default();
        (limits.max_inspect, limits.depth, limits.on_limit) = (100, 5, on_limit);
        policy(RULES).with_limits(limits)
    };
    let (refuses, nullifies) = (limits(OnLimit::Refuse), limits(OnLimit::Nullify));
    let long = "x\\\"".repeat(40);
    let body = format!(r#"{{"a":"{long}","raw":"{long}","b":1}}"#);
    assert!(matches!(json(&refuses, body.as_bytes()), Err(Error::Limit { .. })));
    let expected = format!(r#"{{"a":null,"raw":"{long}","b":1}}"#);
    assert_eq!(masked(&nullifies, &body), expected);
    for end in 0..body.len() {
        assert_eq!(
            in_pieces(&nullifies, body.as_bytes(), &[end]).unwrap(),
            expected.as_bytes(),
            "{end}"
        );
    }
    let exact = format!("\"{}\"", "y".repeat(100));
    assert_eq!(masked(&refuses, &exact), exact);
    for body in [
        "[[[[[[1]]]]]]".to_owned(),
        format!("{{\"{}\":1}}", "k".repeat(101)),
        format!("[{}1]", " ".repeat(400)),
        "1".repeat(101),
        "[".to_owned() + &"1".repeat(2000),
    ] {
        for policy in [&refuses, &nullifies] {
            let done = json(policy, body.as_bytes());
            assert!(matches!(done, Err(Error::Limit { .. })), "{body}: {done:?}");
        }
    }
    // Within a string deeper JSON is text, or refused.
    let nested = r#"{"j":"{\"j\":\"{\\\"j\\\":1}\"}"}"#;
    assert_eq!(masked(&refuses, nested), nested);
}

#[test]
fn text_line_by_line() {
    let policy = policy("[detect]");
    let log = "2026-11-23 手机13800138000 called\r\n\
               key -----BEGIN PRIVATE KEY-----\nMHcCAQ\nAAA=\n-----END PRIVATE KEY----- then alice@example.com\n\
               no end 身份证 110101199003070003";
    let expected = "2026-11-23 手机138****8000 called\r\n\
                    key [REDACTED:private_key] then a****@example.com\n\
                    no end 身份证 110101********0003";
    assert_eq!(text(&policy, log).unwrap(), expected);
    assert_eq!(text(&policy, expected).unwrap(), expected);
    for end in 0..=log.len() {
        let (mut stream, mut out) = (TextStream::new(&policy), Vec::new());
        stream.push(&log.as_bytes()[..end], &mut out).unwrap();
        stream.push(&log.as_bytes()[end..], &mut out).unwrap();
        stream.finish(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{end}");
    }
    let endless = text(&policy, "a\n-----BEGIN PRIVATE KEY-----\nMHcCAQ\nAAA=").unwrap();
    assert_eq!(endless, "a\n[REDACTED:private_key]");

    let mut limits = Limits::default();
    limits.max_inspect = 40;
    let long = format!("ok\n{}13800138000\r\nok {}\n", "x".repeat(60), "y".repeat(37));
    assert!(matches!(text(&policy.clone().with_limits(limits), &long), Err(Error::Limit { .. })));
    limits.on_limit = OnLimit::Nullify;
    let nullifies = policy.with_limits(limits);
    let expected = format!("ok\n[REDACTED:too_long]\r\nok {}\n", "y".repeat(37));
    for end in 0..=long.len() {
        let (mut stream, mut out) = (TextStream::new(&nullifies), Vec::new());
        stream.push(&long.as_bytes()[..end], &mut out).unwrap();
        stream.push(&long.as_bytes()[end..], &mut out).unwrap();
        stream.finish(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{end}");
    }
    let (mut stream, mut out) = (TextStream::new(&nullifies), Vec::new());
    assert!(matches!(stream.push(b"\xff\n", &mut out), Err(Error::Malformed { .. })));
    assert!(matches!(stream.push(b"x", &mut out), Err(Error::Closed)) && out.is_empty());
}

/// What reviewers found to come out raw.
#[test]
fn ways_past() {
    let policy = policy(RULES);
    for (body, expected) in [
        // The first rule that fits, also within what another one lets pass.
        (r#"{"raw":{"phone":"13800138000"}}"#, r#"{"raw":{"phone":"138****8000"}}"#),
        (r#"{"phone":{"13800138000":1}}"#, r#"{"phone":{"138****8000":"****"}}"#),
        (r#"{"tel":"[13800138000]"}"#, r#"{"tel":"[\"138****8000\"]"}"#),
        (
            r#"{"msg":"{\"password\":\"hunter2\"}"}"#,
            r#"{"msg":"{\"password\":\"[REDACTED:password]\"}"}"#,
        ),
        ("{\"b\":\"dGVsIDEz\\r\\nODAwMTM4MDAw\"}", "{\"b\":\"dGVsIDEzOCoqKio4MDAw\"}"),
        (
            r#"{"password":"a b","clientSecret":"x","Cookie":"sid=1"}"#,
            r#"{"password":"[REDACTED:password]","clientSecret":"[REDACTED:password]","Cookie":"[REDACTED:password]"}"#,
        ),
        (
            r#"{"birthday":"1990-03-07","qq":"123456","orderEmail":"alice@example.com"}"#,
            r#"{"birthday":"1990-**-**","qq":"1****","orderEmail":"a****@example.com"}"#,
        ),
        (
            r#"{"telephone":"13800138000","phones":["13800138000"]}"#,
            r#"{"telephone":"138****8000","phones":["138****8000"]}"#,
        ),
    ] {
        assert_eq!(masked(&policy, body), expected);
        assert_eq!(masked(&policy, expected), expected, "a second time");
    }
    let mut limits = Limits::default();
    (limits.max_inspect, limits.on_limit) = (20, OnLimit::Nullify);
    let policy = policy.with_limits(limits);
    assert!(json(&policy, format!("\"{}", "x".repeat(100)).as_bytes()).is_err(), "it does not end");
    let text_of = |body: &str| text(&policy, body).unwrap();
    let long = "x".repeat(2000);
    let key = format!("{long}-----BEGIN PRIVATE KEY-----\nMHc=\n-----END PRIVATE KEY-----\nend\n");
    assert_eq!(text_of(&key), "[REDACTED:too_long]\nend\n");
    limits.max_inspect = usize::MAX;
    assert_eq!(
        masked(&policy.with_limits(limits), "\"alice@example.com\""),
        "\"a****@example.com\""
    );
}

#[test]
fn keys_with_odd_ends() {
    let policy = policy("[detect]");
    for text_in in [
        "\u{2010}\u{2010}\u{2010}\u{2010}\u{2010}BEGIN\u{a0}PRIVATE KEY\u{2010}\u{2010}\u{2010}\u{2010}\u{2010}\nMHcCAQ\n",
        "see -----BEGIN PRIVATE KEY----- .. -----END PRIVATE KEY\nMHcCAQ\n",
        "x-api-key: x -----BEGIN PRIVATE KEY-----\nMHcCAQ\n",
    ] {
        let out = text(&policy, text_in).unwrap();
        assert!(!out.contains("MHc"), "{out}");
        assert!(
            text(&policy, &format!("{text_in}-----END PRIVATE KEY-----\nfine"))
                .unwrap()
                .ends_with("fine")
        );
    }
}

#[derive(Debug, Default)]
struct Told(std::sync::Mutex<Vec<String>>);

impl Observer for Told {
    fn replaced(&self, decision: &Decision<'_>) {
        self.0.lock().unwrap().push(format!("{decision:?}"));
        assert!(decision.name != "panic", "as it should");
    }
}

#[test]
fn who_is_told_does_not_see_it() {
    let told = std::sync::Arc::new(Told::default());
    let policy = policy(RULES).with_observer(told.clone());
    masked(&policy, r#"{"alice@example.com":"手机13800138000","phone":13900139000}"#);
    let said = told.0.lock().unwrap().join("\n");
    assert!(said.contains("Mobile") && !said.contains("alice") && !said.contains("0013"), "{said}");
    // A panic ends it, and nothing more comes out.
    let (mut stream, mut out) = (JsonStream::new(&policy), Vec::new());
    let body = br#"{"panic":"alice@example.com","b":"bob@example.com"}"#;
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stream.push(body, &mut out)));
    assert!(panicked.is_err() && matches!(stream.push(b"", &mut out), Err(Error::Closed)));
    assert!(!String::from_utf8(out).unwrap().contains('@'));
}

#[test]
fn the_first_rule_decides() {
    let phone = |style| Action::Replace(Some(Kind::Mobile), Strategy::Mask(style));
    let path = |path: &str| path.parse::<Path>().unwrap();
    let policy = Policy::new()
        .with_finder(None)
        .with_rule(path("a.**.x"), phone(Style::Usual))
        .with_rule(path("**.x"), phone(Style::Strict))
        .with_rule(path("rows[1]"), Action::Replace(None, Strategy::Nullify))
        .with_rule(path("rows[*].*"), Action::Replace(None, Strategy::Mask(Style::Strict)));
    let body = r#"{"a":{"b":[{"x":13800138000}],"x":13800138000},"x":13800138000,"rows":[{"k":1},2,3],"y":5}"#;
    let expected = r#"{"a":{"b":[{"x":"138****8000"}],"x":"138****8000"},"x":"138******00","rows":[{"k":"****"},null,3],"y":5}"#;
    assert_eq!(masked(&policy, body), expected);
    // Each line begins where the first did.
    let lines = format!("{body}\n{body}\n");
    assert_eq!(
        in_pieces(&policy, lines.as_bytes(), &[]).unwrap(),
        format!("{expected}\n{expected}\n").into_bytes()
    );
}

fn any_json() -> impl proptest::strategy::Strategy<Value = String> {
    let space = || "[ \n\t\r]{0,2}";
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?",
        "\"([ !#-\\[\\]-~é张]|\\\\u[0-9a-c][0-9a-f]{3}|\\\\[nrtbf\"/\\\\]){0,20}\"",
        prop_oneof![
            "\"手机13800138000\"",
            "\"alice@example[.]com\"",
            "\"110101199003070003\"",
            "\"(MTM4MDAxMzgwMDA=|eyJhIjoxfQ==)\""
        ],
    ];
    scalar.prop_recursive(4, 40, 5, move |inner| {
        let element = (space(), inner, space()).prop_map(|(a, v, b)| format!("{a}{v}{b}"));
        let name = "\"(phone|raw|secret|a|list|drop|[a-z\\\\\"]{0,0}[a-z]{1,6})\"";
        let member = (space(), name, space(), element.clone())
            .prop_map(|(a, n, b, v)| format!("{a}{n}{b}:{v}"));
        prop_oneof![
            prop::collection::vec(element, 0..5).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(member, 0..5).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

proptest! {
    #[test]
    fn any_body(body in any_json(), mut ends in prop::collection::vec(0usize..500, 0..6)) {
        let nothing = Policy::new().with_finder(None);
        prop_assert_eq!(masked(&nothing, &body), body.clone());
        let policy = policy(RULES);
        let whole = masked(&policy, &body);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&whole).is_ok(), "{}", whole);
        prop_assert_eq!(masked(&policy, &whole), whole.clone());
        ends.iter_mut().for_each(|end| *end = (*end).min(body.len()));
        ends.sort_unstable();
        prop_assert_eq!(in_pieces(&policy, body.as_bytes(), &ends).unwrap(), whole.into_bytes());
    }

    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let policy = policy(RULES);
        let _ = json(&policy, &body);
        let mut out = Vec::new();
        let mut stream = TextStream::new(&policy);
        let _ = stream.push(&body, &mut out).and_then(|()| stream.finish(&mut out));
    }

    #[test]
    fn any_text(body in "([0-9 .@:/_-]|[A-Za-z]|[张王省市区路号手机]|\u{200b}|[０-９]|\n){0,80}", mut ends in prop::collection::vec(0usize..300, 0..4)) {
        let policy = policy("[detect]\nleast = \"low\"");
        let whole = text(&policy, &body).unwrap();
        ends.iter_mut().for_each(|end| *end = (*end).min(body.len()));
        ends.sort_unstable();
        let (mut stream, mut out, mut start) = (TextStream::new(&policy), Vec::new(), 0);
        for end in ends.into_iter().chain([body.len()]) {
            stream.push(&body.as_bytes()[start..end], &mut out).unwrap();
            start = end;
        }
        stream.finish(&mut out).unwrap();
        prop_assert_eq!(String::from_utf8(out).unwrap(), whole);
    }
}

/// However many rules there are, each is looked at.
#[test]
fn many_rules() {
    let none: gmkit_mask::Path = "none".parse().unwrap();
    let action = gmkit_mask::Action::Replace(None, gmkit_mask::Strategy::Nullify);
    let mut policy = Policy::new().with_finder(None);
    for _ in 0..70_000 {
        policy = policy.with_rule(none.clone(), action.clone());
    }
    let policy = policy.with_rule("a".parse().unwrap(), action);
    assert_eq!(json(&policy, br#"{"a":"x","b":"y"}"#).unwrap(), br#"{"a":null,"b":"y"}"#);
}
