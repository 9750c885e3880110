//! Text and lines of logs, rewritten as they stream by.

use std::ops::Deref;

use memchr::memchr;

use crate::{Error, Kind, OnLimit, Policy, find::Label, fold::Folded};

/// What stands for a line that is longer than is looked at.
const TOO_LONG: &str = "[REDACTED:too_long]";

/// How a key begins; its end has its label.
const BEGIN: &str = "-----BEGIN ";

/// How much of a line that is too long is kept, so that no such mark is cut in two.
pub(crate) const OVERLAP: usize = 512;

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

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
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
        if self.held.len() > self.policy.limits.max_inspect.saturating_add(1) {
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

    /// The beginning of a line that is too long to be looked at; but for keys, which may begin or end in it.
    fn too_long(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.policy.limits.on_limit == OnLimit::Refuse {
            return Err(Error::Limit { offset: self.offset, reason: "a longer line" });
        }
        if !self.skipping && self.key.is_none() {
            out.extend_from_slice(TOO_LONG.as_bytes());
        }
        self.skipping = true;
        let held = std::mem::take(&mut self.held);
        self.follow_key(&String::from_utf8_lossy(&held));
        self.held = held;
        let gone = self.held.len().saturating_sub(OVERLAP);
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
        let (own, end) = line.split_at(line.len() - end);
        let skipped = std::mem::take(&mut self.skipping);
        if skipped || own.len() > self.policy.limits.max_inspect {
            if self.policy.limits.on_limit == OnLimit::Refuse {
                return Err(Error::Limit { offset, reason: "a longer line" });
            }
            if !skipped && self.key.is_none() {
                out.extend_from_slice(TOO_LONG.as_bytes());
            }
            self.follow_key(&String::from_utf8_lossy(own));
        } else {
            let text = std::str::from_utf8(own);
            let text = text.map_err(|_| Error::Malformed { offset, reason: "no UTF-8" })?;
            let behind = match &self.key {
                Some(last) => end_of(last, text),
                None => Some(0),
            };
            if let Some(at) = behind {
                self.rewrite(&text[at..], out)?;
            }
            self.follow_key(text);
        }
        if self.key.is_none() {
            out.extend_from_slice(end);
        }
        Ok(())
    }

    /// Whether a key goes on behind this: the end of each one is looked for, then the beginning of another.
    pub(crate) fn follow_key(&mut self, text: &str) {
        if !self.policy.finds(Kind::PrivateKey) {
            return;
        }
        let folded = Folded::new(text);
        let mut rest = folded.text();
        loop {
            if let Some(last) = &self.key {
                let Some(at) = rest.find(last) else { return };
                rest = &rest[at + last.len()..];
                self.key = None;
            }
            let Some(at) = rest.find(BEGIN) else { return };
            rest = &rest[at + BEGIN.len()..];
            let label = rest.split("-----").next().unwrap_or_default();
            if label.len() <= 64 && label.ends_with("PRIVATE KEY") && rest.len() > label.len() {
                self.key = Some(format!("-----END {label}-----"));
            }
        }
    }

    fn rewrite(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut done = 0;
        for hit in self.policy.find(&Label::default(), text) {
            out.extend_from_slice(&text.as_bytes()[done..hit.range.start]);
            let with = self.policy.put_hit("", &hit, &text[hit.range.clone()])?;
            out.extend_from_slice(with.as_bytes());
            done = hit.range.end;
        }
        out.extend_from_slice(&text.as_bytes()[done..]);
        Ok(())
    }
}

/// Where in a text the end of a key ends.
fn end_of(last: &str, text: &str) -> Option<usize> {
    let folded = Folded::new(text);
    let at = folded.text().find(last)?;
    Some(folded.original(at..at + last.len()).end)
}
