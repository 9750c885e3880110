//! Bodies that are masked, and policies.

use std::sync::LazyLock;

use gmkit_mask::{BodyStream, Descriptors, Format, JsonStream, Keys, Policies, Policy, protobuf};
use prost::Message;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet, MessageOptions,
    field_descriptor_proto::{Label, Type},
};

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

/// Fields of every kind.
fn descriptors() -> FileDescriptorSet {
    let field =
        |name: &str, number, kind: Type, label: Label, of: Option<&str>| FieldDescriptorProto {
            name: Some(name.to_owned()),
            number: Some(number),
            label: Some(label.into()),
            r#type: Some(kind.into()),
            type_name: of.map(str::to_owned),
            ..FieldDescriptorProto::default()
        };
    let (one, many) = (Label::Optional, Label::Repeated);
    let message = |name: &str, field, nested_type, options| DescriptorProto {
        name: Some(name.to_owned()),
        field,
        nested_type,
        options,
        ..DescriptorProto::default()
    };
    let entry = vec![
        field("key", 1, Type::String, one, None),
        field("value", 2, Type::Message, one, Some(".M")),
    ];
    let options = MessageOptions { map_entry: Some(true), ..MessageOptions::default() };
    let fields = vec![
        field("phone", 1, Type::String, one, None),
        field("raw", 2, Type::Bytes, one, None),
        field("a", 3, Type::Message, one, Some(".M")),
        field("list", 4, Type::Message, many, Some(".M")),
        field("numbers", 5, Type::Sint64, many, None),
        field("map", 6, Type::Message, many, Some(".M.MapEntry")),
        field("any", 7, Type::Message, one, Some(".google.protobuf.Any")),
        field("group", 8, Type::Group, one, Some(".M")),
        field("needed", 9, Type::Double, Label::Required, None),
        field("texts", 10, Type::String, many, None),
        field("fixed", 11, Type::Fixed32, one, None),
        field("choice", 12, Type::Bool, many, None),
    ];
    let nested = vec![message("MapEntry", entry, vec![], Some(options))];
    let any = vec![
        field("type_url", 1, Type::String, one, None),
        field("value", 2, Type::Bytes, one, None),
    ];
    let file = |package: &str, message_type| FileDescriptorProto {
        package: Some(package.to_owned()),
        message_type,
        ..FileDescriptorProto::default()
    };
    FileDescriptorSet {
        file: vec![
            file("google.protobuf", vec![message("Any", any, vec![], None)]),
            file("", vec![message("M", fields, nested, None)]),
        ],
    }
}

static DESCRIPTORS: LazyLock<Descriptors> =
    LazyLock::new(|| Descriptors::decode(&descriptors().encode_to_vec()).expect("descriptors"));

/// A message, or descriptors.
pub fn mask_protobuf(data: &[u8]) {
    if let Ok(masked) = protobuf(&MASKS, &DESCRIPTORS, "M", data) {
        let again = protobuf(&MASKS, &DESCRIPTORS, "M", &masked);
        assert_eq!(again.ok(), Some(masked), "what is masked stays");
    }
    if let Ok(descriptors) = Descriptors::decode(data) {
        let _ = protobuf(&MASKS, &descriptors, "M", b"\x0a\x0b13800138000\x18\x01");
    }
}

/// Policies.
pub fn mask_policy(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Policies::from_yaml(text, &Keys::new());
    }
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
        ("mask_policy", "yaml".to_owned(), b"version: 1\ndetect:\nscope:\n  - {route: /a/*, roles: [x], clear: true}\n  - rule: [{path: 'a[0].**.b', kind: mobile, strategy: {truncate: 2}}]\n".to_vec()),
        ("mask_protobuf", "message".to_owned(), b"\x0a\x0b13800138000\x1a\x04\x0a\x02ab\x22\x03\x12\x01c\x2a\x03\x02\x80\x01\x32\x08\x0a\x01k\x12\x03\x0a\x01v\x3a\x09\x0a\x03x/M\x12\x02\x58\x01\x43\x0a\x01g\x44\x49\0\0\0\0\0\0\xf0\x3f\x52\x11alice@example.com\x5d\x01\0\0\0\x62\x02\x01\0\xc2\x3e\x01?".to_vec()),
        ("mask_protobuf", "descriptors".to_owned(), descriptors().encode_to_vec()),
    ]
}
