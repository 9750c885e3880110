//! The page of a report.

use std::collections::HashMap;

use gmkit::audit::{Attribute, Event, Report};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::summary::{BARS, Summary};

/// How many lines a table has; it says how many there are besides.
const LINES: usize = 50;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#1b1f24}\
h1{margin-bottom:0}table{border-collapse:collapse;margin:1em 0}th,td{padding:.2em 1em .2em 0;text-align:left;vertical-align:top;\
border-bottom:1px solid #d8dee4}td.n{text-align:right;font-variant-numeric:tabular-nums}code{overflow-wrap:anywhere}\
.good{background:#dafbe1;border-left:6px solid #1a7f37}.bad{background:#ffebe9;border-left:6px solid #cf222e}\
.good,.bad{padding:.6em 1em;margin:1em 0;font-weight:600}.columns{display:flex;flex-wrap:wrap;gap:0 3em;align-items:flex-start}\
svg{width:100%;height:auto}@media print{body{margin:0}}";

pub(super) fn render(report: &Report, summary: &Summary) -> Markup {
    let origin = report.origin.as_deref().unwrap_or("a log without a checkpoint");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { "Audit log " (origin) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Audit log " (origin) }
                p { "Checked with gmkit " (env!("CARGO_PKG_VERSION")) " at " (time(OffsetDateTime::now_utc())) }
                (verdict(report))
                (facts(report, summary))
                (picture(summary))
                div.columns {
                    (table("Result", &summary.results))
                    (table("Action", &summary.actions))
                    (table("Actor", &summary.actors))
                }
                (own_records(&summary.own, summary.more))
            }
        }
    }
}

fn verdict(report: &Report) -> Markup {
    html! {
        @if report.is_sound() {
            div.good { "Nothing is wrong: every record is as it was signed." }
        } @else {
            div.bad {
                "Something is wrong:"
                ul { @for finding in &report.findings { li { (finding) } } }
            }
        }
    }
}

fn facts(report: &Report, summary: &Summary) -> Markup {
    let gaps = &report.gaps;
    let line = |name: &str, value: &dyn maud::Render| html! { tr { th { (name) } td { (value) } } };
    html! {
        table {
            (line("Signed records", &html! {
                (report.size)
                @if report.first > 0 { ", those before " (report.first) " pruned" }
                @if let Some(days) = report.kept_days { ", kept for " (days) " days" }
                " (" (gaps.events) " events)"
            }))
            @if let (Some(from), Some(to)) = (summary.from, summary.to) {
                (line("From", &time(from)))
                (line("To", &time(to)))
            }
            (line("Not signed yet", &report.tail))
            (line("Refused", &gaps.refused))
            (line("Dropped", &gaps.dropped))
            (line("Lost", &html! { @if gaps.at_most { "at most " } (gaps.lost) }))
            @if let Some(root) = report.root {
                (line("Root (SM3)", &html! { code { (hex::encode(root)) } }))
            }
        }
    }
}

/// Records by time; the bars in which there are gaps are red.
fn picture(summary: &Summary) -> Markup {
    let most = summary.bars.iter().map(|(records, _)| *records).max().unwrap_or(0).max(1);
    let (from, to) = (summary.from.map(time), summary.to.map(time));
    html! {
        h2 { "Records by time" }
        svg viewBox=(format!("0 0 {} 150", BARS * 12)) role="img" aria-label="Records by time" {
            @for (i, (records, gaps)) in summary.bars.iter().enumerate() {
                @let height = (*records as f64 / most as f64 * 120.0).ceil();
                rect x=(i * 12) y=(120.0 - height) width="10" height=(height)
                    fill=(if *gaps > 0 { "#cf222e" } else { "#0969da" }) {
                    title { (records) " records, " (gaps) " of them gap records" }
                }
            }
            line x1="0" y1="121" x2=(BARS * 12) y2="121" stroke="#59636e" {}
            text x="0" y="142" font-size="14" { (from.unwrap_or_default()) }
            text x=(BARS * 12) y="142" font-size="14" text-anchor="end" { (to.unwrap_or_default()) }
        }
    }
}

fn table(name: &str, counts: &HashMap<String, u64>) -> Markup {
    let mut lines: Vec<_> = counts.iter().collect();
    lines.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    html! {
        table {
            tr { th { (name) } th { "Events" } }
            @for (name, count) in lines.iter().take(LINES) {
                tr { td { (name) } td.n { (count) } }
            }
            @if lines.len() > LINES {
                tr { td { "and " (lines.len() - LINES) " more" } td {} }
            }
        }
    }
}

fn own_records(records: &[(u64, Event)], more: u64) -> Markup {
    html! {
        h2 { "Gaps, pruning, erasure" }
        @if records.is_empty() { p { "The log has nothing to say of any." } } @else {
            table {
                tr { th { "Record" } th { "Time" } th { "What" } th { "Details" } }
                @for (index, event) in records {
                    tr {
                        td.n { (index) }
                        td { (time(event.time)) }
                        td { (event.op_type.trim_start_matches("gmkit.audit.")) }
                        td { @for (name, value) in &event.attributes { (name) " " (text(value)) " " } }
                    }
                }
            }
            @if more > 0 { p { "And " (more) " more." } }
        }
    }
}

fn text(value: &Attribute) -> String {
    match value {
        Attribute::Flag(flag) => flag.to_string(),
        Attribute::Integer(n) => n.to_string(),
        Attribute::Number(n) => n.to_string(),
        Attribute::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn time(time: OffsetDateTime) -> String {
    let seconds = time.replace_nanosecond(0).unwrap_or(time);
    seconds.format(&Rfc3339).unwrap_or_default()
}
