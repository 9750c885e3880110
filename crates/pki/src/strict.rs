//! DER has one form for each value (X.690, 10 and 11). `x509-parser` reads BER's freedoms too; what it
//! reads is checked here first, so that no two byte strings are the same certificate.

use der::{Decode, Reader, SliceReader, Tag, Tagged, asn1::AnyRef};

/// Deeper than any certificate, and shallow enough for any stack.
const MAX_DEPTH: u8 = 32;

/// What is wrong with the encoding.
pub(crate) type Fault = &'static str;

/// Checks that `bytes` are one value in DER: lengths minimal and definite, integers and booleans in
/// their one form, members of sets in order. The content of octet strings is not looked into.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Fault> {
    let value = AnyRef::from_der(bytes).map_err(|_| "not one value in DER")?;
    check_value(value, MAX_DEPTH)
}

fn check_value(value: AnyRef<'_>, depth: u8) -> Result<(), Fault> {
    let content = value.value();
    match value.tag() {
        Tag::Boolean if !matches!(content, [0x00 | 0xff]) => Err("a boolean is neither 00 nor FF"),
        Tag::Integer | Tag::Enumerated => check_integer(content),
        Tag::BitString => check_bit_string(content),
        Tag::Null if !content.is_empty() => Err("a NULL with content"),
        Tag::ObjectIdentifier => value
            .decode_as::<der::asn1::ObjectIdentifier>()
            .map(drop)
            .map_err(|_| "an object identifier that is not minimal"),
        tag if tag.is_constructed() => check_members(tag, content, depth),
        _ => Ok(()),
    }
}

fn check_members(tag: Tag, content: &[u8], depth: u8) -> Result<(), Fault> {
    let depth = depth.checked_sub(1).ok_or("nested too deep")?;
    let mut reader = SliceReader::new(content).map_err(|_| "too long")?;
    let mut last: &[u8] = &[];
    while !reader.is_finished() {
        let member = reader.tlv_bytes().map_err(|_| "a length that is not DER's")?;
        if tag == Tag::Set && member < last {
            return Err("a set out of order");
        }
        last = member;
        check_value(AnyRef::from_der(member).map_err(|_| "not a value in DER")?, depth)?;
    }
    Ok(())
}

fn check_integer(content: &[u8]) -> Result<(), Fault> {
    match content {
        [] => Err("an integer without content"),
        [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err("an integer that is not minimal"),
        _ => Ok(()),
    }
}

fn check_bit_string(content: &[u8]) -> Result<(), Fault> {
    match content {
        [0] => Ok(()),
        [unused @ 0..=7, .., last] if last.trailing_zeros() >= u32::from(*unused) => Ok(()),
        _ => Err("a bit string with unused bits that are not zero"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form() {
        for good in
            ["020100", "0202ff7f", "0101ff", "30060201010101 00", "3106020101020102", "030100"]
        {
            assert_eq!(check(&hex::decode(good.replace(' ', "")).unwrap()), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", "empty"),
            ("02020001", "zero in front"),
            ("0202ff80", "ones in front"),
            ("0200", "no content"),
            ("010101", "true is FF"),
            ("028101 01", "long form"),
            ("3080020101 0000", "indefinite"),
            ("30030201 0100", "trailing"),
            ("3004020101 02", "cut"),
            ("3106020102020101", "set out of order"),
            ("03020101", "unused bit set"),
            ("030108", "eight unused bits"),
            ("0603800103", "object identifier with padding"),
            ("050100", "NULL with content"),
        ] {
            assert!(check(&hex::decode(bad.replace(' ', "")).unwrap()).is_err(), "{why}");
        }
        let deep = (0..40).fold(vec![0x05, 0x00], |inner, _| {
            [&[0x30, inner.len() as u8], inner.as_slice()].concat()
        });
        assert!(check(&deep).is_err());
    }
}
