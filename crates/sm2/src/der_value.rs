//! The few DER values that SM2 needs, on the `der` crate's reader, with faults told apart.

use der::{Decode, Reader, SliceReader, Tag, Tagged, asn1::AnyRef};

use crate::{DerFault, Error};

/// Tag, length, sign byte and 32 bytes.
pub(crate) const MAX_INTEGER: usize = 35;

/// Reads one SEQUENCE that is all of `bytes`, its content with `content`, which must use it up.
pub(crate) fn read_sequence<'a, T>(
    bytes: &'a [u8],
    content: impl FnOnce(&mut SliceReader<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let outer = any(bytes, Tag::Sequence)?;
    let mut reader = SliceReader::new(outer.value())?;
    let value = content(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// One value of the given type that is all of `bytes`.
pub(crate) fn any(bytes: &[u8], tag: Tag) -> Result<AnyRef<'_>, Error> {
    expect(AnyRef::from_der(bytes)?, tag)
}

/// The next value, of the given type.
pub(crate) fn next<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Result<&'a [u8], Error> {
    Ok(expect(AnyRef::decode(reader)?, tag)?.value())
}

/// The next value if it has the given type.
pub(crate) fn optional<'a>(
    reader: &mut SliceReader<'a>,
    tag: Tag,
) -> Result<Option<&'a [u8]>, Error> {
    if !reader.is_finished() && Tag::peek(reader)? == tag {
        next(reader, tag).map(Some)
    } else {
        Ok(None)
    }
}

/// A positive INTEGER of at most 256 bits in its shortest form, as 32 big-endian bytes.
pub(crate) fn read_integer(reader: &mut SliceReader<'_>) -> Result<[u8; 32], Error> {
    let digits = match next(reader, Tag::Integer)? {
        [] => return Err(Error::Der(DerFault::IntegerSize)),
        [0x80..=0xff, ..] => return Err(Error::Der(DerFault::NegativeInteger)),
        [0, 0..0x80, ..] => return Err(Error::Der(DerFault::NonMinimalInteger)),
        [0] => &[],
        [0, digits @ ..] | digits => digits,
    };
    let mut out = [0; 32];
    let at = out.len().checked_sub(digits.len()).ok_or(Error::Der(DerFault::IntegerSize))?;
    out[at..].copy_from_slice(digits);
    Ok(out)
}

/// Writes a positive INTEGER in its shortest form and returns its length.
pub(crate) fn write_integer(value: &[u8; 32], out: &mut [u8]) -> usize {
    let leading = value.iter().take_while(|&&byte| byte == 0).count().min(31);
    let digits = &value[leading..];
    let sign = usize::from(digits[0] >= 0x80);
    let len = sign + digits.len();
    out[..2].copy_from_slice(&[0x02, len as u8]);
    out[2..2 + sign].fill(0);
    out[2 + sign..2 + len].copy_from_slice(digits);
    2 + len
}

fn expect(value: AnyRef<'_>, tag: Tag) -> Result<AnyRef<'_>, Error> {
    if value.tag() == tag { Ok(value) } else { Err(Error::Der(DerFault::Tag)) }
}
