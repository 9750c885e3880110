//! Files: one value in DER, or PEM with any text between its blocks.

use rustls_pki_types::pem::PemObject;

use crate::{Error, Form};

const LINE: pem_rfc7468::LineEnding = pem_rfc7468::LineEnding::LF;

/// The values of one kind in a file. Blocks of other kinds are passed over, as a bundle may hold a key.
pub(crate) fn read<T: PemObject + AsRef<[u8]>>(
    bytes: &[u8],
    form: Form,
) -> Result<Vec<Vec<u8>>, Error> {
    if bytes.first() == Some(&0x30) {
        return Ok(vec![bytes.to_vec()]);
    }
    let blocks: Result<Vec<_>, _> =
        T::pem_slice_iter(bytes).map(|block| block.map(|block| block.as_ref().to_vec())).collect();
    match blocks {
        Ok(blocks) if blocks.is_empty() => Err(Error::NotFound(form)),
        Ok(blocks) => Ok(blocks),
        Err(_) => Err(Error::Pem),
    }
}

/// The only value of a kind in a file.
pub(crate) fn read_one<T: PemObject + AsRef<[u8]>>(
    bytes: &[u8],
    form: Form,
) -> Result<Vec<u8>, Error> {
    match <[_; 1]>::try_from(read::<T>(bytes, form)?) {
        Ok([one]) => Ok(one),
        Err(_) => Err(Error::Malformed { form, reason: "there are several in the file" }),
    }
}

/// The labels that a CMS message is met under.
const MESSAGES: [&str; 3] = ["CMS", "PKCS7", "PKCS #7 SIGNED DATA"];

/// The message in a file in PEM.
pub(crate) fn message(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    // Whitespace at the ends of lines, and after the message, is met.
    let text = std::str::from_utf8(bytes).map_err(|_| Error::Pem)?;
    let mut unpadded = String::with_capacity(text.len());
    text.lines().for_each(|line| unpadded.extend([line.trim_end(), "\n"]));
    match pem_rfc7468::decode_vec(unpadded.trim_end().as_bytes()) {
        Ok((label, der)) if MESSAGES.contains(&label) => Ok(der),
        Ok(_) => Err(Error::NotFound(Form::Message)),
        Err(_) => Err(Error::Pem),
    }
}

pub(crate) fn write(label: &str, der: &[u8]) -> String {
    pem_rfc7468::encode_string(label, LINE, der).expect("what fits in memory is below PEM's limit")
}
