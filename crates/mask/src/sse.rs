//! Streams of events (`text/event-stream`), rewritten as they stream by.

use std::ops::Deref;

use crate::{Error, JsonStream, OnLimit, Policy, TextStream, text, text::OVERLAP};

/// What stands for an event that is longer than is looked at.
const TOO_LONG: &[u8] = b"data: [REDACTED:too_long]";

/// Masks events that are sent as they happen, which come in pieces.
///
/// It holds one event of at most [`crate::Limits::max_inspect`] bytes. The lines of an event's data are one text: JSON, or
/// lines of JSON, where it is that. Else it is a text, for which there are no rules: under a policy that has some, what
/// has a brace, a bracket or a quote in it and is no JSON is refused, but for `[DONE]` and other words. Names, identifiers
/// and comments are texts. A private key is one thing over all of its events.
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
    /// For data that is no JSON: a private key is one thing over all events.
    text: TextStream<P>,
    /// The lines of one event, as they came.
    held: Vec<u8>,
    /// How far into it lines were looked for, and where the last one begins.
    looked: usize,
    line: usize,
    /// The rest of this event is not given out.
    skipping: Option<Skipping>,
    offset: u64,
    failed: bool,
}

/// An event of which nothing is given out.
#[derive(Debug, Default)]
struct Skipping {
    /// The end of what was skipped.
    tail: Vec<u8>,
    /// The first byte that is held only says that a line has begun.
    begun: bool,
}

impl Skipping {
    /// More of it, which may hold the beginning or the end of a private key.
    fn skip<P: Deref<Target = Policy>>(&mut self, bytes: &[u8], text: &mut TextStream<P>) {
        self.tail.extend_from_slice(&bytes[usize::from(self.begun)..]);
        text.follow_key(&String::from_utf8_lossy(&self.tail));
        self.tail.drain(..self.tail.len().saturating_sub(OVERLAP));
    }
}

/// A line of an event.
struct Line<'t> {
    /// With the colon, and the space behind it.
    field: &'t str,
    value: &'t str,
    end: &'t str,
}

impl Line<'_> {
    fn is_data(&self) -> bool {
        matches!(self.field, "data" | "data:" | "data: ")
    }
}

impl<P: Deref<Target = Policy>> SseStream<P> {
    /// One for a stream of events.
    pub fn new(policy: P) -> Self {
        let (text, held) = (TextStream::new(policy), Vec::new());
        Self { text, held, looked: 0, line: 0, skipping: None, offset: 0, failed: false }
    }

    /// Takes the next piece, and adds to `out` what is decided.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Limit`], [`Error::Key`]; [`Error::Closed`] after one of these.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(piece);
        let mut start = 0;
        while let Some(end) = self.end_of_line(&held[start..]) {
            let is_blank =
                matches!(held[start + self.line..start + end], [b'\n'] | [b'\r'] | [b'\r', b'\n']);
            (self.looked, self.line) = (end, end);
            if is_blank {
                self.event(&held[start..start + end], out)?;
                (self.looked, self.line) = (0, 0);
                start += end;
            }
        }
        held.drain(..start);
        self.held = held;
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
        let held = std::mem::take(&mut self.held);
        self.event(&held, out)
    }

    /// The longest event, in bytes: the empty line at its end is not counted.
    fn most(&self) -> usize {
        self.text.policy().limits.max_inspect.saturating_add(2)
    }

    /// Behind the next line that is whole. A carriage return may be the first half of an end.
    fn end_of_line(&mut self, held: &[u8]) -> Option<usize> {
        let at = memchr::memchr2(b'\n', b'\r', &held[self.looked..]);
        let Some(at) = at.map(|at| self.looked + at) else {
            self.looked = held.len();
            return None;
        };
        self.looked = at;
        match (held[at], held.get(at + 1)) {
            (b'\r', None) => None,
            (b'\r', Some(b'\n')) => Some(at + 2),
            _ => Some(at + 1),
        }
    }

    /// The beginning of an event that is too long to be looked at.
    fn too_long(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.text.policy().limits.on_limit == OnLimit::Refuse {
            return Err(Error::Limit { offset: self.offset, reason: "a longer event" });
        }
        let mut skipped = self.skipping.take().unwrap_or_else(|| {
            out.extend_from_slice(TOO_LONG);
            out.push(b'\n');
            Skipping::default()
        });
        // Of a line that has begun it is enough to know that it is not empty.
        let keep = usize::from(self.held.ends_with(b"\r"));
        let gone = self.held.len() - keep;
        let is_begun = self.line < gone;
        self.offset += gone as u64;
        skipped.skip(&self.held[..gone], &mut self.text);
        self.held.drain(..gone);
        skipped.begun = is_begun;
        self.skipping = Some(skipped);
        if is_begun {
            self.held.insert(0, b'x');
            self.offset -= 1;
        }
        (self.line, self.looked) = (0, self.held.len() - keep);
        Ok(())
    }

    /// An event, with the empty line at its end if it has one.
    fn event(&mut self, event: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if let Some(mut skipped) = self.skipping.take() {
            self.offset += event.len() as u64;
            skipped.skip(event, &mut self.text);
            out.push(b'\n');
            return Ok(());
        }
        if event.len() > self.most() {
            if self.text.policy().limits.on_limit == OnLimit::Refuse {
                return Err(Error::Limit { offset: self.offset, reason: "a longer event" });
            }
            self.offset += event.len() as u64;
            self.text.follow_key(&String::from_utf8_lossy(event));
            out.extend_from_slice(TOO_LONG);
            out.extend_from_slice(b"\n\n");
            return Ok(());
        }
        let text = std::str::from_utf8(event).map_err(|_| self.malformed("no UTF-8"))?;
        let (mark, text) = match text.strip_prefix('\u{feff}') {
            Some(rest) if self.offset == 0 => (&text[..3], rest),
            _ => ("", text),
        };
        out.extend_from_slice(mark.as_bytes());
        self.rewrite(&lines(text), out)?;
        self.offset += event.len() as u64;
        Ok(())
    }

    fn malformed(&self, reason: &'static str) -> Error {
        Error::Malformed { offset: self.offset, reason }
    }

    fn rewrite(&mut self, lines: &[Line<'_>], out: &mut Vec<u8>) -> Result<(), Error> {
        let data: Vec<&str> =
            lines.iter().filter(|line| line.is_data()).map(|line| line.value).collect();
        let mut count = data.len();
        let data = data.join("\n");
        let masked = if count == 0 { String::new() } else { self.data(&data)? };
        let mut masked = (masked != data).then(|| masked.split('\n'));
        let mut put = |field: &str, value: &str, end: &str| {
            // A value has a colon before it.
            let colon = if field == "data" && !value.is_empty() { ": " } else { "" };
            [field, colon, value, end].iter().for_each(|part| out.extend(part.as_bytes()));
        };
        for line in lines {
            match &mut masked {
                _ if !line.is_data() => {
                    let [field, value] = self.other(line)?;
                    put(&field, &value, line.end);
                }
                None => put(line.field, line.value, line.end),
                Some(masked) => {
                    count -= 1;
                    // Where there are more lines than before, all that are left stand at the last one's place.
                    let rest = if count == 0 { usize::MAX } else { 1 };
                    masked.by_ref().take(rest).for_each(|value| put(line.field, value, line.end));
                }
            }
        }
        Ok(())
    }

    /// A line that is no data: an identifier, a name, a comment.
    fn other(&self, line: &Line<'_>) -> Result<[String; 2], Error> {
        let policy = self.text.policy();
        if line.field.is_empty() && line.value.is_empty() {
            return Ok([String::new(), String::new()]);
        }
        self.guard(line.field)?;
        self.guard(line.value)?;
        if line.field.ends_with([':', ' ']) {
            return Ok([line.field.to_owned(), text(policy, line.value)?]);
        }
        // What has no colon is all field; an empty one would end the event.
        let field = text(policy, line.field)?;
        Ok([if field.is_empty() { ":".to_owned() } else { field }, String::new()])
    }

    /// Rules are for JSON: where there are some, what may be a part of it is refused.
    fn guard(&self, text: &str) -> Result<(), Error> {
        let word = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        // Also what a mask has left: [REDACTED:jwt].
        let own = |c: u8| c.is_ascii_alphabetic() || matches!(c, b':' | b'_');
        let is_word = word.is_some_and(|word| word.bytes().all(own));
        if self.text.policy().has_rules() && !is_word && text.contains(['{', '[', '"']) {
            return Err(self.malformed("no JSON, for which the policy has rules"));
        }
        Ok(())
    }

    fn data(&mut self, data: &str) -> Result<String, Error> {
        let no_utf8 = |_| Error::Malformed { offset: 0, reason: "no UTF-8" };
        match self.json_lines(data) {
            Ok(masked) => String::from_utf8(masked).map_err(no_utf8),
            Err(Error::Malformed { .. }) => {
                data.split('\n').try_for_each(|line| self.guard(line))?;
                let mut masked = Vec::new();
                self.text.push(data.as_bytes(), &mut masked)?;
                self.text.push(b"\n", &mut masked)?;
                if masked.last() == Some(&b'\n') {
                    masked.pop();
                }
                String::from_utf8(masked).map_err(no_utf8)
            }
            Err(error) => Err(error),
        }
    }

    /// One value of JSON, or some, one a line.
    fn json_lines(&self, data: &str) -> Result<Vec<u8>, Error> {
        let mut masked = Vec::with_capacity(data.len());
        if data.trim_ascii().is_empty() {
            return Err(self.malformed("no JSON"));
        }
        let mut stream = JsonStream::lines(self.text.policy());
        stream.push(data.as_bytes(), &mut masked)?;
        stream.finish(&mut masked)?;
        Ok(masked)
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
