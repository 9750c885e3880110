//! PEM files as they occur: text before and between the blocks, several blocks in a file.

use zeroize::Zeroizing;

use crate::Error;

const BEGIN: &[u8] = b"-----BEGIN ";

/// Whether a file is text with a PEM block rather than DER.
pub(crate) fn looks_like_pem(bytes: &[u8]) -> bool {
    find(bytes, BEGIN).is_some()
}

/// Label and content of the first block whose label is not among `skipped`.
pub(crate) fn first_other_than(
    bytes: &[u8],
    skipped: &[&str],
) -> Result<(String, Zeroizing<Vec<u8>>), Error> {
    let mut rest = bytes;
    while let Some(at) = find(rest, BEGIN) {
        let (block, after) = block(&rest[at..])?;
        let label = pem_rfc7468::decode_label(block).map_err(Error::Pem)?;
        if !skipped.contains(&label) {
            return Ok((label.to_owned(), content(block)?));
        }
        rest = after;
    }
    Err(Error::NotAKey)
}

/// Splits behind the line of the first block's end.
fn block(bytes: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let end = find(bytes, b"-----END ")
        .ok_or(Error::Pem(pem_rfc7468::Error::PostEncapsulationBoundary))?;
    let line = bytes[end..].iter().position(|&byte| byte == b'\n');
    Ok(bytes.split_at(line.map_or(bytes.len(), |line| end + line + 1)))
}

fn content(block: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut decoder = pem_rfc7468::Decoder::new_detect_wrap(block).map_err(Error::Pem)?;
    let mut content = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
    decoder.decode_to_end(&mut content).map_err(Error::Pem)?;
    Ok(content)
}

pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let pem = pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der);
    Zeroizing::new(pem.expect("a key is far below the size limit of PEM"))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
