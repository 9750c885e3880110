//! Text and lines of logs, rewritten as they stream by.

use std::ops::Deref;

use memchr::{memchr, memmem};

use crate::{Error, Kind, OnLimit, Policy};

/// What stands for a line that is longer than is looked at.
const TOO_LONG: &str = "[REDACTED:too_long]";

/// Masks a text. Rules are for places, which it has none of.
///
/// ```
/// use gmkit_mask::{Policy, text};
///
/// assert_eq!(text(&Policy::new(), "mail alice@example.com now")?, "mail ****@example.com now");
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
///
/// # Errors
/// [`Error::Limit`], [`Error::Key`].
pub fn text(policy: &Policy, text: &str) -> Result<String, Error> {
    let mut out = Vec::with_capacity(text.len());
    let mut stream = TextStream::new(policy);
    stream.push(text.as_bytes(), &mut out)?;
    stream.finish(&mut out)?;
    // Texts were put in the place of texts.
    String::from_utf8(out).map_err(|_| Error::Malformed { offset: 0, reason: "no UTF-8" })
}

/// Masks text that comes in pieces, line by line.
///
/// It holds one line of at most [`crate::Limits::max_inspect`] bytes. A private key is one thing over all of its lines.
#[derive(Debug)]
pub struct TextStream<P> {
    policy: P,
    held: Vec<u8>,
    /// How far into it the end of the line was looked for.
    looked: usize,
    /// The rest of this line is not given out.
    skipping: bool,
    /// The end of the key within which this is.
    key: Option<String>,
    offset: u64,
    failed: bool,
}

impl<P: Deref<Target = Policy>> TextStream<P> {
    /// One for a text.
    pub fn new(policy: P) -> Self {
        Self {
            policy,
            held: Vec::new(),
            looked: 0,
            skipping: false,
            key: None,
            offset: 0,
            failed: false,
        }
    }

    /// Takes the next piece, and adds to `out` what is decided.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is no UTF-8; [`Error::Limit`], [`Error::Key`]; [`Error::Closed`] after one of these.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        self.held.extend_from_slice(piece);
        let held = std::mem::take(&mut self.held);
        let mut start = 0;
        while let Some(end) = memchr(b'\n', &held[start + self.looked..]) {
            let end = start + self.looked + end + 1;
            self.looked = 0;
            self.line(&held[start..end], out)?;
            start = end;
        }
        self.held = held;
        self.held.drain(..start);
        self.looked = self.held.len();
        // The last of them may be half of the line's end.
        if self.held.len() > self.policy.limits.max_inspect + 1 {
            self.too_long(out)?;
        }
        self.failed = false;
        Ok(())
    }

    /// There is nothing more.
    ///
    /// # Errors
    /// As [`TextStream::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        let held = std::mem::take(&mut self.held);
        self.line(&held, out)
    }

    /// The beginning of a line that is too long to be looked at.
    fn too_long(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.policy.limits.on_limit == OnLimit::Refuse {
            return Err(Error::Limit { offset: self.offset, reason: "a longer line" });
        }
        if !self.skipping && self.key.is_none() {
            out.extend_from_slice(TOO_LONG.as_bytes());
        }
        self.skipping = true;
        let gone = self.held.len() - usize::from(self.held.ends_with(b"\r"));
        self.offset += gone as u64;
        self.held.drain(..gone);
        self.looked = self.held.len();
        Ok(())
    }

    /// A line, with its end if it has one.
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let offset = self.offset;
        self.offset += line.len() as u64;
        let end = if line.ends_with(b"\r\n") { 2 } else { usize::from(line.ends_with(b"\n")) };
        let (mut own, end) = line.split_at(line.len() - end);
        if std::mem::take(&mut self.skipping) {
            if self.key.is_none() {
                out.extend_from_slice(end);
            }
            return Ok(());
        }
        if own.len() > self.policy.limits.max_inspect {
            if self.policy.limits.on_limit == OnLimit::Refuse {
                return Err(Error::Limit { offset, reason: "a longer line" });
            }
            own = TOO_LONG.as_bytes();
        }
        if let Some(last) = &self.key {
            let Some(at) = memmem::find(own, last.as_bytes()) else { return Ok(()) };
            own = &own[at + last.len()..];
            self.key = None;
        }
        let text = std::str::from_utf8(own);
        let text = text.map_err(|_| Error::Malformed { offset, reason: "no UTF-8" })?;
        self.rewrite(text, out)?;
        if self.key.is_none() {
            out.extend_from_slice(end);
        }
        Ok(())
    }

    fn rewrite(&mut self, text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut done = 0;
        for hit in self.policy.find("", text) {
            let own = &text[hit.range.clone()];
            out.extend_from_slice(&text.as_bytes()[done..hit.range.start]);
            out.extend_from_slice(self.policy.put_hit("", &hit, own)?.as_bytes());
            done = hit.range.end;
            if hit.kind == Kind::PrivateKey && !own.contains("-----END ") {
                let label =
                    own.strip_prefix("-----BEGIN ").and_then(|rest| rest.split("-----").next());
                self.key = label.map(|label| format!("-----END {label}-----"));
            }
        }
        out.extend_from_slice(&text.as_bytes()[done..]);
        Ok(())
    }
}
