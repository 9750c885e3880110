//! Provinces and large cities, with which addresses begin.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// Provinces, autonomous regions, municipalities; capitals of provinces and cities with plans of their own.
const REGIONS: &str = "北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州 云南 \
    陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 澳门 石家庄 太原 呼和浩特 沈阳 长春 哈尔滨 南京 杭州 合肥 福州 南昌 济南 郑州 武汉 \
    长沙 广州 南宁 海口 成都 贵阳 昆明 拉萨 西安 兰州 西宁 银川 乌鲁木齐 大连 青岛 宁波 厦门 深圳 苏州";

static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut search = AhoCorasick::builder();
    search.match_kind(MatchKind::LeftmostLongest);
    search.build(REGIONS.split_whitespace()).expect("constant words")
});

/// Where an address begins in a text: what stands before that may be somebody's name.
pub(crate) fn region(text: &str) -> Option<usize> {
    SEARCH.find(text).map(|hit| hit.start())
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn where_it_begins() {
        assert_eq!(region("收件人张伟北京市朝阳区"), Some("收件人张伟".len()));
        assert_eq!((region("深圳市南山区"), region("小镇市"), region("")), (Some(0), None, None));
    }
}
