//! The words around a number, which say what it is.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::AhoCorasick;

use crate::Kind;

/// How many characters before and behind a candidate are looked at.
const BEFORE: usize = 20;
const BEHIND: usize = 10;

/// What announces which kinds. In lower case; `_` and `-` count as spaces.
const WORDS: &[(&[Kind], &[&str])] = &[
    (
        &[Kind::CnId, Kind::CnId15, Kind::HkId, Kind::TwId, Kind::MacauId, Kind::TravelPermit],
        &[
            "身份证",
            "证件号",
            "身份号码",
            "居民身份",
            "居住证",
            "永居证",
            "社会保障号",
            "id card",
            "identity",
            "id no",
            "idcard",
            "idno",
            "id number",
            "citizen id",
            "national id",
            "hkid",
        ],
    ),
    (
        &[Kind::Mobile, Kind::Landline],
        &[
            "手机",
            "电话",
            "联系方式",
            "座机",
            "固话",
            "致电",
            "短信",
            "mobile",
            "phone",
            "tel",
            "cell",
            "contact",
            "msisdn",
            "call",
        ],
    ),
    (
        &[Kind::Card, Kind::Iban],
        &[
            "银行卡",
            "卡号",
            "账号",
            "账户",
            "储蓄卡",
            "信用卡",
            "开户行",
            "card",
            "pan",
            "bank account",
            "cardno",
            "acct",
            "iban",
        ],
    ),
    (
        &[Kind::Passport, Kind::TravelPermit, Kind::Military],
        &["护照", "通行证", "回乡证", "台胞证", "签证", "passport", "permit", "travel document"],
    ),
    (&[Kind::Ssn], &["ssn", "social security", "社会安全"]),
    (
        &[Kind::Name],
        &[
            "姓名",
            "联系人",
            "收件人",
            "收货人",
            "户名",
            "患者",
            "full name",
            "real name",
            "contact name",
        ],
    ),
    (&[Kind::Plate, Kind::Vin], &["车牌", "号牌", "车架号", "plate", "vin", "chassis"]),
    (
        &[Kind::Uscc],
        &["统一社会信用代码", "税号", "纳税人识别号", "营业执照", "uscc", "tax id", "credit code"],
    ),
    (
        &[Kind::Password],
        &[
            "验证码",
            "校验码",
            "动态码",
            "动态口令",
            "otp",
            "verification code",
            "passcode",
            "cvv",
            "pin",
        ],
    ),
];

/// What announces something that is nobody's.
const OTHER: &[&str] = &[
    "订单",
    "运单",
    "流水",
    "单号",
    "批次",
    "时间",
    "版本",
    "编号",
    "金额",
    "库存",
    "端口",
    "快递",
    "order",
    "tracking",
    "trace",
    "span",
    "request id",
    "sku",
    "version",
    "timestamp",
    "commit",
    "sha",
    "port",
    "amount",
    "qty",
    "isbn",
    "ean",
    "serial",
    "epoch",
    "price",
    "total",
];

/// All of them; the index of the first one of each kind's list.
struct Dictionary {
    search: AhoCorasick,
    ends: Vec<usize>,
}

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let mut ends = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    for (_, list) in WORDS {
        words.extend(*list);
        ends.push(words.len());
    }
    words.extend(OTHER);
    // The words are constants, and few.
    Dictionary { search: AhoCorasick::new(words).expect("constant words"), ends }
});

/// A word near a candidate.
struct Near {
    /// Where in the list of lists; behind it for what is something else.
    list: usize,
    range: Range<usize>,
}

impl Near {
    fn announces(&self, kind: Kind) -> bool {
        WORDS.get(self.list).is_some_and(|(kinds, _)| kinds.contains(&kind))
    }

    fn is_other(&self) -> bool {
        self.list == WORDS.len()
    }
}

/// What surrounds the candidates of a text.
pub(super) struct Around<'t> {
    text: &'t str,
    name: Vec<Near>,
}

impl<'t> Around<'t> {
    pub(super) fn new(name: &str, text: &'t str) -> Self {
        Self { text, name: words(&split(name)) }
    }

    /// Whether this kind is announced, `Some(false)` if something else is.
    pub(super) fn announces(&self, kind: Kind, range: &Range<usize>) -> Option<bool> {
        let before = &self.text[..range.start];
        let from = before.char_indices().rev().nth(BEFORE - 1).map_or(0, |(at, _)| at);
        let before = lowered(&before[from..]);
        let behind = &self.text[range.end..];
        let to = behind.char_indices().nth(BEHIND).map_or(behind.len(), |(at, _)| at);
        let behind = lowered(&behind[..to]);
        judge(&before, &words(&before), kind)
            .or_else(|| words(&behind).iter().any(|near| near.announces(kind)).then_some(true))
            .or_else(|| self.judge_name(kind))
    }

    /// A name is not a sentence: what it has of the kind counts.
    fn judge_name(&self, kind: Kind) -> Option<bool> {
        if self.name.iter().any(|near| near.announces(kind)) {
            return Some(true);
        }
        self.name.iter().any(Near::is_other).then_some(false)
    }
}

/// The nearest word that says something about the kind decides: another kind's does not. One that stands right before a
/// word like "number" goes with it.
fn judge(text: &str, near: &[Near], kind: Kind) -> Option<bool> {
    let own = near.iter().rev().find(|near| near.announces(kind));
    let other = near.iter().rev().find(|near| near.is_other());
    match (own, other) {
        (None, None) => None,
        (Some(_), None) => Some(true),
        (None, Some(_)) => Some(false),
        (Some(own), Some(other)) if own.range.end <= other.range.start => {
            let between = &text[own.range.end..other.range.start];
            Some(between.chars().all(char::is_alphanumeric))
        }
        (Some(_), Some(_)) => Some(true),
    }
}

fn lowered(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '_' | '-' => ' ',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}

/// `phoneNumber` as `phone number`.
fn split(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for c in name.chars() {
        if lower && c.is_ascii_uppercase() {
            text.push(' ');
        }
        lower = c.is_ascii_lowercase();
        text.push(c);
    }
    lowered(&text)
}

/// Words of the dictionary; those in letters of ASCII not within others.
fn words(text: &str) -> Vec<Near> {
    let bytes = text.as_bytes();
    let is_letter =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let mut found = Vec::new();
    for hit in DICTIONARY.search.find_overlapping_iter(text) {
        let ascii = bytes[hit.start()].is_ascii();
        if ascii && (is_letter(hit.start().checked_sub(1)) || is_letter(Some(hit.end()))) {
            continue;
        }
        let list = DICTIONARY.ends.partition_point(|end| *end <= hit.pattern().as_usize());
        found.push(Near { list, range: hit.range() });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced() {
        let announced = |text: &str, kind| {
            let at = text.find('#').unwrap();
            Around::new("", text).announces(kind, &(at..at + 1))
        };
        assert_eq!(announced("手机号：#", Kind::Mobile), Some(true));
        assert_eq!(announced("call me: #", Kind::Mobile), Some(true));
        assert_eq!(announced("recalled: #", Kind::Mobile), None);
        assert_eq!(announced("订单 #", Kind::Mobile), Some(false));
        assert_eq!(announced("手机，订单 #", Kind::Mobile), Some(false));
        assert_eq!(announced("护照编号 #", Kind::Passport), Some(true));
        assert_eq!(announced("#（手机）", Kind::Mobile), Some(true));
        let under = |name, kind| Around::new(name, "#").announces(kind, &(0..1));
        assert_eq!(under("contactPhone", Kind::Mobile), Some(true));
        assert_eq!(under("order_id", Kind::Mobile), Some(false));
        assert_eq!(under("x", Kind::Mobile), None);
    }
}
