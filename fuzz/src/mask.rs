//! Bodies that are masked, and policies.

use std::sync::LazyLock;

use gmkit_mask::{BodyStream, Format, JsonStream, Keys, Policy};

const POLICY: &str = r#"
version = 1
style = "usual"
[[rule]]
path = "**.phone"
kind = "mobile"
[[rule]]
path = "a.*"
strategy = "drop"
[[rule]]
path = "raw"
opaque = true
[detect]
least = "low"
[limits]
max_inspect = 300
depth = 20
on_limit = "nullify"
"#;

static MASKS: LazyLock<Policy> =
    LazyLock::new(|| Policy::from_toml(POLICY, &Keys::new()).expect("a policy"));

/// A body of JSON, behind a byte that says where it is cut: both ways come to the same end.
pub fn mask_json(data: &[u8]) {
    let Some((cut, body)) = data.split_first() else { return };
    let whole = json(&[body]);
    let (left, right) = body.split_at(usize::from(*cut).min(body.len()));
    assert_eq!(json(&[left, right]), whole);
    if let Some(whole) = whole {
        // What is masked is taken again.
        assert!(json(&[&whole]).is_some());
    }
}

fn json(pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let (mut stream, mut out) = (JsonStream::lines(&*MASKS), Vec::new());
    for piece in pieces {
        stream.push(piece, &mut out).ok()?;
    }
    stream.finish(&mut out).ok()?;
    Some(out)
}

/// A text, in the same way.
pub fn mask_text(data: &[u8]) {
    let Some((cut, body)) = data.split_first() else { return };
    cut_anywhere(Format::Text, *cut, body);
}

/// Events and forms, in the same way.
pub fn mask_body(data: &[u8]) {
    let Some((cut, body)) = data.split_first() else { return };
    cut_anywhere(Format::Events, *cut, body);
    cut_anywhere(Format::Form, *cut, body);
}

fn cut_anywhere(format: Format, cut: u8, body: &[u8]) {
    let (left, right) = body.split_at(usize::from(cut).min(body.len()));
    assert_eq!(masked(format, &[left, right]), masked(format, &[body]));
}

fn masked(format: Format, pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let (mut stream, mut out) = (BodyStream::new(&*MASKS, format), Vec::new());
    for piece in pieces {
        stream.push(piece, &mut out).ok()?;
    }
    stream.finish(&mut out).ok()?;
    Some(out)
}

/// Policies.
pub fn mask_policy(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(policy) = Policy::from_toml(text, &Keys::new())
    {
        let _ = gmkit_mask::json(
            &policy,
            br#"{"phone":[13800138000,{"a":"alice@example.com"}],"a":{"b":1}}"#,
        );
    }
}

pub(crate) fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let json = r#"+{"phone":"13800138000","a":{"b":1,"c":[2]},"raw":"x","t":"身份证\u0031\u003110101199003070003","j":"{\"phone\":13800138000}","b":"dGVsIDEzODAwMTM4MDAw"}"#;
    let text = "!手机１３８-0013-8000 alice@example.com 4111 1111 1111 1111\n-----BEGIN PRIVATE KEY-----\nMHc\n-----END PRIVATE KEY-----\npassword=x 北京市朝阳区示例路1号 192.0.2.7 fe80::1%eth0 GB82 WEST 1234 5698 7654 32 京A00000 姓名：张伟";
    vec![
        ("mask_json", "order".to_owned(), json.into()),
        ("mask_text", "log".to_owned(), text.into()),
        ("mask_body", "events".to_owned(), "\u{5}id: 1\r\ndata: {\"phone\":\ndata: \"13800138000\"}\n\n: alice@example.com\r\rdata: x\n".into()),
        ("mask_body", "form".to_owned(), "\u{9}phone=138+0013+8000&a[b]=1&raw=%61&n=%E6%89%8B%E6%9C%BA13800138000&b=".into()),
        ("mask_policy", "all".to_owned(), POLICY.into()),
    ]
}
