//! A message, rewritten field by field.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    descriptors::{Descriptors, Field, FieldKind, Form, Number},
    unknown,
    wire::{self, Raw as Wire, Said, Value},
};
use crate::{
    Action, Error, OnLimit, Policy, Strategy,
    json::{Down, Name, Places, Raw, Rewriter},
    policy::fold_name,
};

/// Fields whose names were read, by message and number.
pub(crate) type Names = HashMap<(usize, u32), Arc<Name>>;

/// What is known of a value before it is looked at.
#[derive(Clone)]
struct Outer {
    /// The rule for it, or for something that it is in.
    rule: Option<usize>,
    /// What it is called.
    name: Arc<Name>,
}

/// Where a field's value stands.
#[derive(Clone, Copy)]
enum Place<'t> {
    /// Where the message does, as that is nothing but the value.
    Same,
    Member(&'t str),
    /// Of a field: its names in JSON and in the message.
    Either(&'t str, &'t str),
    Element(u64),
}

impl<'t> Place<'t> {
    fn down(self) -> Option<Down<'t>> {
        match self {
            Self::Same => None,
            Self::Member(name) => Some(Down::Member(name)),
            Self::Either(json, own) => Some(Down::Either { json, own }),
            Self::Element(index) => Some(Down::Element(index)),
        }
    }
}

const NO_ROOM: &str = "a number that its type has no room for";

/// Deepest messages within messages, as other readers have it. Each one takes some of the stack.
const DEEPEST: usize = 100;

/// Rewrites one message.
pub(super) struct Masking<'t> {
    pub(super) policy: &'t Policy,
    pub(super) descriptors: &'t Descriptors,
    pub(super) names: &'t mut Names,
    places: Places,
    depth: usize,
    /// The address of the first byte.
    origin: usize,
}

impl<'t> Masking<'t> {
    pub(super) fn new(
        policy: &'t Policy,
        descriptors: &'t Descriptors,
        names: &'t mut Names,
    ) -> Self {
        Self { policy, descriptors, names, places: Places::default(), depth: 0, origin: 0 }
    }

    pub(super) fn whole(mut self, message: usize, body: &[u8]) -> Result<Vec<u8>, Error> {
        self.origin = body.as_ptr().addr();
        self.places.down(&self.policy.rules, None);
        let mut out = Vec::with_capacity(body.len());
        self.message(message, body, &Outer { rule: None, name: Arc::default() }, &mut out)?;
        Ok(out)
    }

    /// How far a part of the message is from its first byte.
    fn at(&self, part: &[u8]) -> u64 {
        (part.as_ptr().addr() - self.origin) as u64
    }

    fn malformed(&self, part: &[u8], reason: &'static str) -> Error {
        Error::Malformed { offset: self.at(part), reason }
    }

    fn take<'b>(&self, rest: &mut &'b [u8]) -> Result<Wire<'b>, Error> {
        let start = *rest;
        Wire::take(rest).ok_or_else(|| self.malformed(start, "no field of a message"))
    }

    fn message(
        &mut self,
        message: usize,
        body: &[u8],
        outer: &Outer,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if self.depth >= self.policy.limits.depth.min(DEEPEST) {
            return Err(Error::Limit { offset: self.at(body), reason: "nested deeper" });
        }
        self.depth += 1;
        let descriptors = self.descriptors;
        let (form, fields) = {
            let own = descriptors.message(message);
            (own.form, &own.fields)
        };
        let any = if form == Form::Any { self.type_of(body)? } else { None };
        let (mut counts, mut once) = (HashMap::<u32, u64>::new(), HashSet::new());
        let mut rest = body;
        while !rest.is_empty() {
            let raw = self.take(&mut rest)?;
            match fields.get(&raw.number) {
                Some(_) if form == Form::Any && raw.number == 2 => {
                    self.any(&raw, any, outer, out)?;
                }
                Some(field) => {
                    // Readers put the parts together, and nobody has looked at what they make then.
                    let is_part = matches!(field.kind, FieldKind::Message(_)) && !field.repeated;
                    if is_part && !once.insert(raw.number) {
                        return Err(self.malformed(raw.all, "a message in more than one part"));
                    }
                    let count = counts.entry(raw.number).or_default();
                    self.field((message, form), field, &raw, count, outer, out)?;
                }
                None => self.unknown(&raw, outer.rule, out)?,
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// A field that the message's type has.
    fn field(
        &mut self,
        (message, form): (usize, Form),
        field: &Field,
        raw: &Wire<'_>,
        count: &mut u64,
        outer: &Outer,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let same = form == Form::Value;
        let name = match same {
            true => Arc::clone(&outer.name),
            false => self.name(message, raw.number, field),
        };
        let place = if same { Place::Same } else { Place::Either(&field.json, &field.own) };
        let rule = self.rule(outer.rule, place);
        let inner = Outer { rule, name };
        let is_entry = matches!(field.kind, FieldKind::Message(of) if self.descriptors.message(of).form == Form::Entry);
        if !field.repeated {
            return self.value(field, raw, place, &inner, out);
        }
        // Down into the list, or into the object that a map is.
        if let Some(down) = place.down() {
            self.places.down(&self.policy.rules, Some(down));
        }
        match (field.kind, raw.value) {
            (FieldKind::Message(entry), Value::Bytes(body)) if is_entry => {
                self.entry(entry, raw, body, &inner, out)?;
            }
            (FieldKind::Number(number), Value::Bytes(packed)) => {
                self.packed(number, raw, packed, count, &inner, out)?;
            }
            _ if is_entry => self.unknown(raw, inner.rule, out)?,
            _ => {
                let place = Place::Element(*count);
                *count += 1;
                let rule = self.rule(inner.rule, place);
                self.value(field, raw, place, &Outer { rule, ..inner }, out)?;
            }
        }
        if place.down().is_some() {
            self.places.up();
        }
        Ok(())
    }

    fn name(&mut self, message: usize, number: u32, field: &Field) -> Arc<Name> {
        let finder = self.policy.finder.as_ref();
        let name = self.names.entry((message, number));
        Arc::clone(name.or_insert_with(|| Arc::new(Name::new(Raw::plain(&field.name), finder))))
    }

    /// The first rule of what a value is in, and of its own.
    fn rule(&self, outer: Option<usize>, place: Place<'_>) -> Option<usize> {
        let own = place.down().and_then(|down| self.places.found(&self.policy.rules, down));
        [outer, own].into_iter().flatten().min()
    }

    fn action(&self, rule: Option<usize>) -> Option<&'t Action> {
        let policy = self.policy;
        rule.map(|rule| &policy.rules[rule].action)
    }

    /// One value: of a field, of a list or of a map.
    fn value(
        &mut self,
        field: &Field,
        raw: &Wire<'_>,
        place: Place<'_>,
        outer: &Outer,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let keeps = field.required || field.repeated && !self.drops(outer.rule);
        match (field.kind, raw.value) {
            (FieldKind::Text, Value::Bytes(text)) => {
                let Ok(text) = std::str::from_utf8(text) else {
                    return Err(self.malformed(text, "no UTF-8"));
                };
                self.text(raw, text, keeps, outer, out)
            }
            (FieldKind::Bytes, Value::Bytes(bytes)) => self.bytes(raw, bytes, keeps, outer, out),
            (FieldKind::Message(_), Value::Bytes(_) | Value::Group(..))
                if self.drops(outer.rule) && !field.required =>
            {
                Ok(())
            }
            (FieldKind::Message(of), Value::Bytes(body) | Value::Group(body, _)) => {
                self.inner(of, raw, body, place, outer, out)
            }
            (FieldKind::Number(number), _) if raw.is(number) => {
                if let Some(value) = self.number(number, raw.value, keeps, outer, raw.all)? {
                    out.extend_from_slice(raw.tag);
                    wire::put_number(value, out);
                }
                Ok(())
            }
            // Readers take what is written in another way for a field that they do not know.
            _ => self.unknown(raw, outer.rule, out),
        }
    }

    /// A message within.
    fn inner(
        &mut self,
        of: usize,
        raw: &Wire<'_>,
        body: &[u8],
        place: Place<'_>,
        outer: &Outer,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if let Some(down) = place.down() {
            self.places.down(&self.policy.rules, Some(down));
        }
        let mut masked = Vec::new();
        self.message(of, body, outer, &mut masked)?;
        if place.down().is_some() {
            self.places.up();
        }
        if masked.is_empty() && self.descriptors.message(of).has_null && !body.is_empty() {
            masked.extend_from_slice(&[0x08, 0x00]);
        }
        match raw.value {
            _ if masked == body => out.extend_from_slice(raw.all),
            Value::Group(_, end) => {
                [raw.tag, &masked, end].iter().for_each(|part| out.extend(*part));
            }
            _ => wire::put_bytes(raw.tag, &masked, out),
        }
        Ok(())
    }

    fn drops(&self, rule: Option<usize>) -> bool {
        matches!(self.action(rule), Some(Action::Replace(_, Strategy::Drop)))
    }

    /// Whether nothing is left of a value under a rule.
    fn empties(&self, rule: Option<usize>) -> bool {
        let action = self.action(rule);
        matches!(action, Some(Action::Replace(_, Strategy::Drop | Strategy::Nullify)))
    }

    fn text(
        &mut self,
        raw: &Wire<'_>,
        text: &str,
        keeps: bool,
        outer: &Outer,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let limits = &self.policy.limits;
        let opaque = matches!(self.action(outer.rule), Some(Action::Opaque));
        let too_long = text.len() > limits.max_inspect && !opaque;
        if too_long && limits.on_limit == OnLimit::Refuse {
            let offset = self.at(text.as_bytes());
            return Err(Error::Limit { offset, reason: "a longer value" });
        }
        let masked = match too_long {
            true => Some(String::new()),
            false => Rewriter::new(self.policy).text(&outer.name, text, outer.rule)?,
        };
        match masked {
            None => out.extend_from_slice(raw.all),
            Some(_) if !keeps && (too_long || self.empties(outer.rule)) => {}
            Some(masked) => wire::put_bytes(raw.tag, masked.as_bytes(), out),
        }
        Ok(())
    }

    /// Bytes, which may be a text.
    fn bytes(
        &mut self,
        raw: &Wire<'_>,
        bytes: &[u8],
        keeps: bool,
        outer: &Outer,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return self.text(raw, text, keeps, outer, out);
        }
        let name = outer.name.text();
        match self.action(outer.rule) {
            Some(Action::Opaque) => {
                out.extend_from_slice(raw.all);
                return Ok(());
            }
            Some(Action::Replace(kind, strategy)) => {
                self.policy.tell(name, *kind, None, strategy, "");
            }
            None => {
                // A part of it hardly stands for itself: all of it goes.
                let hits = self.policy.find(outer.name.label(), &String::from_utf8_lossy(bytes));
                let Some(hit) = hits.first() else {
                    out.extend_from_slice(raw.all);
                    return Ok(());
                };
                let strategy = self.policy.strategy_for(hit.kind);
                self.policy.tell(name, Some(hit.kind), Some(hit.confidence), strategy, "");
            }
        }
        if keeps {
            wire::put_bytes(raw.tag, b"", out);
        }
        Ok(())
    }

    /// A number, or what is left of it. There is no room for a mask in one.
    fn number<'v>(
        &self,
        number: Number,
        value: Value<'v>,
        keeps: bool,
        outer: &Outer,
        part: &[u8],
    ) -> Result<Option<Value<'v>>, Error> {
        let whole = match wire::said(number, value) {
            Said::Whole(whole) => Some(whole),
            Said::Other => None,
            Said::TooMuch => return Err(self.malformed(part, NO_ROOM)),
        };
        let masked = match self.action(outer.rule) {
            Some(Action::Opaque) => return Ok(Some(value)),
            Some(Action::Replace(kind, strategy)) => {
                let less = match (kind, strategy) {
                    // With a step of 1 it would be shown.
                    (None, Strategy::Generalise(step @ 2..)) => {
                        whole.map(|whole| whole - whole.rem_euclid(i128::from(*step)))
                    }
                    _ => None,
                };
                let becomes = less.map_or_else(String::new, |less| less.to_string());
                self.policy.tell(outer.name.text(), *kind, None, strategy, &becomes);
                less
            }
            None => {
                let is_choice = matches!(number, Number::Bool | Number::Choice);
                let Some(whole) = whole.filter(|_| !is_choice) else { return Ok(Some(value)) };
                let hits = self.policy.find(outer.name.label(), &whole.to_string());
                let Some(hit) = hits.first() else { return Ok(Some(value)) };
                let strategy = self.policy.strategy_for(hit.kind);
                let name = outer.name.text();
                self.policy.tell(name, Some(hit.kind), Some(hit.confidence), strategy, "");
                None
            }
        };
        let left = masked.is_some() || keeps;
        Ok(left.then(|| wire::value_of(number, masked)))
    }

    /// Numbers that are written together.
    fn packed(
        &mut self,
        number: Number,
        raw: &Wire<'_>,
        packed: &[u8],
        count: &mut u64,
        outer: &Outer,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut masked = Vec::with_capacity(packed.len());
        let mut rest = packed;
        while !rest.is_empty() {
            let start = rest;
            let value = wire::element(number, &mut rest);
            let value = value.ok_or_else(|| self.malformed(start, "no number"))?;
            let rule = self.rule(outer.rule, Place::Element(*count));
            *count += 1;
            let inner = Outer { rule, name: Arc::clone(&outer.name) };
            match self.number(number, value, !self.drops(rule), &inner, start)? {
                Some(same) if same == value => {
                    masked.extend_from_slice(&start[..start.len() - rest.len()]);
                }
                Some(other) => wire::put_number(other, &mut masked),
                None => {}
            }
        }
        match masked == packed {
            true => out.extend_from_slice(raw.all),
            false if masked.is_empty() => {}
            false => wire::put_bytes(raw.tag, &masked, out),
        }
        Ok(())
    }

    /// A member of a map: a message with a name and a value.
    fn entry(
        &mut self,
        entry: usize,
        raw: &Wire<'_>,
        body: &[u8],
        outer: &Outer,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let descriptors = self.descriptors;
        let fields = &descriptors.message(entry).fields;
        let (Some(key_field), Some(value_field)) = (fields.get(&1), fields.get(&2)) else {
            return Err(self.malformed(body, "a map without names"));
        };
        let key = self.key(key_field, body)?;
        let mut folded = String::new();
        fold_name(&key, &mut folded);
        let place = Place::Member(&folded);
        let rule = self.rule(outer.rule, place);
        if self.drops(rule) {
            return Ok(());
        }
        let shown = Rewriter::new(self.policy).key(&key, rule)?;
        if shown.is_some() && key_field.kind != FieldKind::Text {
            // There is no room for a mask in a number, and another number may be another's name.
            return Ok(());
        }
        let name = Name::new(Raw::plain(&key), self.policy.finder.as_ref());
        let inner = Outer { rule, name: Arc::new(name) };
        let (mut masked, mut rest, mut values) = (Vec::with_capacity(body.len()), body, 0);
        while !rest.is_empty() {
            let part = self.take(&mut rest)?;
            values += usize::from(part.number == 2);
            if values > 1 && matches!(value_field.kind, FieldKind::Message(_)) {
                return Err(self.malformed(part.all, "a message in more than one part"));
            }
            match (part.number, &shown) {
                (1, None) => masked.extend_from_slice(part.all),
                (1, Some(shown)) => wire::put_bytes(part.tag, shown.as_bytes(), &mut masked),
                (2, _) => self.value(value_field, &part, place, &inner, &mut masked)?,
                _ => self.unknown(&part, inner.rule, &mut masked)?,
            }
        }
        match masked == body {
            true => out.extend_from_slice(raw.all),
            false => wire::put_bytes(raw.tag, &masked, out),
        }
        Ok(())
    }

    /// The name that counts: the last one.
    fn key(&self, field: &Field, body: &[u8]) -> Result<String, Error> {
        // What is not written is the least there is.
        let none = match field.kind {
            FieldKind::Number(Number::Bool) => "false",
            FieldKind::Number(_) => "0",
            _ => "",
        };
        let (mut key, mut rest) = (none.to_owned(), body);
        while !rest.is_empty() {
            let part = self.take(&mut rest)?;
            if part.number != 1 {
                continue;
            }
            key = match (field.kind, part.value) {
                (FieldKind::Text, Value::Bytes(text)) => match std::str::from_utf8(text) {
                    Ok(text) => text.to_owned(),
                    Err(_) => return Err(self.malformed(text, "no UTF-8")),
                },
                (FieldKind::Number(number), value) if part.is(number) => {
                    match (number, wire::said(number, value)) {
                        (Number::Bool, Said::Whole(whole)) => (whole == 1).to_string(),
                        (_, Said::Whole(whole)) => whole.to_string(),
                        _ => return Err(self.malformed(part.all, NO_ROOM)),
                    }
                }
                _ => return Err(self.malformed(part.all, "a name of another type")),
            };
        }
        if key.len() > self.policy.limits.max_inspect {
            return Err(Error::Limit { offset: self.at(body), reason: "a longer name" });
        }
        Ok(key)
    }

    /// The type that a `google.protobuf.Any` names last, which counts.
    fn type_of(&self, body: &[u8]) -> Result<Option<usize>, Error> {
        let (mut found, mut rest) = (None, body);
        while !rest.is_empty() {
            let part = self.take(&mut rest)?;
            if let (1, Value::Bytes(url)) = (part.number, part.value) {
                let name = std::str::from_utf8(url).ok().and_then(|url| url.rsplit('/').next());
                found = name.and_then(|name| self.descriptors.find(name));
            }
        }
        Ok(found)
    }

    /// What is in a `google.protobuf.Any`: members of it, as in JSON.
    fn any(
        &mut self,
        raw: &Wire<'_>,
        of: Option<usize>,
        outer: &Outer,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match (of, raw.value) {
            (Some(of), Value::Bytes(body)) => {
                // In JSON a message that has a form of its own is the member `value`; others are members of this one.
                let own = self.descriptors.message(of);
                if own.form == Form::Object && !own.is_scalar {
                    return self.inner(of, raw, body, Place::Same, outer, out);
                }
                let place = Place::Member("value");
                let rule = self.rule(outer.rule, place);
                if self.drops(rule) {
                    return Ok(());
                }
                let finder = self.policy.finder.as_ref();
                let name = Arc::new(Name::new(Raw::plain("value"), finder));
                self.inner(of, raw, body, place, &Outer { rule, name }, out)
            }
            _ if self.policy.has_rules() && self.action(outer.rule).is_none() => Err(self
                .malformed(raw.all, "a message of an unknown type, for which there may be a rule")),
            _ => self.unknown(raw, outer.rule, out),
        }
    }

    /// A field of which only the number is known. It may be a text, or a message: it is not known how to write it anew.
    fn unknown(
        &mut self,
        raw: &Wire<'_>,
        rule: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let hit = match self.action(rule) {
            Some(Action::Replace(..)) => return Ok(()),
            Some(Action::Opaque) => false,
            None => unknown::is_suspicious(self.policy, raw.value)?,
        };
        if hit {
            return Err(self
                .malformed(raw.all, "personal data in a field that the descriptors do not know"));
        }
        out.extend_from_slice(raw.all);
        Ok(())
    }
}
