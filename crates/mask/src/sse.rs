//! Streams of events (`text/event-stream`), rewritten as they stream by.

use std::ops::Deref;

use crate::{Error, OnLimit, Policy, json, text};

/// What stands for an event that is longer than is looked at.
const TOO_LONG: &[u8] = b"data: [REDACTED:too_long]";

/// Masks events that are sent as they happen, which come in pieces.
///
/// It holds one event of at most [`crate::Limits::max_inspect`] bytes. The lines of an event's data are one value: JSON
/// where it is JSON, else a text, for which there are no rules. Without detectors data that has a brace or a quote and
/// is no JSON is refused. Names, identifiers and comments are texts.
///
/// ```
/// use gmkit_mask::{Policy, SseStream};
///
/// let policy = Policy::new();
/// let (mut stream, mut out) = (SseStream::new(&policy), Vec::new());
/// stream.push(b"id: 1\ndata: {\"phone\":\ndata:  \"13800138000\"}\n\ndata: [DONE]\n\n", &mut out)?;
/// stream.finish(&mut out)?;
/// assert_eq!(out, b"id: 1\ndata: {\"phone\":\ndata:  \"138******00\"}\n\ndata: [DONE]\n\n");
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
#[derive(Debug)]
pub struct SseStream<P> {
    policy: P,
    /// The lines of one event, as they came.
    held: Vec<u8>,
    /// How far into it lines were looked for, and where the last one begins.
    looked: usize,
    line: usize,
    /// The rest of this event is not given out.
    skipping: bool,
    offset: u64,
    failed: bool,
}

/// A line of an event.
struct Line<'t> {
    /// With the colon, and the space behind it.
    field: &'t str,
    value: &'t str,
    end: &'t str,
}

impl<P: Deref<Target = Policy>> SseStream<P> {
    /// One for a stream of events.
    pub fn new(policy: P) -> Self {
        let held = Vec::new();
        Self { policy, held, looked: 0, line: 0, skipping: false, offset: 0, failed: false }
    }

    /// Takes the next piece, and adds to `out` what is decided.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Limit`], [`Error::Key`]; [`Error::Closed`] after one of these.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        self.held.extend_from_slice(piece);
        while let Some((end, is_last)) = self.end_of_line() {
            let is_blank = matches!(self.held[self.line..end], [b'\n'] | [b'\r'] | [b'\r', b'\n']);
            (self.looked, self.line) = (end, end);
            if is_blank {
                self.event(end, out)?;
            }
            if is_last {
                break;
            }
        }
        if self.held.len() > self.most() {
            self.too_long(out)?;
        }
        self.failed = false;
        Ok(())
    }

    /// There is nothing more.
    ///
    /// # Errors
    /// As [`SseStream::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        self.event(self.held.len(), out)
    }

    /// The longest event, in bytes: the empty line at its end is not counted.
    fn most(&self) -> usize {
        self.policy.limits.max_inspect.saturating_add(2)
    }

    /// Behind the next line that is whole; and whether all that is held was looked at. A carriage return may be the first
    /// half of an end.
    fn end_of_line(&mut self) -> Option<(usize, bool)> {
        let at = memchr::memchr2(b'\n', b'\r', &self.held[self.looked..]);
        let Some(at) = at.map(|at| self.looked + at) else {
            self.looked = self.held.len();
            return None;
        };
        self.looked = at;
        let end = match (self.held[at], self.held.get(at + 1)) {
            (b'\r', None) => return None,
            (b'\r', Some(b'\n')) => at + 2,
            _ => at + 1,
        };
        Some((end, end == self.held.len()))
    }

    /// The beginning of an event that is too long to be looked at.
    fn too_long(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.policy.limits.on_limit == OnLimit::Refuse {
            return Err(Error::Limit { offset: self.offset, reason: "a longer event" });
        }
        if !std::mem::replace(&mut self.skipping, true) {
            out.extend_from_slice(TOO_LONG);
            out.push(b'\n');
        }
        // Of a line that has begun it is enough to know that it is not empty.
        let keep = usize::from(self.held.ends_with(b"\r"));
        let gone = self.held.len() - keep;
        let is_begun = self.line < gone;
        self.offset += gone as u64;
        self.held.drain(..gone);
        if is_begun {
            self.held.insert(0, b'x');
            self.offset -= 1;
        }
        (self.line, self.looked) = (0, self.held.len() - keep);
        Ok(())
    }

    /// An event, with the empty line at its end if it has one.
    fn event(&mut self, end: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        let event: Vec<u8> = self.held.drain(..end).collect();
        (self.looked, self.line) = (0, 0);
        if std::mem::take(&mut self.skipping) {
            self.offset += event.len() as u64;
            out.push(b'\n');
            return Ok(());
        }
        if event.len() > self.most() {
            if self.policy.limits.on_limit == OnLimit::Refuse {
                return Err(Error::Limit { offset: self.offset, reason: "a longer event" });
            }
            self.offset += event.len() as u64;
            out.extend_from_slice(TOO_LONG);
            out.extend_from_slice(b"\n\n");
            return Ok(());
        }
        let malformed = |reason| Error::Malformed { offset: self.offset, reason };
        let text = std::str::from_utf8(&event).map_err(|_| malformed("no UTF-8"))?;
        let (mark, text) = match text.strip_prefix('\u{feff}') {
            Some(rest) if self.offset == 0 => (&text[..3], rest),
            _ => ("", text),
        };
        out.extend_from_slice(mark.as_bytes());
        self.rewrite(&lines(text), out)?;
        self.offset += event.len() as u64;
        Ok(())
    }

    fn rewrite(&self, lines: &[Line<'_>], out: &mut Vec<u8>) -> Result<(), Error> {
        let is_data = |line: &&Line<'_>| line.field.trim_end() == "data:" || line.field == "data";
        let data: Vec<&str> = lines.iter().filter(is_data).map(|line| line.value).collect();
        let data = data.join("\n");
        let masked = self.data(&data)?;
        let mut masked = (masked != data).then(|| masked.split('\n'));
        let mut count = lines.iter().filter(is_data).count();
        for line in lines {
            let put = |value: &str, out: &mut Vec<u8>| {
                [line.field, value, line.end].iter().for_each(|part| out.extend(part.as_bytes()));
            };
            match &mut masked {
                Some(masked) if is_data(&line) => {
                    count -= 1;
                    // Where there are more lines than before, all that are left stand at the last one's place.
                    let rest = if count == 0 { usize::MAX } else { 1 };
                    for value in masked.by_ref().take(rest) {
                        put(value, out);
                    }
                }
                _ if is_data(&line) => put(line.value, out),
                // What has no colon is all field.
                _ => {
                    let own = [line.field, line.value].concat();
                    out.extend(text(&self.policy, &own)?.as_bytes());
                    out.extend(line.end.as_bytes());
                }
            }
        }
        Ok(())
    }

    fn data(&self, data: &str) -> Result<String, Error> {
        match json(&self.policy, data.as_bytes()) {
            Ok(masked) => String::from_utf8(masked)
                .map_err(|_| Error::Malformed { offset: self.offset, reason: "no UTF-8" }),
            Err(Error::Malformed { .. })
                if self.policy.has_detectors() || !data.contains(['{', '"']) =>
            {
                text(&self.policy, data)
            }
            Err(error) => Err(error),
        }
    }
}

fn lines(mut text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    while !text.is_empty() {
        let len = text.find(['\n', '\r']).unwrap_or(text.len());
        let end = match text.as_bytes()[len..] {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => 0,
        };
        let (line, rest) = text.split_at(len + end);
        let (own, end) = line.split_at(len);
        let colon = own.find(':').map_or(own.len(), |at| at + 1);
        let space = usize::from(own[colon..].starts_with(' '));
        let (field, value) = own.split_at(colon + space);
        lines.push(Line { field, value, end });
        text = rest;
    }
    lines
}
