//! Values taken apart and put together again, byte for byte.

use der::{Decode, Encode, Header, Length, Reader, SliceReader, Tag, asn1::AnyRef};

use crate::strict::Fault;

/// The members of a SEQUENCE, each with tag and length.
pub(crate) fn members(value: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    match value.first() {
        Some(0x30) => members_within(content(value)?),
        _ => Err("not a SEQUENCE where one should be"),
    }
}

/// The members in the content of a constructed value.
pub(crate) fn members_within(content: &[u8]) -> Result<Vec<&[u8]>, Fault> {
    let mut reader = SliceReader::new(content).map_err(|_| "too long")?;
    let mut members = Vec::new();
    while !reader.is_finished() {
        members.push(reader.tlv_bytes().map_err(|_| "a length that is not DER's")?);
    }
    Ok(members)
}

/// Content of a value.
pub(crate) fn content(value: &[u8]) -> Result<&[u8], Fault> {
    AnyRef::from_der(value).map(|any| any.value()).map_err(|_| "not one value in DER")
}

/// A SEQUENCE of encoded values.
pub(crate) fn sequence(members: &[&[u8]]) -> Vec<u8> {
    tagged(Tag::Sequence, members)
}

/// A value of any tag with encoded members, or raw content.
pub(crate) fn tagged(tag: Tag, members: &[&[u8]]) -> Vec<u8> {
    let len = members.iter().map(|member| member.len()).sum::<usize>();
    let len = Length::try_from(len).expect("what fits in memory here is far below 4 GiB");
    let mut out = Header::new(tag, len).to_der().expect("a header");
    members.iter().for_each(|member| out.extend_from_slice(member));
    out
}

/// Tag and length. Lengths of 64 bits are more than `der` has.
pub(crate) fn header(tag: u8, len: u64) -> Vec<u8> {
    let mut out = vec![tag];
    if len < 0x80 {
        out.push(len as u8);
        return out;
    }
    let bytes = len.to_be_bytes();
    let used = &bytes[(len.leading_zeros() / 8) as usize..];
    out.push(0x80 | used.len() as u8);
    out.extend_from_slice(used);
    out
}

/// A value of any tag, given by its byte, around encoded members.
pub(crate) fn wrap(tag: u8, members: &[&[u8]]) -> Vec<u8> {
    let mut out = header(tag, members.iter().map(|member| member.len() as u64).sum());
    members.iter().for_each(|member| out.extend_from_slice(member));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (len, bytes) in [
            (0, "0400"),
            (127, "047f"),
            (128, "048180"),
            (255, "0481ff"),
            (256, "04820100"),
            (u64::from(u32::MAX) + 1, "04850100000000"),
            (u64::MAX, "0488ffffffffffffffff"),
        ] {
            assert_eq!(hex::encode(header(4, len)), bytes);
        }
    }
}
