//! Time stamps of signatures (RFC 3161): a signed message whose content names a hash and a time.

use der::asn1::ObjectIdentifier;
use sha2::{Digest, Sha256};

use super::{
    attributes::{SHA256, SM3, attribute, octets},
    kind,
    policy::Policy,
    signed_reader::SignedReader,
    signer_info::SignerInfo,
    verdict::{Refusal, TimeStamp, Trusted},
    verify::Stamped,
};
use crate::{
    parse_rfc3339, parts,
    strict::{self, Fault},
};

const TIME_STAMP_TOKEN: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.14");

const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

/// More than any TSTInfo has.
const MAX_INFO: usize = 1 << 16;

/// Time stamps that are looked at; each costs as much as a signer.
const MAX_STAMPS: usize = 4;

/// The time stamps of a signature.
pub(super) fn all(info: &SignerInfo, policy: &Policy) -> Vec<Stamped> {
    let tokens = info.unsigned.iter().filter_map(|der| match attribute(der) {
        Ok((TIME_STAMP_TOKEN, values)) => Some(values),
        _ => None,
    });
    let tokens = tokens.flatten().take(MAX_STAMPS);
    tokens.map(|token| check(token, &info.signature, policy)).collect()
}

fn check(token: &[u8], signature: &[u8], policy: &Policy) -> Stamped {
    let fault = |reason| move |_| Refusal::TimeStamp(reason);
    let verifier = policy.time_stamp_verifier().ok_or(Refusal::NoTimeAuthority)?;
    let unreadable = "not a signed message";
    let mut reader = SignedReader::new(token).map_err(fault(unreadable))?;
    let mut content = vec![0; MAX_INFO];
    let mut len = 0;
    while len < MAX_INFO {
        match reader.read(&mut content[len..]).map_err(fault(unreadable))? {
            0 => break,
            n => len += n,
        }
    }
    let (message, digest) = reader.finish().map_err(fault(unreadable))?;
    if message.content_type != TST_INFO || !message.is_attached() {
        return Err(Refusal::TimeStamp("it does not hold a time"));
    }
    let [SignerInfo { attributes: Some(Ok(attributes)), .. }] = &message.signers[..] else {
        return Err(Refusal::TimeStamp("it does not have one signer who has signed attributes"));
    };
    if attributes.certificates.is_empty() {
        return Err(Refusal::TimeStamp("its signer does not name a certificate"));
    }
    let time = time_of(&content[..len], signature).map_err(Refusal::TimeStamp)?;
    // The authority's own attributes may hold stamps, too: those are not looked at.
    let own = Policy::for_time_stamps(verifier.clone());
    let signer = message.verify(&digest, &own).signers.pop();
    match signer.ok_or(Refusal::TimeStamp("nobody has signed it"))?.verdict? {
        Trusted::Chain(chain) if chain.certificates[0].validity().contains(time) => {
            Ok(TimeStamp { time, chain })
        }
        _ => Err(Refusal::TimeStamp("its time is not within its signer's certificate's")),
    }
}

/// genTime, if messageImprint is of the signature.
fn time_of(info: &[u8], signature: &[u8]) -> Result<i64, Fault> {
    strict::check(info)?;
    let members = parts::members(info)?;
    let [version, _policy, imprint, _serial, time, ..] = *members else {
        return Err("not the fields of a time stamp");
    };
    if version != [2, 1, 1] {
        return Err("not of version 1");
    }
    let [algorithm, hash] = *parts::members(imprint)? else {
        return Err("not a hash and its algorithm");
    };
    let hash = octets(hash)?;
    let same = match kind::algorithm(algorithm)?.0 {
        SM3 => hash == gmkit_sm3::digest(&[signature]),
        SHA256 => hash == Sha256::digest(signature).as_slice(),
        _ => return Err("its hash is neither SM3 nor SHA-256"),
    };
    if !same {
        return Err("it is about another signature");
    }
    match time {
        [0x18, ..] => generalized(parts::content(time)?).ok_or("its time is not one"),
        _ => Err("its time is not one"),
    }
}

/// GeneralizedTime with or without parts of a second, which are dropped.
fn generalized(content: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let (date, time) = whole.split_at(8);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    parse_rfc3339(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_parts_of_a_second() {
        assert_eq!(generalized(b"20261122080000Z"), Some(1_795_334_400));
        assert_eq!(generalized(b"20261122080000.25Z"), Some(1_795_334_400));
        for text in
            ["", "Z", "2026112208000Z", "20261122080000", "20261322080000Z", "20261122080000.Z"]
        {
            assert_eq!(generalized(text.as_bytes()), None, "{text}");
        }
    }
}
