//! A record as a message of RFC 5424, in a frame of RFC 5425.

use std::io::Write;

use time::OffsetDateTime;

use crate::{Error, event::Verdict, sink::message::event};

/// Facility 13, the log's audit, times 8 (RFC 5424, 6.2.1).
const FACILITY: u8 = 13 * 8;

/// Severities: what was done is informational; what was not is a warning.
const INFORMATIONAL: u8 = 6;
const WARNING: u8 = 4;

/// Adds a frame: how long the message is, in bytes, a space, and the message.
pub(super) fn frame(
    to: &mut Vec<u8>,
    host: &str,
    origin: &str,
    index: u64,
    record: &[u8],
) -> Result<(), Error> {
    let event = event(record, index)?;
    let origin = printable(origin, 128).unwrap_or("-");
    let severity = match event.result.outcome {
        Verdict::Allowed => INFORMATIONAL,
        _ => WARNING,
    };
    let time = timestamp(event.time);
    let what = printable(&event.op_type, 32).unwrap_or("-");
    let head = format!(
        "<{}>1 {time} {host} gmkit-audit {origin} {what} [meta sequenceId=\"{}\"] ",
        FACILITY + severity,
        sequence_id(index)
    );
    // A vector has room.
    let _ = write!(to, "{} {head}", head.len() + record.len());
    to.extend_from_slice(record);
    Ok(())
}

/// From 1 on, and after 2147483647 from 1 on again (RFC 5424, 7.3.1).
fn sequence_id(index: u64) -> u64 {
    index % 2_147_483_647 + 1
}

/// At most six digits of a second (RFC 5424, 6.2.3).
fn timestamp(time: OffsetDateTime) -> String {
    let (date, clock) = (time.date(), time.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second(),
        clock.microsecond()
    )
}

/// A text that can stand in a message's head: PRINTUSASCII, and not longer.
pub(super) fn printable(text: &str, at_most: usize) -> Option<&str> {
    let fits = (1..=at_most).contains(&text.len());
    (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Outcome};

    fn framed(event: &Event, index: u64) -> String {
        let mut bytes = Vec::new();
        frame(&mut bytes, "host", "bank/log", index, &event.to_line().unwrap()).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn heads() {
        let mut event = Event::new("transfer.create", Outcome::allowed()).by("张三", None, None);
        event.time = OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_012_345_678).unwrap();
        let line = String::from_utf8(event.to_line().unwrap()).unwrap();
        let message = "<110>1 2023-11-14T22:13:20.012345Z host gmkit-audit bank/log transfer.create \
                       [meta sequenceId=\"1\"] ";
        let all = message.len() + line.len();
        assert_eq!(framed(&event, 0), format!("{all} {message}{line}"), "bytes, not characters");
        event.result = Outcome::denied();
        assert!(framed(&event, 2_147_483_646).contains("<108>1 "));
        assert!(framed(&event, 2_147_483_646).contains("sequenceId=\"2147483647\""));
        assert!(framed(&event, 2_147_483_647).contains("sequenceId=\"1\""));
        // A name that has no place in a head does not break it.
        for name in ["two words", "转账", "a-name-with-more-than-32-characters-in-it"] {
            let event = Event::new(name, Outcome::failed());
            assert!(framed(&event, 0).contains(" gmkit-audit bank/log - [meta "), "{name}");
        }
        assert!(frame(&mut Vec::new(), "host", "bank/log", 0, b"not a record").is_err());
    }
}
