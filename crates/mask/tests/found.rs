//! What is found, and what is not.

use gmkit_mask::{Confidence, Finder, Kind};

/// The hits as `kind:text`.
fn found(text: &str) -> Vec<String> {
    let hits = Finder::new().find(text);
    hits.iter().map(|hit| format!("{}:{}", hit.kind, &text[hit.range.clone()])).collect()
}

#[track_caller]
fn one(text: &str, expected: &str) {
    assert_eq!(found(text), [expected], "{text}");
}

#[track_caller]
fn none(text: &str) {
    assert_eq!(found(text), [] as [&str; 0], "{text}");
}

#[test]
fn numbers_by_themselves() {
    for (text, kind) in [
        ("110101199003070003", "cn_id"),
        ("11010119900318000X", "cn_id"),
        ("11010519491231002x", "cn_id"),
        ("110101 19900307 0003", "cn_id"),
        ("110101-19900307-0003", "cn_id"),
        ("1１0１01１9９003０70００3", "cn_id"),
        ("110101\u{200b}199003070003", "cn_id"),
        ("911840199003070006", "cn_id"),
        ("138-0013-8000", "mobile"),
        ("138 0013 8000", "mobile"),
        ("138·0013·8000", "mobile"),
        ("6200000000000005", "card"),
        ("4111 1111 1111 1111", "card"),
        ("3782-822463-10005", "card"),
        ("6205500000000000004", "card"),
        ("91350100M000100Y43", "uscc"),
        ("A123456(3)", "hkid"),
        ("A123456789", "twid"),
        ("LZZ0A0AA9R0000001", "vin"),
        ("GB82WEST12345698765432", "iban"),
        ("GB82 WEST 1234 5698 7654 32", "iban"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("219-09-9999", "ssn"),
        ("alice@example.com", "email"),
        ("a.b+c@xn--fiqs8s.xn--fiqs8s", "email"),
        ("用户@例子.公司", "email"),
        ("192.0.2.7", "ipv4"),
        ("2001:db8::1", "ipv6"),
        ("fe80::1%eth0", "ipv6"),
        ("::ffff:192.0.2.1", "ipv6"),
        ("00:00:5e:00:53:01", "mac"),
        ("00-00-5E-00-53-AF", "mac"),
        ("0000.5e00.5301", "mac"),
        ("京A00000", "plate"),
        ("京A·00000", "plate"),
        ("京AD00000", "plate"),
        ("京A00000D", "plate"),
        ("010-80000000", "landline"),
        ("0571-80000000-801", "landline"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0ZXN0In0.", "jwt"),
        ("AKIAIOSFODNN7EXAMPLE", "api_key"),
        ("军字第00000000号", "military"),
        ("P<CHNZHANG<<SAN<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "mrz"),
        ("L898902C36UTO7408122F1204159ZE184226B<<<<<10", "mrz"),
        ("北京市朝阳区示例路1号院2号楼3单元401室", "address"),
    ] {
        one(text, &format!("{kind}:{text}"));
        // Between what does not belong to it.
        one(&format!("，{text}。"), &format!("{kind}:{text}"));
        one(&format!("\"{text}\", and"), &format!("{kind}:{text}"));
    }
    one("+86 138-0013-8000", "mobile:138-0013-8000");
    one("+8613800138000", "mobile:13800138000");
    one("(86)13800138000", "mobile:13800138000");
}

#[test]
fn numbers_that_something_announces() {
    for (text, kind, number) in [
        ("手机13800138000联系", "mobile", "13800138000"),
        ("phone: 13800138000", "mobile", "13800138000"),
        ("身份证 110105491231002", "cn_id15", "110105491231002"),
        ("护照号 E00000000", "passport", "E00000000"),
        ("passport EA0000000", "passport", "EA0000000"),
        ("回乡证：H00000000", "travel_permit", "H00000000"),
        ("台胞证 00000000", "travel_permit", "00000000"),
        ("卡号 9558800000000000000", "card", "9558800000000000000"),
        ("验证码 482913，", "password", "482913"),
        ("微信号：zhang_san2", "wechat", "zhang_san2"),
        ("QQ: 123456", "qq", "123456"),
        ("SSN 219099999", "ssn", "219099999"),
        ("生日：1990年3月7日", "birth_date", "1990年3月7日"),
        ("dob=1990-03-07", "birth_date", "1990-03-07"),
        ("车架号 LZZ0A0AA8R0000001", "vin", "LZZ0A0AA8R0000001"),
        ("姓名：张伟，男", "name", "张伟"),
        ("联系人 欧阳小明 ", "name", "欧阳小明"),
        ("姓名：买买提·吐尔逊", "name", "买买提·吐尔逊"),
        ("请张小明先生", "name", "张小明"),
        ("password=hunter2&x=1", "password", "hunter2"),
        ("Authorization: Bearer abc.def", "password", "Bearer abc.def"),
        ("https://bob:pa55@example.org/x", "password", "pa55"),
        ("密码：abc123。", "password", "abc123"),
    ] {
        let hits = found(text);
        assert!(hits.contains(&format!("{kind}:{number}")), "{text}: {hits:?}");
    }
    let hits = Finder::new().find_under("contactPhone", "13800138000");
    assert_eq!((hits[0].kind, hits[0].confidence), (Kind::Mobile, Confidence::Medium));
    assert!(Finder::new().find_under("orderId", "13800138000").is_empty());
    assert_eq!(Finder::new().find_under("姓名", "张伟")[0].kind, Kind::Name);
}

#[test]
fn what_stands_beside_something_else() {
    for (text, expected) in [
        ("order from alice@example.com", "email:alice@example.com"),
        ("port 22 from 192.0.2.7", "ipv4:192.0.2.7"),
        (
            "快递地址：北京市朝阳区示例路1号院2号楼",
            "address:快递地址：北京市朝阳区示例路1号院2号楼",
        ),
        ("出生时间：1990-03-07", "birth_date:1990-03-07"),
        ("https://example.org/reset?email=alice@example.com", "email:alice@example.com"),
        ("GET /api/users/alice@example.com/orders", "email:alice@example.com"),
        ("password: \"Tr0ub4dor&3, correct horse\" x", "password:Tr0ub4dor&3, correct horse"),
        ("{\"Authorization\": \"Bearer abc.def\"}", "password:Bearer abc.def"),
        ("Cookie: [REDACTED:jwt]; session=abcdef", "password:[REDACTED:jwt]; session=abcdef"),
        ("password=[REDACTEDhunter2", "password:[REDACTEDhunter2"),
        ("email=alice@example.com", "email:alice@example.com"),
        (
            "bounce-alice=example.com@lists.example.org",
            "email:bounce-alice=example.com@lists.example.org",
        ),
        (
            "password=tok_0123456789abcdef0123456789abcdef",
            "password:tok_0123456789abcdef0123456789abcdef",
        ),
        ("redis://:s3cret@host", "password:s3cret"),
        ("accessToken=abc123 x", "password:abc123"),
        ("phoneNumber=13800138000", "mobile:13800138000"),
        ("电话 (010)80000000", "landline:010)80000000"),
        ("addr ip:2001:db8::1", "ipv6:2001:db8::1"),
    ] {
        let hits = found(text);
        let end = expected.rsplit('：').next().unwrap();
        assert!(hits.iter().any(|hit| hit == expected || hit.ends_with(end)), "{text}: {hits:?}");
    }
    let long = format!("token={} end", "x".repeat(5000));
    assert_eq!(found(&long), [format!("password:{}", "x".repeat(5000))]);
}

#[test]
fn what_is_nobodys() {
    for text in [
        // One thing wrong with each.
        "110101199003070004",
        "11010119900307000X",
        "110101199002300006",
        "110101199013010004",
        "170101199003070004",
        "1101011990030700031",
        "6200000000000006",
        "91350100M000100Y4Z",
        "A123456(4)",
        "A123456788",
        "LZZ0A0AA8R0000001",
        "GB82WEST12345698765431",
        "000-12-3456",
        "256.0.2.7",
        "京I00000",
        "京A0000",
        "京AO0000",
        // What looks alike.
        "13800138000",
        "12800138000",
        "1380013800",
        "138001380001",
        "1700000000000",
        "1700000000000000",
        "1700000000000000000",
        "0.13800138000",
        "116.397128",
        "13800138.00",
        "20240101120000",
        "2024010112345678901",
        "12345678-1234-4123-8123-123456789012",
        "5678f123-4111-4111-8111-411111111111",
        "v1.2.3.4",
        "1.2.3.4-beta",
        "Chrome/120.0.0.0",
        "logo@2x.png",
        "user@host",
        "@scope/pkg",
        "std::vec::Vec",
        "12:30:45",
        "9780306406157",
        "order 6200000000000005",
        "运单 138 0013 8000",
        "今天很高兴，王国里白天陈列着马上",
        "eyJ0eXAiOiJub25lIn0.eyJzdWIiOiJ0ZXN0In0.",
        "-----BEGIN CERTIFICATE-----",
        // What a mask has left.
        "手机138****8000",
        "身份证110101********0003",
        "620000******0005",
        "a****@example.com",
        "password=[REDACTED:password]",
        "姓名：张**",
        "京A0***0",
    ] {
        none(text);
    }
}

#[test]
fn strict_finds_what_is_only_shaped() {
    let strict = Finder::new().with_least(Confidence::Low);
    assert_eq!(strict.find("13800138000")[0].kind, Kind::Mobile);
    let only = strict.with_kinds(&[Kind::Email]);
    assert!(only.find("13800138000").is_empty());
}

#[test]
fn a_key_and_what_is_around_it() {
    let text = "k = -----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY----- and";
    let hits = Finder::new().find(text);
    assert_eq!(hits.len(), 1);
    assert!(
        text[hits[0].range.clone()].starts_with("-----BEGIN")
            && text[hits[0].range.end..] == *" and"
    );
    let cut = "-----BEGIN PRIVATE KEY-----\nMHc=";
    assert_eq!(Finder::new().find(cut)[0].range, 0..cut.len());
}
