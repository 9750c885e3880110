//! Words that are looked for, all in one pass: those that announce a number, labels, and beginnings.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind, StartKind};

use crate::Kind;

/// What announces which kinds. A space is also `_`, `-`, or nothing.
const ANNOUNCE: &[(&[Kind], &[&str])] = &[
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
            "mobiles",
            "phones",
            "telephone",
            "cell phone",
            "mobile phone",
            "phone number",
            "mobile number",
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
            "card no",
            "acct",
            "iban",
        ],
    ),
    (
        &[Kind::Passport, Kind::TravelPermit, Kind::Military],
        &["护照", "通行证", "回乡证", "台胞证", "签证", "passport", "permit", "travel document"],
    ),
    (&[Kind::Ssn], &["ssn", "social security", "社会安全"]),
    (&[Kind::Name], &["full name", "real name", "contact name"]),
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

/// What a search begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// The index of a list above.
    Announces(usize),
    Other,
    /// Behind these stands a value.
    Password,
    Header,
    Birth,
    WeChat,
    Qq,
    NameLabel,
    Url,
    /// Before this stands a name.
    Title,
    /// A plate begins with a province.
    Province,
    Street,
    Military,
    /// A line of a passport has these.
    Filler,
    /// With these begin secrets.
    Token,
    Key,
    /// The index of [`PREFIXES`].
    Prefix(usize),
}

const LABELS: &[(Sign, &[&str])] = &[
    (
        Sign::Password,
        &[
            "password",
            "passwd",
            "pwd",
            "secret",
            "token",
            "api key",
            "access key",
            "private key",
            "密码",
            "口令",
        ],
    ),
    (Sign::Header, &["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"]),
    (
        Sign::Birth,
        &[
            "出生日期",
            "出生年月",
            "出生",
            "生日",
            "dob",
            "birth",
            "birthday",
            "birth date",
            "date of birth",
        ],
    ),
    (Sign::WeChat, &["微信", "wechat"]),
    (Sign::Qq, &["qq"]),
    (
        Sign::NameLabel,
        &["姓名", "联系人", "收件人", "收货人", "户名", "患者", "法定代表人", "持卡人", "申请人"],
    ),
    (Sign::Url, &["://"]),
    (Sign::Title, &["先生", "女士", "老师", "医生"]),
    (
        Sign::Province,
        &[
            "京", "津", "沪", "渝", "冀", "豫", "云", "辽", "黑", "湘", "皖", "鲁", "新", "苏",
            "浙", "赣", "鄂", "桂", "甘", "晋", "蒙", "陕", "吉", "闽", "贵", "粤", "青", "藏",
            "川", "宁", "琼",
        ],
    ),
    (Sign::Street, &["路", "街", "巷", "村", "大道", "胡同", "镇", "乡", "弄", "小区", "花园"]),
    (Sign::Military, &["字第"]),
    (Sign::Filler, &["<<"]),
    (Sign::Token, &["eyJ"]),
    (Sign::Key, &["-----BEGIN "]),
];

/// How the keys of some services begin, and how many characters come behind that at least.
pub(super) const PREFIXES: &[(&str, usize)] = &[
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("AIza", 35),
    ("sk_live_", 16),
    ("sk-", 20),
    ("LTAI", 12),
    ("AKID", 32),
];

struct Dictionary {
    beginnings: Beginnings,
    search: AhoCorasick,
    words: Vec<(String, Sign)>,
}

/// Which three bytes words may begin with: a bit for each value of a hash, so that a few others have one, too. Nearly all
/// of a text is passed over by it.
struct Beginnings(Box<[u64; 1 << 10]>);

impl Beginnings {
    fn new<'w>(words: impl Iterator<Item = &'w [u8]>) -> Self {
        let mut bits = Box::new([0; 1 << 10]);
        let mut set = |three: [u8; 3]| {
            let hash = Self::hash(three.iter().fold(0, |three, c| Self::push(three, *c)));
            bits[hash >> 6] |= 1 << (hash & 63);
        };
        for word in words {
            match *word {
                [a, b, c, ..] => set([a, b, c]),
                [a, b] => (0..=255).for_each(|c| set([a, b, c])),
                _ => unreachable!("a word of one byte"),
            }
        }
        Self(bits)
    }

    /// Without the case of ASCII. What this does to other characters, it does to words as well.
    fn push(three: u32, next: u8) -> u32 {
        three >> 8 | u32::from(next | 0x20) << 16
    }

    fn hash(three: u32) -> usize {
        (three.wrapping_mul(0x9e37_79b1) >> 16) as usize
    }

    /// The first place behind which a word may begin.
    fn first(&self, text: &[u8], from: usize) -> Option<usize> {
        let [first, second, rest @ ..] = text.get(from..)? else { return None };
        let mut three = Self::push(Self::push(0, *first), *second);
        // Two bytes are enough of a word at the end.
        let mut begins = |c: &u8| {
            three = Self::push(three, *c);
            let hash = Self::hash(three);
            self.0[hash >> 6] >> (hash & 63) & 1 == 1
        };
        let place = rest.iter().position(&mut begins);
        place.or_else(|| begins(&0).then_some(rest.len())).map(|place| from + place)
    }
}

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let mut words: Vec<(String, Sign)> = Vec::new();
    let mut add = |word: &str, sign| {
        let forms =
            if word.contains(' ') && sign != Sign::Key { &[" ", "_", "-", ""][..] } else { &[" "] };
        words.extend(forms.iter().map(|form| (word.replace(' ', form), sign)));
    };
    for (sign, list) in LABELS {
        list.iter().for_each(|word| add(word, *sign));
    }
    for (n, (_, list)) in ANNOUNCE.iter().enumerate() {
        list.iter().for_each(|word| add(word, Sign::Announces(n)));
    }
    OTHER.iter().for_each(|word| add(word, Sign::Other));
    PREFIXES.iter().enumerate().for_each(|(n, (prefix, _))| add(prefix, Sign::Prefix(n)));
    let search = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .start_kind(StartKind::Anchored)
        .build(words.iter().map(|(word, _)| word));
    // The words are constants, and few.
    let beginnings = Beginnings::new(words.iter().map(|(word, _)| word.as_bytes()));
    Dictionary { beginnings, search: search.expect("constant words"), words }
});

/// One of the words, in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) sign: Sign,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Mark {
    pub(super) fn announces(&self, kind: Kind) -> bool {
        match self.sign {
            Sign::Announces(list) => ANNOUNCE[list].0.contains(&kind),
            Sign::NameLabel => kind == Kind::Name,
            _ => false,
        }
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// All words of the dictionary, from left to right; those in letters of ASCII not within others.
pub(super) fn marks(text: &str) -> Vec<Mark> {
    let bytes = text.as_bytes();
    // Between a small letter and a capital a word begins: accessToken.
    let is_within = |left: Option<usize>, right: usize| {
        let left = left.and_then(|at| bytes.get(at)).filter(|c| c.is_ascii_alphabetic());
        let right = bytes.get(right).filter(|c| c.is_ascii_alphabetic());
        matches!((left, right), (Some(left), Some(right)) if left.is_ascii_uppercase() || right.is_ascii_lowercase())
    };
    let mut marks = Vec::new();
    let Dictionary { beginnings, search, words } = &*DICTIONARY;
    let mut at = 0;
    while let Some(start) = beginnings.first(bytes, at) {
        at = start + 1;
        let here = Input::new(bytes).range(start..).anchored(Anchored::Yes);
        let Some(hit) = search.find(here) else { continue };
        at = hit.end();
        let (word, sign) = &words[hit.pattern().as_usize()];
        let end = hit.end();
        let whole = match sign {
            // Written as they are, and anything may follow.
            Sign::Token | Sign::Key | Sign::Prefix(_) => bytes[start..end] == *word.as_bytes(),
            _ if bytes[start].is_ascii_alphabetic() => {
                !is_within(start.checked_sub(1), start) && !is_within(Some(end - 1), end)
            }
            _ => true,
        };
        if whole {
            marks.push(Mark { sign: *sign, start, end });
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each word is found wherever it stands, and the filter before the search hides none.
    #[test]
    fn every_word() {
        for (word, sign) in &DICTIONARY.words {
            for text in
                [word.clone(), format!(" {word}"), format!("{word} x"), format!("。{word}。")]
            {
                let found = marks(&text);
                let start = text.find(word.as_str()).unwrap();
                let whole = found.iter().find(|mark| mark.start == start);
                let whole = whole.unwrap_or_else(|| panic!("{text}"));
                assert_eq!((whole.end, whole.sign), (start + word.len(), *sign), "{text}");
            }
            let upper = word.to_uppercase();
            let as_written = matches!(sign, Sign::Token | Sign::Key | Sign::Prefix(_));
            assert!(as_written || !marks(&upper).is_empty(), "{upper}");
        }
        assert!(marks("q").is_empty() && marks("").is_empty());
    }
}
