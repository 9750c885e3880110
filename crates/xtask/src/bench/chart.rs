//! The table as a drawing: how many times as fast as each rival.

use std::fmt::Write as _;

use super::{Figures, rivals};

const LEFT: f64 = 220.0;
const WIDTH: f64 = 460.0;
const BAR: f64 = 11.0;
const COLOURS: [&str; 2] = ["#1f6feb", "#8250df"];

/// Bars on a logarithmic scale, from 1 to 100 times as fast.
pub(super) fn draw(all: &[Figures]) -> String {
    let step = BAR * rivals::RIVALS.len() as f64 + 10.0;
    let height = 60.0 + step * all.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (name, (colour, x)) in rivals::RIVALS.iter().zip(COLOURS.iter().zip([LEFT, LEFT + 190.0])) {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"14\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"24\">times {}</text>",
            x + 18.0,
            rivals::title(name)
        );
    }
    for (i, figures) in all.iter().enumerate() {
        let top = 44.0 + step * i as f64;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            top + BAR + 2.0,
            figures.what
        );
        for (j, theirs) in figures.theirs.iter().enumerate() {
            let (ratio, y) = (figures.ours / theirs, top + BAR * j as f64);
            let length = (ratio.max(1.0).log10() / 2.0).min(1.0) * WIDTH + 2.0;
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.0}\" height=\"{}\" fill=\"{}\"/>\
                 <text x=\"{:.0}\" y=\"{}\" font-size=\"10\">{ratio:.1}</text>",
                BAR - 1.0,
                COLOURS[j],
                LEFT + length + 4.0,
                y + 9.0
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}
