//! JSON, rewritten as it streams by, without a tree.
//!
//! What is not masked keeps its bytes: spaces, order, escapes, digits of numbers. Of a value nothing is given out
//! before all of it has been looked at, so that how the body was cut into pieces makes no difference.

mod literal;
mod names;
mod places;
mod string;
mod value;

use std::{ops::Deref, sync::Arc};

use crate::{
    Error, OnLimit, Policy, Strategy,
    policy::{Action, fold_name},
};
use literal::Scan;
pub(crate) use names::Name;
use names::Names;
pub(crate) use places::{Down, Places};
pub(crate) use string::Raw;
pub(crate) use value::Rewriter;

/// Masks a whole body of JSON.
///
/// # Errors
/// [`Error::Malformed`], [`Error::Limit`], [`Error::Key`].
pub fn json(policy: &Policy, body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(body.len());
    let mut stream = JsonStream::new(policy);
    stream.push(body, &mut out)?;
    stream.finish(&mut out)?;
    Ok(out)
}

/// Masks JSON, or lines of JSON, that comes in pieces.
///
/// It holds one value of at most [`crate::Limits::max_inspect`] bytes, and a little for each level that is open. After an
/// error nothing more comes out, and what has come out is only the beginning of a body: it must not pass for a whole one.
///
/// ```
/// use gmkit_mask::{JsonStream, Policy};
///
/// let policy = Policy::new();
/// let (mut stream, mut out) = (JsonStream::lines(&policy), Vec::new());
/// stream.push(b"{\"mail\":\"alice@exam", &mut out)?;
/// assert_eq!(out, b"{", "a name waits for its value");
/// stream.push(b"ple.com\"}\n{}\n", &mut out)?;
/// stream.finish(&mut out)?;
/// assert_eq!(out, b"{\"mail\":\"****@example.com\"}\n{}\n");
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
#[derive(Debug)]
pub struct JsonStream<P> {
    policy: P,
    /// Whether there may be many values, one a line.
    lines: bool,
    /// How often a string may still be looked into.
    nested: usize,
    expected: Expected,
    frames: Vec<Frame>,
    /// The name of the member whose value all of it is.
    name: Arc<Name>,
    names: Names,
    places: Places,
    /// The last name, as rules compare it, if it is a long one.
    long_name: String,
    /// Commas, names and spaces that go with the value behind them.
    before: Vec<u8>,
    /// What is left of the input: the beginning of a token.
    held: Vec<u8>,
    /// How far into it its end was looked for.
    scan: Scan,
    /// A string that is let go by, or that nothing is left of.
    passing: Option<Passing>,
    /// How many frames there are within which nothing is given out.
    dropping: Option<usize>,
    /// How many bytes were taken before those that are held.
    offset: u64,
    failed: bool,
}

/// Longest number, in bytes: there is no place to remember how far the end of one was looked for.
const MOST_OF_WORD: usize = 1024;

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// The first value, or of a stream of lines the next one.
    Top,
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    Colon,
    CommaOrEnd,
    /// Nothing, but for the end of the line.
    Nothing,
}

/// An object or array that is open.
#[derive(Debug)]
struct Frame {
    is_array: bool,
    /// How many elements or members were begun.
    count: u64,
    /// The name of the last member, or the one under which the array is.
    name: Arc<Name>,
    /// Whether one was given out: the next one has a comma.
    kept: bool,
    /// The rule for all within it.
    rule: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Passing {
    given_out: bool,
    escaped: bool,
}

impl<P: Deref<Target = Policy>> JsonStream<P> {
    /// One for a body of one value.
    pub fn new(policy: P) -> Self {
        let nested = policy.limits.nested;
        Self::within(policy, nested, Arc::default())
    }

    /// One for lines of JSON (NDJSON).
    pub fn lines(policy: P) -> Self {
        Self { lines: true, ..Self::new(policy) }
    }

    /// The value of a member of that name is JSON, too.
    fn within(policy: P, nested: usize, name: Arc<Name>) -> Self {
        Self {
            policy,
            lines: false,
            nested,
            expected: Expected::Top,
            frames: Vec::new(),
            name,
            names: Names::default(),
            places: Places::default(),
            long_name: String::new(),
            before: Vec::new(),
            held: Vec::new(),
            scan: Scan::default(),
            passing: None,
            dropping: None,
            offset: 0,
            failed: false,
        }
    }

    /// Takes the next piece, and adds to `out` what is decided.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Limit`], [`Error::Key`]; [`Error::Closed`] after one of these.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.guard(|stream| {
            if stream.held.is_empty() {
                let taken = stream.take(piece, false, out)?;
                stream.held.extend_from_slice(&piece[taken..]);
                return Ok(());
            }
            let mut held = std::mem::take(&mut stream.held);
            held.extend_from_slice(piece);
            let taken = stream.take(&held, false, out)?;
            held.drain(..taken);
            stream.held = held;
            Ok(())
        })
    }

    /// There is nothing more.
    ///
    /// # Errors
    /// As [`JsonStream::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.guard(|stream| {
            let held = std::mem::take(&mut stream.held);
            let taken = stream.take(&held, true, out)?;
            let whole = match stream.expected {
                Expected::Nothing => true,
                Expected::Top => stream.lines,
                _ => false,
            };
            stream.failed = true;
            if taken < held.len() || !whole || stream.passing.is_some() {
                return Err(stream.malformed(0, "it ends too early"));
            }
            Ok(())
        })
    }

    fn guard(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        let done = work(self);
        // Whatever ended it, also a panic, it stays closed.
        self.failed = done.is_err();
        done
    }

    fn malformed(&self, at: usize, reason: &'static str) -> Error {
        Error::Malformed { offset: self.offset + at as u64, reason }
    }

    /// Takes whole tokens; how many bytes they were.
    fn take(&mut self, data: &[u8], last: bool, out: &mut Vec<u8>) -> Result<usize, Error> {
        let mut at = 0;
        while at < data.len() {
            let Some(len) = self.token(&data[at..], last, out)? else { break };
            at += len;
            self.offset += len as u64;
        }
        Ok(at)
    }

    /// Takes a token; `None` if it is not all there.
    fn token(
        &mut self,
        data: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Error> {
        if let Some(passing) = self.passing {
            return self.pass(passing, data, out).map(Some);
        }
        match data[0] {
            b' ' | b'\t' | b'\r' | b'\n' => self.space(data, out).map(Some),
            b'{' | b'[' => self.open(data[0], out).map(Some),
            b'}' | b']' => self.close(data[0], out).map(Some),
            b',' => {
                self.expect(&[Expected::CommaOrEnd], "a comma where none belongs")?;
                self.expected = if self.in_array() { Expected::Value } else { Expected::Name };
                self.hold_sign(data).map(Some)
            }
            b':' => {
                self.expect(&[Expected::Colon], "a colon where none belongs")?;
                self.expected = Expected::Value;
                self.hold_sign(data).map(Some)
            }
            b'"' => self.string(data, out),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.word(data, last, out),
            0xef if self.offset == 0 && self.expected == Expected::Top => match data.len() {
                ..3 => Ok(None),
                _ if data.starts_with("\u{feff}".as_bytes()) => {
                    out.extend_from_slice(&data[..3]);
                    Ok(Some(3))
                }
                _ => Err(self.malformed(0, "no JSON")),
            },
            _ => Err(self.malformed(0, "no JSON")),
        }
    }

    fn expect(&self, expected: &[Expected], reason: &'static str) -> Result<(), Error> {
        expected.contains(&self.expected).then_some(()).ok_or_else(|| self.malformed(0, reason))
    }

    fn in_array(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_array)
    }

    /// A comma or a colon, with the space behind it.
    fn hold_sign(&mut self, data: &[u8]) -> Result<usize, Error> {
        let len = 1 + spaces(&data[1..]);
        self.hold(&data[..len]).map(|()| len)
    }

    fn space(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<usize, Error> {
        let len = spaces(data);
        if self.frames.is_empty() {
            if self.lines && data[..len].contains(&b'\n') {
                self.expected = Expected::Top;
            }
            out.extend_from_slice(&data[..len]);
        } else {
            self.hold(&data[..len])?;
        }
        Ok(len)
    }

    /// Keeps what goes with the next value.
    fn hold(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // A name, and as much again around it.
        if self.before.len() + bytes.len()
            > self.policy.limits.max_inspect.saturating_mul(2).saturating_add(64)
        {
            return Err(Error::Limit { offset: self.offset, reason: "more space between values" });
        }
        self.before.extend_from_slice(bytes);
        Ok(())
    }

    /// Gives out what was kept for a value, which comes behind it.
    fn release(&mut self, out: &mut Vec<u8>) {
        if self.dropping.is_none() {
            let kept = self.frames.last().is_none_or(|frame| frame.kept);
            // Where the first ones went, the comma behind them goes, too.
            let comma = self.before.iter().position(|c| !c.is_ascii_whitespace());
            if let (false, Some(at)) = (kept, comma.filter(|at| self.before[*at] == b',')) {
                self.before.remove(at);
            }
            out.extend_from_slice(&self.before);
            if let Some(frame) = self.frames.last_mut() {
                frame.kept = true;
            }
        }
        self.before.clear();
    }

    /// A value begins: which rule is for it.
    fn begin(&mut self) -> Result<Option<usize>, Error> {
        self.expect(
            &[Expected::Top, Expected::Value, Expected::ValueOrEnd],
            "a value where none belongs",
        )?;
        let Some(frame) = self.frames.last_mut() else { return Ok(None) };
        if frame.is_array {
            frame.count += 1;
        }
        let outer = frame.rule;
        let own = self.down().and_then(|down| self.places.found(&self.policy.rules, down));
        Ok(match (outer, own) {
            // The one that stands first.
            (Some(outer), Some(own)) => Some(outer.min(own)),
            (outer, own) => outer.or(own),
        })
    }

    /// Where the value is that has begun, in what it is in.
    fn down(&self) -> Option<Down<'_>> {
        let frame = self.frames.last()?;
        Some(match frame.is_array {
            true => Down::Element(frame.count - 1),
            false => Down::Member(frame.name.folded().unwrap_or(&self.long_name)),
        })
    }

    fn end(&mut self) {
        self.expected =
            if self.frames.is_empty() { Expected::Nothing } else { Expected::CommaOrEnd };
    }

    fn drops(&self, rule: Option<usize>) -> bool {
        let action = rule.map(|rule| &self.policy.rules[rule].action);
        // There is nothing left of a body whose only value goes; `null` is.
        !self.frames.is_empty() && matches!(action, Some(Action::Replace(_, Strategy::Drop)))
    }

    fn open(&mut self, bracket: u8, out: &mut Vec<u8>) -> Result<usize, Error> {
        let rule = self.begin()?;
        if self.frames.len() >= self.policy.limits.depth {
            return Err(Error::Limit { offset: self.offset, reason: "nested deeper" });
        }
        if self.dropping.is_none() && self.drops(rule) {
            self.dropping = Some(self.frames.len());
        }
        self.release(out);
        if self.dropping.is_none() {
            out.push(bracket);
        }
        let is_array = bracket == b'[';
        let mut places = std::mem::take(&mut self.places);
        places.down(&self.policy.rules, self.down());
        self.places = places;
        let name = Arc::clone(self.last_name());
        self.frames.push(Frame { is_array, count: 0, name, kept: false, rule });
        self.expected = if is_array { Expected::ValueOrEnd } else { Expected::NameOrEnd };
        Ok(1)
    }

    fn close(&mut self, bracket: u8, out: &mut Vec<u8>) -> Result<usize, Error> {
        let expected = if self.in_array() { Expected::ValueOrEnd } else { Expected::NameOrEnd };
        self.expect(&[Expected::CommaOrEnd, expected], "an end where none belongs")?;
        if self.in_array() != (bracket == b']') || self.frames.is_empty() {
            return Err(self.malformed(0, "a bracket that closes no other"));
        }
        if self.dropping.is_none() {
            out.extend_from_slice(&self.before);
            out.push(bracket);
        }
        self.before.clear();
        self.frames.pop();
        self.places.up();
        if self.dropping == Some(self.frames.len()) {
            self.dropping = None;
        }
        self.end();
        Ok(1)
    }

    /// A string: a name or a value.
    fn string(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<Option<usize>, Error> {
        let is_name = matches!(self.expected, Expected::Name | Expected::NameOrEnd);
        let end = self
            .scan
            .string(data)
            .map_err(|at| self.malformed(at, "a control character in a string"))?;
        let most = self.policy.limits.max_inspect.saturating_add(2);
        let Some(len) = end.filter(|len| *len <= most) else {
            return if data.len() > most {
                self.too_long(is_name, data, out).map(Some)
            } else {
                Ok(None)
            };
        };
        let Scan { escaped, .. } = std::mem::take(&mut self.scan);
        let inner = &data[1..len - 1];
        if is_name {
            self.name(inner, escaped)?;
        } else {
            let raw = self.raw(inner, escaped)?;
            let rule = self.begin()?;
            let written = self.rewriter().string(self.last_name(), raw, rule)?;
            self.put(rule, written.as_deref().unwrap_or(&data[..len]), out);
        }
        Ok(Some(len))
    }

    /// The name that a value has which begins now.
    fn last_name(&self) -> &Arc<Name> {
        self.frames.last().map_or(&self.name, |frame| &frame.name)
    }

    /// What stands between the quotes of a string that begins here.
    fn raw<'t>(&self, inner: &'t [u8], escaped: bool) -> Result<string::Raw<'t>, Error> {
        let text = std::str::from_utf8(inner);
        let text = text.map_err(|fault| self.malformed(1 + fault.valid_up_to(), "no UTF-8"))?;
        string::Raw::new(text, escaped)
            .ok_or_else(|| self.malformed(0, "an escape that JSON does not have"))
    }

    fn name(&mut self, inner: &[u8], escaped: bool) -> Result<(), Error> {
        let name = match self.names.known(inner) {
            Some(name) => name,
            None => self.names.learn(self.raw(inner, escaped)?, self.policy.finder.as_ref()),
        };
        let rule = self.frames.last().and_then(|frame| frame.rule);
        let hidden = match self.rewriter().reads(&name, rule) {
            true => self.rewriter().name(self.raw(inner, escaped)?, rule)?,
            false => None,
        };
        self.hold(b"\"")?;
        self.hold(hidden.as_deref().unwrap_or(inner))?;
        self.hold(b"\"")?;
        self.long_name.clear();
        if name.folded().is_none() {
            let raw = self.raw(inner, escaped)?;
            fold_name(raw.decoded().text(), &mut self.long_name);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.count += 1;
            frame.name = name;
        }
        self.expected = Expected::Colon;
        Ok(())
    }

    /// A number, or one of the three words.
    fn word(&mut self, data: &[u8], last: bool, out: &mut Vec<u8>) -> Result<Option<usize>, Error> {
        let len = data
            .iter()
            .position(|c| !(c.is_ascii_alphanumeric() || matches!(c, b'.' | b'+' | b'-')));
        if len.unwrap_or(data.len()) > self.policy.limits.max_inspect.min(MOST_OF_WORD) {
            return Err(Error::Limit { offset: self.offset, reason: "longer" });
        }
        let Some(len) = len.or(last.then_some(data.len())) else { return Ok(None) };
        let word = literal::word(&data[..len]).ok_or_else(|| self.malformed(0, "no JSON"))?;
        let rule = self.begin()?;
        let written = self.rewriter().word(self.last_name(), word, rule)?;
        self.put(rule, written.as_deref().unwrap_or(&data[..len]), out);
        Ok(Some(len))
    }

    fn rewriter(&self) -> value::Rewriter<'_> {
        value::Rewriter { policy: &self.policy, nested: self.nested }
    }

    /// Gives out a value that is no object and no array.
    fn put(&mut self, rule: Option<usize>, value: &[u8], out: &mut Vec<u8>) {
        if self.drops(rule) {
            self.before.clear();
        } else {
            self.release(out);
            if self.dropping.is_none() {
                out.extend_from_slice(value);
            }
        }
        self.end();
    }

    /// A string that is longer than is looked at.
    fn too_long(&mut self, is_name: bool, data: &[u8], out: &mut Vec<u8>) -> Result<usize, Error> {
        let refused = Error::Limit { offset: self.offset, reason: "longer" };
        if is_name {
            return Err(refused);
        }
        let rule = self.begin()?;
        let opaque =
            rule.is_some_and(|rule| matches!(self.policy.rules[rule].action, Action::Opaque));
        let given_out = opaque && self.dropping.is_none();
        if !opaque && self.policy.limits.on_limit == OnLimit::Refuse && !self.drops(rule) {
            return Err(refused);
        }
        self.scan = Scan::default();
        self.put(rule, if given_out { b"\"" } else { b"null" }, out);
        // `put` has seen to what comes behind it; its own rest is passed by before that.
        let passing = Passing { given_out, escaped: false };
        self.passing = Some(passing);
        Ok(1 + self.pass(passing, &data[1..], out)?)
    }

    /// The rest of such a string.
    fn pass(
        &mut self,
        mut passing: Passing,
        data: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        let mut len = data.len();
        self.passing = Some(passing);
        for (at, c) in data.iter().enumerate() {
            match c {
                _ if passing.escaped => passing.escaped = false,
                b'\\' => passing.escaped = true,
                b'"' => {
                    len = at + 1;
                    self.passing = None;
                    break;
                }
                ..0x20 => return Err(self.malformed(at, "a control character in a string")),
                _ => {}
            }
        }
        if let Some(kept) = &mut self.passing {
            *kept = passing;
        }
        if passing.given_out {
            out.extend_from_slice(&data[..len]);
        }
        Ok(len)
    }
}

fn spaces(data: &[u8]) -> usize {
    data.iter().take_while(|c| matches!(c, b' ' | b'\t' | b'\r' | b'\n')).count()
}
