//! What is put in the place of a value.

use std::{ops::Range, sync::Arc};

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding};

use super::{
    JsonStream,
    literal::{self, Word},
    names::Name,
    string::{Raw, quoted},
};
use crate::{Confidence, Error, Finder, Hit, Policy, Strategy, policy::Action};

/// Shortest string that is taken for base64.
const BASE64: usize = 16;

type Edits = Vec<(Range<usize>, String)>;

/// Rewrites the values of one body. What is `None` stays as it is.
pub(crate) struct Rewriter<'p> {
    pub(super) policy: &'p Policy,
    pub(super) nested: usize,
}

impl<'p> Rewriter<'p> {
    pub(crate) fn new(policy: &'p Policy) -> Self {
        Self { policy, nested: policy.limits.nested }
    }

    /// A value that is a text outside of JSON.
    pub(crate) fn text(
        &self,
        name: &Arc<Name>,
        text: &str,
        rule: Option<usize>,
    ) -> Result<Option<String>, Error> {
        match self.action(rule) {
            Some(Action::Opaque) => Ok(None),
            Some(Action::Replace(kind, strategy)) => {
                let with = self.policy.put(name.text(), *kind, None, strategy, text)?;
                Ok((with != text).then_some(with))
            }
            None => {
                let edits = self.edits(name, text)?;
                Ok((!edits.is_empty()).then(|| replaced(text, &edits)))
            }
        }
    }

    fn action(&self, rule: Option<usize>) -> Option<&Action> {
        rule.map(|rule| &self.policy.rules[rule].action)
    }

    /// Whether there may be something to mask in a member's name.
    pub(super) fn reads(&self, name: &Name, rule: Option<usize>) -> bool {
        match self.action(rule) {
            Some(Action::Opaque) => false,
            Some(Action::Replace(Some(_), _)) => true,
            _ => !name.is_clean(),
        }
    }

    /// What stands between the quotes of a member's name. Under a rule for a kind, what only looks like it is it.
    pub(super) fn name(&self, raw: Raw<'_>, rule: Option<usize>) -> Result<Option<Vec<u8>>, Error> {
        let name = raw.decoded();
        let edits = self.name_edits(name.text(), rule)?;
        Ok((!edits.is_empty()).then(|| name.replace(&edits)))
    }

    /// The same outside of JSON.
    #[cfg(feature = "protobuf")]
    pub(crate) fn key(&self, name: &str, rule: Option<usize>) -> Result<Option<String>, Error> {
        if matches!(self.action(rule), Some(Action::Opaque)) {
            return Ok(None);
        }
        let edits = self.name_edits(name, rule)?;
        Ok((!edits.is_empty()).then(|| replaced(name, &edits)))
    }

    fn name_edits(&self, name: &str, rule: Option<usize>) -> Result<Edits, Error> {
        if let Some(Action::Replace(Some(kind), strategy)) = self.action(rule) {
            let finder = Finder::new().with_least(Confidence::Low).with_kinds(&[*kind]);
            let edit = |hit: Hit| {
                let text = &name[hit.range.clone()];
                let with = self.policy.put("", Some(*kind), None, strategy, text)?;
                Ok((hit.range, with))
            };
            let edits =
                finder.find(name).into_iter().map(edit).collect::<Result<Edits, Error>>()?;
            if !edits.is_empty() {
                return Ok(edits);
            }
        }
        self.found(&Name::default(), name)
    }

    /// A string.
    pub(super) fn string(
        &self,
        name: &Arc<Name>,
        raw: Raw<'_>,
        rule: Option<usize>,
    ) -> Result<Option<Vec<u8>>, Error> {
        match self.action(rule) {
            Some(Action::Opaque) => Ok(None),
            Some(Action::Replace(kind, strategy)) => {
                let decoded = raw.decoded();
                let with = self.policy.put(name.text(), *kind, None, strategy, decoded.text())?;
                Ok((with != decoded.text()).then(|| written(strategy, &with)))
            }
            None if self.policy.finder.is_none() && self.policy.rules.is_empty() => Ok(None),
            None => {
                let decoded = raw.decoded();
                let edits = self.edits(name, decoded.text())?;
                if edits.is_empty() {
                    return Ok(None);
                }
                let nothing = matches!(&edits[..], [(all, with)] if with.is_empty() && all.len() == decoded.text().len());
                Ok(Some(match nothing {
                    true => b"null".to_vec(),
                    false => [b"\"", &decoded.replace(&edits)[..], b"\""].concat(),
                }))
            }
        }
    }

    /// A number, true, false or null.
    pub(super) fn word(
        &self,
        name: &Arc<Name>,
        word: Word<'_>,
        rule: Option<usize>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let number = match word {
            Word::Number(number) => number,
            Word::Null => return Ok(None),
            Word::Bool => {
                let stays = matches!(self.action(rule), None | Some(Action::Opaque));
                return Ok((!stays).then(|| b"null".to_vec()));
            }
        };
        if rule.is_none() && self.policy.finder.is_none() {
            return Ok(None);
        }
        let digits = literal::whole(number);
        match self.action(rule) {
            Some(Action::Opaque) => Ok(None),
            Some(Action::Replace(kind, strategy)) => {
                let text = digits.as_deref().unwrap_or(number);
                let with = self.policy.put(name.text(), *kind, None, strategy, text)?;
                Ok(Some(written(strategy, &with)))
            }
            None => {
                let Some(digits) = digits else { return Ok(None) };
                let hits = self.policy.find(name.label(), &digits);
                let Some(hit) = hits.first() else { return Ok(None) };
                // A part of it hardly stands for itself: all of it goes.
                let strategy = self.policy.strategy_for(hit.kind);
                let with = self.policy.put_hit(name.text(), hit, &digits)?;
                Ok(Some(written(strategy, &with)))
            }
        }
    }

    fn found(&self, name: &Name, text: &str) -> Result<Edits, Error> {
        let hits = self.policy.find(name.label(), text);
        if hits.is_empty() {
            return Ok(Edits::new());
        }
        let hits = hits.into_iter();
        hits.map(|hit| {
            let with = self.policy.put_hit(name.text(), &hit, &text[hit.range.clone()])?;
            Ok((hit.range, with))
        })
        .collect()
    }

    /// What is replaced of a text, also where it is JSON or base64 itself.
    fn edits(&self, name: &Arc<Name>, text: &str) -> Result<Edits, Error> {
        if self.nested > 0
            && text.trim_start().starts_with(['{', '['])
            && let Some(masked) = self.json(name, text)?
            && masked != text
        {
            return Ok(difference(text, &masked));
        }
        let edits = self.found(name, text)?;
        // Without detectors only JSON has places that rules are for: {" and [ begin so.
        let plausible =
            self.policy.finder.is_some() || text.starts_with(['e', 'W', 'I', 'C', 'D', 'Z']);
        if edits.is_empty() && self.nested > 0 && plausible {
            return self.base64(name, text);
        }
        Ok(edits)
    }

    /// A text that is JSON, masked; `None` if it is not.
    fn json(&self, name: &Arc<Name>, text: &str) -> Result<Option<String>, Error> {
        let mut stream = JsonStream::within(self.policy, self.nested - 1, Arc::clone(name));
        let mut out = Vec::with_capacity(text.len());
        match stream.push(text.as_bytes(), &mut out).and_then(|()| stream.finish(&mut out)) {
            Ok(()) => Ok(String::from_utf8(out).ok()),
            Err(Error::Malformed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A text that is the base64 of another one, with that one masked.
    fn base64(&self, name: &Arc<Name>, text: &str) -> Result<Edits, Error> {
        let of_base64 = |c: u8| {
            c.is_ascii_alphanumeric()
                || matches!(c, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n')
        };
        if text.len() < BASE64 || !text.bytes().all(of_base64) {
            return Ok(Edits::new());
        }
        // As mail has it, in lines.
        let joined = text.replace(['\r', '\n'], "");
        let url = joined.contains(['-', '_']);
        let padded = joined.len().is_multiple_of(4);
        let (decoded, encode): (_, fn(&[u8]) -> String) = match (url, padded) {
            (false, true) => (Base64::decode_vec(&joined), Base64::encode_string),
            (false, false) => (Base64Unpadded::decode_vec(&joined), Base64Unpadded::encode_string),
            (true, true) => (Base64Url::decode_vec(&joined), Base64Url::encode_string),
            (true, false) => {
                (Base64UrlUnpadded::decode_vec(&joined), Base64UrlUnpadded::encode_string)
            }
        };
        let Ok(decoded) = decoded else { return Ok(Edits::new()) };
        let Ok(inner) = String::from_utf8(decoded) else { return Ok(Edits::new()) };
        let within = Self { policy: self.policy, nested: self.nested - 1 };
        let edits = within.edits(name, &inner)?;
        if edits.is_empty() {
            return Ok(edits);
        }
        let masked = replaced(&inner, &edits);
        Ok(vec![(0..text.len(), encode(masked.as_bytes()))])
    }
}

/// A text with these parts replaced, from left to right.
fn replaced(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (range, with) in edits {
        out.push_str(&text[done..range.start]);
        out.push_str(with);
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}

/// A value in JSON.
fn written(strategy: &Strategy, with: &str) -> Vec<u8> {
    match strategy {
        Strategy::Nullify | Strategy::Drop => b"null".to_vec(),
        _ => quoted(with),
    }
}

/// From the first to the last byte in which two texts differ.
fn difference(old: &str, new: &str) -> Edits {
    if old == new {
        return Edits::new();
    }
    let mut start = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
        start -= 1;
    }
    let most = (old.len() - start).min(new.len() - start);
    let mut end =
        old.bytes().rev().zip(new.bytes().rev()).take(most).take_while(|(a, b)| a == b).count();
    while !old.is_char_boundary(old.len() - end) || !new.is_char_boundary(new.len() - end) {
        end -= 1;
    }
    vec![(start..old.len() - end, new[start..new.len() - end].to_owned())]
}
