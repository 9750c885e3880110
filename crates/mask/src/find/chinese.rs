//! What is written in Chinese: names, addresses, plates, military cards.

use std::sync::LazyLock;

use regex::Regex;

use super::signs::{Mark, Sign};
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

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

/// Behind the province.
static PLATE: LazyLock<Regex> = LazyLock::new(|| {
    let letter = "[A-HJ-NP-Za-hj-np-z]";
    let rest = "[A-HJ-NP-Za-hj-np-z0-9]";
    pattern(&format!("^{letter}[ ·.-]?(?:{rest}{{6}}|{rest}{{5}}|{rest}{{4}}[挂学警港澳])"))
});

/// Whoever is called so, behind a label: its separator is the first group, the name the second.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"^(\s{{0,8}}[:：=]\s{{0,8}}|\s{{1,8}}|是|为|)((?:{SURNAMES})\p{{Han}}{{1,2}}|\p{{Han}}{{1,10}}(?:·\p{{Han}}{{1,10}})+)"
    ))
});

/// Before a title.
static TITLED: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?:{SURNAMES})\p{{Han}}{{1,2}}$")));

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

static MILITARY: LazyLock<Regex> = LazyLock::new(|| pattern("^[0-9]{6,8}号"));

pub(super) fn find(text: &str, marks: &[Mark], found: &mut Vec<Candidate>) {
    let mut add = |kind, range, evidence| found.push(Candidate { kind, range, evidence });
    let mut street = false;
    for mark in marks {
        let (before, behind) = (&text[..mark.start], &text[mark.end..]);
        match mark.sign {
            Sign::Province => {
                let Some(hit) = PLATE.find(behind) else { continue };
                let next = behind.as_bytes().get(hit.end());
                let bounded = next.is_none_or(|c| !c.is_ascii_alphanumeric() && *c != b'*');
                if bounded && hit.as_str().bytes().any(|c| c.is_ascii_digit()) {
                    add(Kind::Plate, mark.start..mark.end + hit.end(), Strong);
                }
            }
            Sign::NameLabel => {
                let Some(hit) = LABELLED.captures(behind) else { continue };
                let (Some(separator), Some(name)) = (hit.get(1), hit.get(2)) else { continue };
                let next = behind[name.end()..].chars().next();
                let bounded = next.is_none_or(|c| !c.is_alphanumeric());
                if bounded || separator.as_str().contains([':', '：', '=']) {
                    add(Kind::Name, mark.end + name.start()..mark.end + name.end(), Strong);
                }
            }
            Sign::Title => {
                let from = before.char_indices().rev().nth(3).map_or(0, |(from, _)| from);
                if let Some(name) = TITLED.find(&before[from..]) {
                    add(Kind::Name, from + name.start()..mark.start, Shaped);
                }
            }
            Sign::Military => {
                let (Some(first), Some(hit)) = (before.chars().next_back(), MILITARY.find(behind))
                else {
                    continue;
                };
                if !first.is_ascii() && first.is_alphabetic() {
                    add(
                        Kind::Military,
                        mark.start - first.len_utf8()..mark.end + hit.end(),
                        Shaped,
                    );
                }
            }
            Sign::Street => street = true,
            _ => {}
        }
    }
    if street {
        for hit in ADDRESS.find_iter(text) {
            add(Kind::Address, hit.range(), Shaped);
        }
    }
}

/// A text that is a name as a whole.
pub(super) fn name(text: &str) -> Option<std::ops::Range<usize>> {
    ALONE.captures(text)?.get(1).map(|name| name.range())
}
