//! Values of which nobody knows the type.

use std::sync::Arc;

use super::wire::{Number, Raw, Said, Value, element, said};
use crate::{
    Error, Policy,
    json::{Name, Rewriter},
};

/// How deep messages within are looked for.
const DEEPEST: usize = 8;

/// Whether the detectors find anything in it, whatever it is: a text, a message, numbers in any form.
pub(super) fn is_suspicious(policy: &Policy, value: Value<'_>) -> Result<bool, Error> {
    if policy.finder.is_none() {
        return Ok(false);
    }
    Looking { policy, name: Arc::default() }.at(value, DEEPEST)
}

struct Looking<'t> {
    policy: &'t Policy,
    name: Arc<Name>,
}

impl Looking<'_> {
    fn at(&self, value: Value<'_>, deeper: usize) -> Result<bool, Error> {
        let as_any = |numbers: &[Number]| {
            numbers.iter().any(|number| match said(*number, value) {
                Said::Whole(whole) => self.has(&whole.to_string()),
                Said::Other | Said::TooMuch => false,
            })
        };
        Ok(match value {
            Value::Varint(_) => as_any(&[Number::Unsigned64, Number::Signed64, Number::Zigzag64]),
            Value::Fixed64(_) => as_any(&[Number::Fixed64, Number::SignedFixed64, Number::Double]),
            Value::Fixed32(_) => as_any(&[Number::Fixed32, Number::SignedFixed32, Number::Float]),
            Value::Bytes(bytes) => self.bytes(bytes, deeper)?,
            Value::Group(inner, _) => self.bytes(inner, deeper)?,
        })
    }

    fn has(&self, text: &str) -> bool {
        !self.policy.find(self.name.label(), text).is_empty()
    }

    fn bytes(&self, bytes: &[u8], deeper: usize) -> Result<bool, Error> {
        let text = std::str::from_utf8(bytes).ok();
        let text = text.filter(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()));
        if let Some(text) = text
            && Rewriter::new(self.policy).text(&self.name, text, None)?.is_some()
        {
            return Ok(true);
        }
        let message = if deeper > 0 { self.message(bytes, deeper - 1)? } else { None };
        match message {
            Some(found) => Ok(found),
            None if text.is_some() => Ok(false),
            None => Ok(self.has(&String::from_utf8_lossy(bytes)) || self.numbers(bytes)),
        }
    }

    /// As a message; `None` if it is none.
    fn message(&self, bytes: &[u8], deeper: usize) -> Result<Option<bool>, Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if Raw::take(&mut rest).is_none() {
                return Ok(None);
            }
        }
        rest = bytes;
        while let Some(raw) = Raw::take(&mut rest) {
            if self.at(raw.value, deeper)? {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// As numbers that are written together.
    fn numbers(&self, bytes: &[u8]) -> bool {
        let (mut rest, mut found) = (bytes, false);
        while !rest.is_empty() {
            match element(Number::Unsigned64, &mut rest) {
                // Small ones are in everything.
                Some(Value::Varint(value @ 1_000_000..)) => {
                    found = found || self.has(&value.to_string());
                }
                Some(_) => {}
                None => return false,
            }
        }
        found
    }
}
