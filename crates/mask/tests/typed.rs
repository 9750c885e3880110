//! Types that say what of them is shown.
#![cfg(feature = "derive")]

use std::{borrow::Cow, fmt::Debug, sync::Arc};

use gmkit_mask::{Keys, Mask, Maskable, Policy, derived::serde::Serialize, json, rules_to_toml};

#[derive(Mask)]
#[mask(crate = "gmkit_mask", rename_all = "kebab-case")]
struct Everything<'t, T: Maskable, U> {
    #[mask(clear)]
    r#type: &'static str,
    #[mask(kind = CnId, usual)]
    id_card: &'t str,
    #[mask(kind = Mobile, name = "phone number")]
    phone: T,
    #[mask(nested)]
    friends: Vec<Friend>,
    #[mask(nested)]
    best: Option<Box<Friend>>,
    #[mask(kind = BirthDate, generalise = 10)]
    born: Cow<'t, str>,
    #[mask(truncate = 2)]
    code: Arc<str>,
    #[mask(nullify)]
    hidden: bool,
    #[mask(drop)]
    internal: u64,
    #[mask(clear)]
    other: U,
}

#[derive(Mask)]
#[mask(crate = "gmkit_mask")]
struct Friend {
    #[mask(kind = Name, usual)]
    names: Vec<String>,
    #[mask(kind = Qq)]
    number: Option<u64>,
}

fn everything() -> Everything<'static, u64, [u8; 2]> {
    let friend =
        |name: &str| Friend { names: vec![name.into(), String::new()], number: Some(10_000) };
    Everything {
        r#type: "customer",
        id_card: "11010119900318000X",
        phone: 13_800_138_000,
        friends: vec![friend("张伟"), Friend { names: Vec::new(), number: None }],
        best: Some(Box::new(friend("欧阳修"))),
        born: "1990-03-18".into(),
        code: "secret".into(),
        hidden: true,
        internal: 3,
        other: [1, 2],
    }
}

const MASKED: &str = r#"{"type":"customer","id-card":"110101********000X","phone number":"138******00","friends":[{"names":["张**","****"],"number":"****"},{"names":[],"number":null}],"best":{"names":["欧阳**","****"],"number":"****"},"born":"1990-1999","code":"se","hidden":null,"other":[1,2]}"#;

const RAW: &str = r#"{"type":"customer","id-card":"11010119900318000X","phone number":13800138000,"friends":[{"names":["张伟",""],"number":10000},{"names":[],"number":null}],"best":{"names":["欧阳修",""],"number":10000},"born":"1990-03-18","code":"secret","hidden":true,"internal":3,"other":[1,2]}"#;

type Whole = Everything<'static, u64, [u8; 2]>;

/// The value, a body with it, and a file with its rules: all come to the same.
#[test]
fn one_source() {
    assert_eq!(serde_json::to_string(&everything()).unwrap(), MASKED);
    let bare = || Policy::new().with_finder(None);
    let masked = |policy: &Policy, body: &str| {
        String::from_utf8(json(policy, body.as_bytes()).unwrap()).unwrap()
    };
    assert_eq!(masked(&bare().with_rules_of::<Whole>(""), RAW), MASKED);
    let many = bare().with_rules_of::<Vec<Whole>>("rows");
    let rows = |row| format!("{{\"rows\":[{row},{row}]}}");
    assert_eq!(masked(&many, &rows(RAW)), rows(MASKED));
    let file = format!("version = 1\n{}", rules_to_toml(&Whole::rules("a.b")));
    let policy = Policy::from_toml(&file, &Keys::new()).unwrap();
    let within = |body| format!("{{\"a\":{{\"b\":{body}}}}}");
    assert_eq!(masked(&policy, &within(RAW)), within(MASKED));
}

#[test]
fn shown_to_nobody() {
    fn both<T: Debug + Serialize>(value: &T) -> [String; 3] {
        [format!("{value:?}"), format!("{value:#?}"), serde_json::to_string(value).unwrap()]
    }
    for text in both(&everything()) {
        for raw in ["0318", "00138000", "张伟", "修", "10000", "03-18", "cret", "true", "internal"]
        {
            assert!(!text.contains(raw), "{raw}: {text}");
        }
    }
    let debug = format!("{:?}", everything());
    assert!(debug.starts_with(r#"Everything { type: "customer", id_card: "110101********000X""#));
    assert!(debug.contains("hidden: null"), "{debug}");
}

#[test]
fn schema() {
    let schema = Whole::schema();
    let friend = serde_json::json!({
        "type": "object",
        "properties": {
            "names": {
                "type": "array",
                "items": { "type": "string", "x-gmkit-mask": { "kind": "name", "strategy": "mask" } },
            },
            "number": { "anyOf": [
                { "type": "string", "x-gmkit-mask": { "kind": "qq", "strategy": "mask" } },
                { "type": "null" },
            ] },
        },
        "required": ["names", "number"],
        "additionalProperties": false,
    });
    assert_eq!(schema["properties"]["best"]["anyOf"][0], friend);
    assert_eq!(schema["properties"]["friends"]["items"], friend);
    assert_eq!(schema["properties"]["hidden"]["type"], "null");
    assert_eq!(schema["properties"]["other"], true);
    assert!(schema["properties"].get("internal").is_none());
    // What is written has just these members.
    let written: serde_json::Value = serde_json::to_value(everything()).unwrap();
    let names = |value: &serde_json::Value| -> Vec<String> {
        let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&schema["properties"]), names(&written));
}
