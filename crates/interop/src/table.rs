//! The matrix.

use std::fmt::Write as _;

use crate::operations::Cell;

/// Rows are operations, columns peers. A number is how often both agreed; a letter stands for a
/// reason below.
pub(crate) fn render(peers: &[&str], rows: &[(&str, Vec<Cell>)]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    let mut text = format!("\n{:<18}", "");
    for peer in peers {
        let _ = write!(text, "{peer:>12}");
    }
    text.push('\n');
    for (operation, row) in rows {
        let _ = write!(text, "{operation:<18}");
        for cell in row {
            let entry = match cell {
                Cell::Agreed(count) => count.to_string(),
                Cell::Empty(reason) => {
                    let known = reasons.iter().position(|known| known == reason);
                    letter(known.unwrap_or_else(|| {
                        reasons.push(reason);
                        reasons.len() - 1
                    }))
                }
            };
            let _ = write!(text, "{entry:>12}");
        }
        text.push('\n');
    }
    text.push('\n');
    for (i, reason) in reasons.iter().enumerate() {
        let _ = writeln!(text, "{}  {reason}", letter(i));
    }
    text
}

fn letter(i: usize) -> String {
    let last = char::from(b'a' + (i % 26) as u8);
    if i < 26 { last.to_string() } else { format!("{}{last}", letter(i / 26 - 1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once() {
        let no = || Cell::Empty("cannot".into());
        let rows = [("one", vec![Cell::Agreed(3), no()]), ("two", vec![no(), no()])];
        let text = render(&["A", "B"], &rows);
        assert_eq!(text.matches("cannot").count(), 1);
        assert!(text.contains("a  cannot") && text.contains('3'));
        assert_eq!([letter(0), letter(25), letter(26)], ["a", "z", "aa"]);
    }
}
