//! What is written in Chinese: names, addresses, plates, military cards.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::{
    Kind,
    hit::{
        Candidate,
        Evidence::{Shaped, Strong},
    },
};

/// The hundred most common surnames, and the compound ones.
const SURNAMES: &str = "欧阳|上官|司马|诸葛|令狐|皇甫|尉迟|慕容|司徒|东方|端木|独孤|南宫|夏侯|公孙|轩辕|长孙|宇文|\
    [王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方\
    邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万钱严覃武戴莫孔向汤]";

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static PLATE: LazyLock<Regex> = LazyLock::new(|| {
    let letter = "[A-HJ-NP-Za-hj-np-z]";
    let rest = "[A-HJ-NP-Za-hj-np-z0-9]";
    pattern(&format!(
        "[{PROVINCES}]{letter}[ ·.]?(?:{rest}{{6}}|{rest}{{5}}|{rest}{{4}}[挂学警港澳])|[使领]?[0-9]{{6}}[使领]"
    ))
});

/// Whoever is called so, behind a label: the label's separator is the first group, the name the second.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:姓名|联系人|收件人|收货人|户名|患者|法定代表人|持卡人|申请人)(\s*[:：=]\s*|\s+|是|为|)((?:{SURNAMES})\p{{Han}}{{1,2}}|\p{{Han}}{{1,10}}(?:·\p{{Han}}{{1,10}})+)"
    ))
});

/// Before a title.
static TITLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"((?:{SURNAMES})\p{{Han}}{{1,2}}?)(?:先生|女士|老师|医生)"))
});

/// All of it, under a name that says so.
static ALONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"^\s*((?:{SURNAMES})\p{{Han}}{{1,2}}|\p{{Han}}{{1,10}}(?:·\p{{Han}}{{1,10}})+)\s*$"
    ))
});

/// A street or a place, with a number in it; and what it lies in.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\p{Han}{2,8}?(?:省|自治区))?(?:\p{Han}{2,8}?(?:市|自治州|盟))?(?:\p{Han}{1,8}?(?:区|县|旗))?\p{Han}{1,10}?(?:路|街|巷|村|大道|胡同|镇|乡|弄|小区|花园)[\p{Han}0-9A-Za-z-]{0,16}?[0-9一二三四五六七八九十]{1,5}(?:号院|号楼|号|栋|幢|座|楼|单元|室|层|弄)(?:[0-9A-Za-z一二三四五六七八九十-]{1,6}(?:号楼|号|栋|幢|座|楼|单元|室|层))*(?:[0-9]{2,4}室?)?",
    )
});

static MILITARY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\p{Han}字第[0-9]{6,8}号"));

pub(super) fn find(text: &str, found: &mut Vec<Candidate>) {
    let mut add =
        |kind, range: Range<usize>, evidence| found.push(Candidate { kind, range, evidence });
    for hit in PLATE.find_iter(text) {
        let next = text.as_bytes().get(hit.end());
        let digits = hit.as_str().bytes().any(|c| c.is_ascii_digit());
        if digits && next.is_none_or(|c| !c.is_ascii_alphanumeric() && *c != b'*') {
            add(Kind::Plate, hit.range(), Strong);
        }
    }
    for hit in LABELLED.captures_iter(text) {
        let (Some(separator), Some(name)) = (hit.get(1), hit.get(2)) else { continue };
        let next = text[name.end()..].chars().next();
        let bounded = next.is_none_or(|c| !c.is_alphanumeric());
        if bounded || separator.as_str().contains([':', '：', '=']) {
            add(Kind::Name, name.range(), Strong);
        }
    }
    for name in TITLED.captures_iter(text).filter_map(|hit| hit.get(1)) {
        add(Kind::Name, name.range(), Shaped);
    }
    if let Some(name) = ALONE.captures(text).and_then(|hit| hit.get(1)) {
        add(Kind::Name, name.range(), crate::hit::Evidence::Weak);
    }
    for hit in ADDRESS.find_iter(text) {
        add(Kind::Address, hit.range(), Shaped);
    }
    for hit in MILITARY.find_iter(text) {
        add(Kind::Military, hit.range(), Shaped);
    }
}
