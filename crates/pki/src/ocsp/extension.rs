//! The extensions of requests and responses: the nonce (RFC 9654) is the only one that is used.

use crate::{
    parts,
    strict::{self, Fault},
};

/// id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2, in DER.
const NONCE: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 2];

/// Extensions with a nonce and nothing else.
pub(super) fn with_nonce(nonce: &[u8]) -> Vec<u8> {
    let value = parts::tagged(der::Tag::OctetString, &[nonce]);
    let value = parts::tagged(der::Tag::OctetString, &[&value]);
    parts::sequence(&[&parts::sequence(&[NONCE, &value])])
}

/// The nonce among extensions. One that is critical and not known is an error, and so is a second nonce.
pub(super) fn nonce(extensions: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let mut found = None;
    for extension in parts::members(extensions)? {
        let fields = parts::members(extension)?;
        let (oid, critical, value) = match *fields {
            [oid, value] => (oid, false, value),
            [oid, [1, 1, critical], value] => (oid, *critical != 0, value),
            _ => return Err("not the fields of an extension"),
        };
        if oid != NONCE {
            if critical {
                return Err("a critical extension that is not understood");
            }
            continue;
        }
        let value = parts::content(value)?;
        strict::check(value)?;
        let nonce = parts::content(value)?.to_vec();
        if !(1..=128).contains(&nonce.len()) || found.replace(nonce).is_some() {
            return Err("a nonce that is not 1 to 128 bytes, or two");
        }
    }
    Ok(found)
}
