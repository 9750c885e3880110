//! Fields as they are written (protobuf's wire format), one after the other.

use prost::encoding::{decode_varint, encode_varint};

pub(super) use super::descriptors::Number;

/// A field with its number and value.
pub(super) struct Raw<'t> {
    pub(super) number: u32,
    pub(super) value: Value<'t>,
    /// The number and type, as they are written.
    pub(super) tag: &'t [u8],
    /// All of it, as it is written.
    pub(super) all: &'t [u8],
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Value<'t> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'t [u8]),
    /// What stands in a group, and the tag that ends it.
    Group(&'t [u8], &'t [u8]),
}

/// Deepest groups within groups that nobody has declared.
const DEEPEST: usize = 64;

impl<'t> Raw<'t> {
    /// The next one. `None` if there is none, which is no message.
    pub(super) fn take(rest: &mut &'t [u8]) -> Option<Self> {
        Self::within(rest, 0)
    }

    fn within(rest: &mut &'t [u8], depth: usize) -> Option<Self> {
        let start = *rest;
        let tag = u32::try_from(varint(rest)?).ok()?;
        let (number, kind) = (tag >> 3, tag & 7);
        let tag = &start[..start.len() - rest.len()];
        let value = match kind {
            0 => Value::Varint(varint(rest)?),
            1 => Value::Fixed64(u64::from_le_bytes(*fixed(rest)?)),
            2 => {
                let len = usize::try_from(varint(rest)?).ok()?;
                let (value, behind) = rest.split_at_checked(len)?;
                *rest = behind;
                Value::Bytes(value)
            }
            3 if depth < DEEPEST => group(rest, number, depth + 1)?,
            5 => Value::Fixed32(u32::from_le_bytes(*fixed(rest)?)),
            _ => return None,
        };
        let all = &start[..start.len() - rest.len()];
        (number > 0).then_some(Self { number, value, tag, all })
    }

    /// Whether a value is written as one of this kind is, by itself.
    pub(super) fn is(&self, number: Number) -> bool {
        let mut bytes = self.all.get(self.tag.len()..).unwrap_or_default();
        element(number, &mut bytes).is_some_and(|value| {
            std::mem::discriminant(&value) == std::mem::discriminant(&self.value)
        })
    }
}

fn group<'t>(rest: &mut &'t [u8], number: u32, depth: usize) -> Option<Value<'t>> {
    let start = *rest;
    loop {
        let before = *rest;
        let mut ahead = *rest;
        let tag = varint(&mut ahead)?;
        if tag == u64::from(number) << 3 | 4 {
            *rest = ahead;
            let inner = &start[..start.len() - before.len()];
            return Some(Value::Group(inner, &before[..before.len() - ahead.len()]));
        }
        Raw::within(rest, depth)?;
    }
}

pub(super) fn varint(rest: &mut &[u8]) -> Option<u64> {
    decode_varint(rest).ok()
}

fn fixed<'t, const N: usize>(rest: &mut &'t [u8]) -> Option<&'t [u8; N]> {
    let (value, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(value)
}

/// A value behind its tag and length.
pub(super) fn put_bytes(tag: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(tag);
    encode_varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

/// The next element of many numbers that are written together.
pub(super) fn element<'t>(number: Number, rest: &mut &'t [u8]) -> Option<Value<'t>> {
    Some(match number {
        Number::Unsigned64
        | Number::Unsigned32
        | Number::Signed64
        | Number::Signed32
        | Number::Zigzag64
        | Number::Zigzag32
        | Number::Bool
        | Number::Choice => Value::Varint(varint(rest)?),
        Number::Fixed64 | Number::SignedFixed64 | Number::Double => {
            Value::Fixed64(u64::from_le_bytes(*fixed(rest)?))
        }
        Number::Fixed32 | Number::SignedFixed32 | Number::Float => {
            Value::Fixed32(u32::from_le_bytes(*fixed(rest)?))
        }
    })
}

/// What a value says.
pub(super) enum Said {
    Whole(i128),
    /// With a fraction, or none at all.
    Other,
    /// More than its type has room for: some readers take a part of it.
    TooMuch,
}

/// What a number says.
pub(super) fn said(number: Number, value: Value<'_>) -> Said {
    let of_float = |value: f64| match value.fract() == 0.0 && value.abs() < 1e30 {
        true => Said::Whole(value as i128),
        false => Said::Other,
    };
    let within = |whole: i128, least: i128, most: i128| match (least..=most).contains(&whole) {
        true => Said::Whole(whole),
        false => Said::TooMuch,
    };
    let zigzag = |value: u64| i128::from((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
    match (number, value) {
        (Number::Unsigned64, Value::Varint(value)) => Said::Whole(value.into()),
        (Number::Unsigned32, Value::Varint(value)) => within(value.into(), 0, u32::MAX.into()),
        (Number::Signed64, Value::Varint(value)) => Said::Whole(value.cast_signed().into()),
        (Number::Signed32 | Number::Choice, Value::Varint(value)) => {
            within(value.cast_signed().into(), i32::MIN.into(), i32::MAX.into())
        }
        (Number::Zigzag64, Value::Varint(value)) => Said::Whole(zigzag(value)),
        (Number::Zigzag32, Value::Varint(value)) => match u32::try_from(value) {
            Ok(_) => Said::Whole(zigzag(value)),
            Err(_) => Said::TooMuch,
        },
        (Number::Bool, Value::Varint(value)) => within(value.into(), 0, 1),
        (Number::Fixed64, Value::Fixed64(value)) => Said::Whole(value.into()),
        (Number::SignedFixed64, Value::Fixed64(value)) => Said::Whole(value.cast_signed().into()),
        (Number::Double, Value::Fixed64(value)) => of_float(f64::from_bits(value)),
        (Number::Fixed32, Value::Fixed32(value)) => Said::Whole(value.into()),
        (Number::SignedFixed32, Value::Fixed32(value)) => Said::Whole(value.cast_signed().into()),
        (Number::Float, Value::Fixed32(value)) => of_float(f32::from_bits(value).into()),
        _ => Said::Other,
    }
}

/// A whole number as such a value; of one that is not whole, or that it has no room for, nothing is left.
pub(super) fn value_of(number: Number, whole: Option<i128>) -> Value<'static> {
    let whole = whole.unwrap_or(0);
    let unsigned = u64::try_from(whole).unwrap_or(0);
    let signed = i64::try_from(whole).unwrap_or(0);
    let small = i32::try_from(whole).unwrap_or(0);
    match number {
        Number::Unsigned64 => Value::Varint(unsigned),
        Number::Unsigned32 => Value::Varint(u32::try_from(whole).unwrap_or(0).into()),
        Number::Signed64 => Value::Varint(signed.cast_unsigned()),
        Number::Signed32 => Value::Varint(i64::from(small).cast_unsigned()),
        Number::Zigzag64 => Value::Varint(((signed << 1) ^ (signed >> 63)).cast_unsigned()),
        Number::Zigzag32 => Value::Varint(((small << 1) ^ (small >> 31)).cast_unsigned().into()),
        Number::Fixed64 => Value::Fixed64(unsigned),
        Number::SignedFixed64 => Value::Fixed64(signed.cast_unsigned()),
        Number::Double => Value::Fixed64((signed as f64).to_bits()),
        Number::Fixed32 => Value::Fixed32(u32::try_from(whole).unwrap_or(0)),
        Number::SignedFixed32 => Value::Fixed32(small.cast_unsigned()),
        Number::Float => Value::Fixed32((small as f32).to_bits()),
        Number::Bool | Number::Choice => Value::Varint(0),
    }
}

/// A number, without a tag.
pub(super) fn put_number(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Varint(value) => encode_varint(value, out),
        Value::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Bytes(_) | Value::Group(..) => {}
    }
}
