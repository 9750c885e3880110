//! What a client sends of a session.

use base64ct::{Base64UrlUnpadded, Encoding};
use gmkit_sm2::{Ciphertext, Id, PublicKey, Signature};

use crate::{Error, keys::check_name};

/// The format, and its version.
const MAGIC: &[u8; 4] = b"GMK1";

/// Longest offer, in bytes: names, a ciphertext of 16 bytes and a signature need 400.
const LONGEST: usize = 512;

const NOT_IN_THE_FORMAT: Error = Error::Malformed("the offer of its key is not in the format");

/// The signed part of it.
pub(super) struct Offer {
    /// When it was made, in milliseconds since 1970, UTC.
    pub(super) time: u64,
    pub(super) client: String,
    /// The name of the service's key.
    pub(super) service: String,
    pub(super) envelope: Ciphertext,
}

/// One that came: nobody has looked at its signature.
pub(super) struct Came {
    pub(super) offer: Offer,
    signed: Vec<u8>,
    signature: Signature,
    pub(super) name: String,
}

impl Offer {
    /// "GMK1" ‖ time, 8 bytes ‖ client and service, each behind a byte with its length ‖ SM2 ciphertext in DER, behind 2.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let envelope = self.envelope.to_der().map_err(|_| NOT_IN_THE_FORMAT)?;
        let mut bytes = [&MAGIC[..], &self.time.to_be_bytes()].concat();
        for name in [&self.client, &self.service] {
            bytes.push(u8::try_from(name.len()).map_err(|_| Error::KeyName)?);
            bytes.extend_from_slice(name.as_bytes());
        }
        let len = u16::try_from(envelope.len()).map_err(|_| NOT_IN_THE_FORMAT)?;
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(&envelope);
        Ok(bytes)
    }
}

/// What a client signs: "gmkit seal session 1" ‖ audience, behind its length in 4 bytes ‖ the offer.
pub(super) fn signed(audience: &str, offer: &[u8]) -> Vec<u8> {
    let len = (audience.len() as u32).to_be_bytes();
    [b"gmkit seal session 1", &len[..], audience.as_bytes(), offer].concat()
}

/// What heads of bodies call the key of an offer: `~` and half of the digest of what is signed, with the signature.
pub(super) fn name(signed: &[u8], signature: &[u8]) -> String {
    let digest = gmkit_sm3::digest(&[signed, signature]);
    format!("~{}", Base64UrlUnpadded::encode_string(&digest[..16]))
}

impl Came {
    /// From the header; the signature in DER stands behind the offer.
    pub(super) fn read(text: &str, audience: &str) -> Result<Self, Error> {
        if text.len() > LONGEST.div_ceil(3) * 4 {
            return Err(NOT_IN_THE_FORMAT);
        }
        let whole = Base64UrlUnpadded::decode_vec(text.trim()).map_err(|_| NOT_IN_THE_FORMAT)?;
        let (offer, signature) = Self::split(&whole).ok_or(NOT_IN_THE_FORMAT)?;
        let signed = signed(audience, &whole[..whole.len() - signature.len()]);
        let name = name(&signed, signature);
        let signature = Signature::from_der(signature).map_err(|_| NOT_IN_THE_FORMAT)?;
        Ok(Self { offer, signed, signature, name })
    }

    fn split(whole: &[u8]) -> Option<(Offer, &[u8])> {
        let rest = whole.strip_prefix(MAGIC)?;
        let (time, rest) = rest.split_first_chunk()?;
        let (client, rest) = text(rest)?;
        let (service, rest) = text(rest)?;
        let (len, rest) = rest.split_first_chunk()?;
        let (envelope, signature) = rest.split_at_checked(u16::from_be_bytes(*len).into())?;
        let envelope = Ciphertext::from_der(envelope).ok()?;
        Some((Offer { time: u64::from_be_bytes(*time), client, service, envelope }, signature))
    }

    /// Whether this client has made it, for this audience.
    pub(super) fn verify(&self, key: &PublicKey) -> Result<(), Error> {
        key.verify(Id::DEFAULT, &self.signed, &self.signature).map_err(|_| Error::Rejected)
    }
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (len, rest) = bytes.split_first()?;
    let (own, rest) = rest.split_at_checked(usize::from(*len))?;
    let own = std::str::from_utf8(own).ok().filter(|own| check_name(own).is_ok())?;
    Some((own.to_owned(), rest))
}
