//! JUnit XML, for CI systems that show nothing else.

use std::fmt::Write as _;

use crate::Report;

pub(crate) fn write(report: &Report) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let failed = report.suites.iter().filter(|suite| !suite.failures.is_empty()).count();
    let _ = writeln!(
        xml,
        "<testsuite name=\"gmkit vectors on {}\" tests=\"{}\" failures=\"{failed}\">",
        escaped(&report.machine.cpu),
        report.suites.len(),
    );
    for suite in &report.suites {
        let name = format!("{} ({} vectors)", suite.suite, suite.passed + suite.failures.len());
        let _ = write!(
            xml,
            "  <testcase classname=\"{}\" name=\"{}\"",
            escaped(suite.backend),
            escaped(&name)
        );
        if suite.failures.is_empty() {
            xml.push_str("/>\n");
            continue;
        }
        xml.push_str(">\n    <failure>");
        for failure in &suite.failures {
            let line = format!("{}: {}: {}\n", failure.tc_id, failure.comment, failure.observed);
            xml.push_str(&escaped(&line));
        }
        xml.push_str("</failure>\n  </testcase>\n");
    }
    xml.push_str("</testsuite>\n");
    xml
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
