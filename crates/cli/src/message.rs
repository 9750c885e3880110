//! CMS messages, told from what else a file can hold.

use std::{
    io::{Cursor, Read},
    path::Path,
};

use crate::{
    failure::{Context, Failure},
    input::Input,
};

/// Enough to see what the first member of a SEQUENCE is.
const START: u64 = 16;

/// Opens a file, and says whether it begins as a CMS message does.
pub(crate) fn recognized(path: &Path) -> Result<(bool, impl Read + use<>), Failure> {
    let mut input = Input::open(path)?.into_read();
    let mut start = Vec::new();
    (&mut input).take(START).read_to_end(&mut start).about(path)?;
    Ok((is_message(&start), Cursor::new(start).chain(input)))
}

/// A message is PEM, or a SEQUENCE that begins with an OID; signatures and ciphertexts begin with a number.
fn is_message(start: &[u8]) -> bool {
    let first = match *start {
        [b'-', ..] => return true,
        [0x30, 0..=0x80, first, ..] => Some(first),
        [0x30, long @ 0x81..=0x88, ref rest @ ..] => rest.get(usize::from(long & 0x7f)).copied(),
        _ => None,
    };
    first == Some(0x06)
}

#[cfg(test)]
mod tests {
    use super::is_message;

    #[test]
    fn what_the_start_tells() {
        for start in ["30800609", "308306000006", "30820100060a", "2d2d2d", "3081f006"] {
            assert!(is_message(&hex::decode(start).unwrap()), "{start}");
        }
        for start in ["", "30", "3045022100", "3082", "0609", "308102"] {
            assert!(!is_message(&hex::decode(start).unwrap()), "{start}");
        }
    }
}
