//! Bodies of forms (`application/x-www-form-urlencoded`), rewritten as they stream by.

use std::{ops::Deref, sync::Arc};

use form_urlencoded::byte_serialize;
use memchr::memchr;
use percent_encoding::percent_decode;

use crate::{
    Action, Error, OnLimit, Policy, Strategy,
    json::{Down, Name, Places, Raw, Rewriter},
    policy::fold_name,
};

/// Masks the body of a form that comes in pieces.
///
/// It holds one field of at most [`crate::Limits::max_inspect`] bytes. Rules are for the names of the fields:
/// `user[phone]` and `user.phone` are both `user.phone`, `phones[]` and a name that comes again and
/// again are elements of `phones`. Names whose brackets do not fit are refused where there are rules. There is no `null`:
/// what becomes nothing is empty.
///
/// ```
/// use gmkit_mask::{FormStream, Policy};
///
/// let policy = Policy::new();
/// let (mut stream, mut out) = (FormStream::new(&policy), Vec::new());
/// stream.push(b"note=a+b&mail=%61lice%40example.", &mut out)?;
/// assert_eq!(out, b"note=a+b");
/// stream.push(b"com", &mut out)?;
/// stream.finish(&mut out)?;
/// assert_eq!(out, b"note=a+b&mail=****%40example.com");
/// # Ok::<(), gmkit_mask::Error>(())
/// ```
#[derive(Debug)]
pub struct FormStream<P> {
    policy: P,
    held: Vec<u8>,
    /// How far into it the end of the field was looked for.
    looked: usize,
    /// Whether a field was given out: the next one has an `&` before it.
    kept: bool,
    /// The rest of this field passes, or does not.
    rest: Option<Rest>,
    offset: u64,
    failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Passes,
    Goes,
}

impl<P: Deref<Target = Policy>> FormStream<P> {
    /// One for a form.
    pub fn new(policy: P) -> Self {
        let held = Vec::new();
        Self { policy, held, looked: 0, kept: false, rest: None, offset: 0, failed: false }
    }

    /// Takes the next piece, and adds to `out` what is decided.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is no UTF-8; [`Error::Limit`], [`Error::Key`]; [`Error::Closed`] after one of these.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(piece);
        let mut start = 0;
        while let Some(end) = memchr(b'&', &held[start + self.looked..]) {
            let end = start + self.looked + end;
            self.looked = 0;
            self.field(&held[start..end], out)?;
            self.offset += (end + 1 - start) as u64;
            start = end + 1;
        }
        held.drain(..start);
        self.looked = held.len();
        self.held = held;
        if self.rest.is_some() || self.held.len() > self.policy.limits.max_inspect {
            self.too_long(out)?;
        }
        self.failed = false;
        Ok(())
    }

    /// There is nothing more.
    ///
    /// # Errors
    /// As [`FormStream::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Closed);
        }
        let held = std::mem::take(&mut self.held);
        self.field(&held, out)
    }

    /// The beginning of a field that is too long to be looked at, or more of it.
    fn too_long(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let held = std::mem::take(&mut self.held);
        self.looked = 0;
        match self.rest {
            Some(Rest::Passes) => out.extend_from_slice(&held),
            Some(Rest::Goes) => {}
            None => self.rest = Some(self.begin_long(&held, out)?),
        }
        self.offset += held.len() as u64;
        Ok(())
    }

    fn begin_long(&mut self, field: &[u8], out: &mut Vec<u8>) -> Result<Rest, Error> {
        let refused = Error::Limit { offset: self.offset, reason: "a longer field" };
        let name = &field[..field.len().min(self.policy.limits.max_inspect)];
        let Some(equals) = memchr(b'=', name) else { return Err(refused) };
        let name = self.decoded(&field[..equals])?;
        let rule = self.rule(&name)?;
        match rule.map(|rule| &self.policy.rules[rule].action) {
            Some(Action::Opaque) => {
                self.give(&[field], out);
                return Ok(Rest::Passes);
            }
            Some(Action::Replace(_, Strategy::Drop)) => return Ok(Rest::Goes),
            _ if self.policy.limits.on_limit == OnLimit::Refuse => return Err(refused),
            _ => {}
        }
        let (name, _) = self.name(&name, &field[..equals])?;
        self.give(&[&name, b"="], out);
        Ok(Rest::Goes)
    }

    /// A field, or the end of one.
    fn field(&mut self, field: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        match self.rest.take() {
            Some(Rest::Passes) => {
                out.extend_from_slice(field);
                return Ok(());
            }
            Some(Rest::Goes) => return Ok(()),
            None if field.len() > self.policy.limits.max_inspect => {
                let rest = self.begin_long(field, out);
                return rest.map(drop);
            }
            None => {}
        }
        let (name, value) = match memchr(b'=', field) {
            Some(at) => (&field[..at], Some(&field[at + 1..])),
            None => (field, None),
        };
        let text = self.decoded(name)?;
        let (shown, known) = self.name(&text, name)?;
        let rule = self.rule(&text)?;
        let action = rule.map(|rule| &self.policy.rules[rule].action);
        if matches!(action, Some(Action::Replace(_, Strategy::Drop))) {
            return Ok(());
        }
        let Some(value) = value else {
            self.give(&[&shown], out);
            return Ok(());
        };
        let decoded = self.decoded(value)?;
        let masked = self.rewriter().text(&known, &decoded, rule)?;
        let encoded = masked.map(|masked| byte_serialize(masked.as_bytes()).collect::<String>());
        let value = encoded.as_ref().map_or(value, String::as_bytes);
        self.give(&[&shown, b"=", value], out);
        Ok(())
    }

    fn give(&mut self, parts: &[&[u8]], out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.kept, true) {
            out.push(b'&');
        }
        parts.iter().for_each(|part| out.extend_from_slice(part));
    }

    fn decoded(&self, raw: &[u8]) -> Result<String, Error> {
        let spaces: Vec<u8> = raw.iter().map(|c| if *c == b'+' { b' ' } else { *c }).collect();
        let text = percent_decode(&spaces).decode_utf8().map(|text| text.into_owned());
        text.map_err(|_| Error::Malformed { offset: self.offset, reason: "no UTF-8" })
    }

    fn rewriter(&self) -> Rewriter<'_> {
        Rewriter::new(&self.policy)
    }

    /// How a name is given out, and what it says.
    fn name(&self, text: &str, raw: &[u8]) -> Result<(Vec<u8>, Arc<Name>), Error> {
        let masked = self.rewriter().text(&Arc::default(), text, None)?;
        let shown = match masked {
            Some(masked) => byte_serialize(masked.as_bytes()).collect::<String>().into_bytes(),
            None => raw.to_vec(),
        };
        let name = Name::new(Raw::plain(text), self.policy.finder.as_ref());
        Ok((shown, Arc::new(name)))
    }

    /// The first rule for the field, or for something that it is in. A name that is there for the first time may be that of
    /// a list.
    fn rule(&self, name: &str) -> Result<Option<usize>, Error> {
        let rules = &self.policy.rules;
        if rules.is_empty() {
            return Ok(None);
        }
        let mut places = Places::default();
        places.down(rules, None);
        let (mut found, mut folded) = (None, String::new());
        let steps = self.steps(name)?;
        if steps.len() > self.policy.limits.depth {
            return Err(Error::Limit { offset: self.offset, reason: "nested deeper" });
        }
        for step in steps {
            fold_name(step, &mut folded);
            let digits = !step.is_empty() && step.bytes().all(|c| c.is_ascii_digit());
            let index = if digits { step.parse().ok() } else { None };
            let down = Down::Field { name: &folded, index };
            found = [found, places.found(rules, down)].into_iter().flatten().min();
            places.down(rules, Some(down));
        }
        let element = places.found(rules, Down::Field { name: "", index: None });
        let element = element.filter(|rule| !rules[*rule].opens());
        Ok([found, element].into_iter().flatten().min())
    }

    /// `a[b][].c` as `a`, `b`, nothing, `c`.
    fn steps<'t>(&self, name: &'t str) -> Result<Vec<&'t str>, Error> {
        let mut steps = Vec::new();
        let mut rest = name;
        loop {
            let len = rest.find(['[', ']', '.']).unwrap_or(rest.len());
            // Behind a bracket there is another step, or none.
            if len > 0 || steps.is_empty() {
                steps.push(&rest[..len]);
            }
            rest = &rest[len..];
            while let Some(inner) = rest.strip_prefix('[') {
                let end = inner.find(['[', ']']).filter(|end| inner[*end..].starts_with(']'));
                let Some(end) = end else { return Err(self.bracket()) };
                steps.push(&inner[..end]);
                rest = &inner[end + 1..];
            }
            match rest.strip_prefix('.') {
                _ if rest.is_empty() => return Ok(steps),
                Some(behind) => rest = behind,
                None => return Err(self.bracket()),
            }
        }
    }

    fn bracket(&self) -> Error {
        let reason = "a name with brackets that do not fit, for which there may be a rule";
        Error::Malformed { offset: self.offset, reason }
    }
}
