//! HKDF with HMAC-SM3 (RFC 5869), for the key schedule.

use gmkit_sm3::Sm3;
use hmac::{Hmac, KeyInit, Mac};
use rustls::crypto::{
    hmac::Tag,
    tls13::{Hkdf, HkdfExpander, OkmBlock, OutputLengthError},
};
use zeroize::Zeroizing;

const LEN: usize = 32;

/// HKDF. rustls has one over any HMAC, whose PRK is left behind in memory; here it is wiped.
pub(crate) struct HkdfSm3;

fn mac(key: &[u8]) -> Hmac<Sm3> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// HMAC of parts, wiped when dropped.
fn tag(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; LEN]> {
    let mut mac = mac(key);
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

impl Hkdf for HkdfSm3 {
    fn extract_from_zero_ikm(&self, salt: Option<&[u8]>) -> Box<dyn HkdfExpander> {
        self.extract_from_secret(salt, &[0; LEN])
    }

    fn extract_from_secret(&self, salt: Option<&[u8]>, secret: &[u8]) -> Box<dyn HkdfExpander> {
        let prk = tag(salt.unwrap_or(&[0; LEN]), &[secret]);
        Box::new(Expander(mac(&*prk)))
    }

    fn expander_for_okm(&self, okm: &OkmBlock) -> Box<dyn HkdfExpander> {
        Box::new(Expander(mac(okm.as_ref())))
    }

    fn hmac_sign(&self, key: &OkmBlock, message: &[u8]) -> Tag {
        Tag::new(&*tag(key.as_ref(), &[message]))
    }
}

/// HMAC with the PRK as its key.
struct Expander(Hmac<Sm3>);

impl HkdfExpander for Expander {
    fn expand_slice(&self, info: &[&[u8]], output: &mut [u8]) -> Result<(), OutputLengthError> {
        if output.len() > 255 * LEN {
            return Err(OutputLengthError);
        }
        let mut block = Zeroizing::new([0; LEN]);
        for (n, chunk) in (1_u8..=255).zip(output.chunks_mut(LEN)) {
            let mut mac = self.0.clone();
            if n > 1 {
                mac.update(&*block);
            }
            info.iter().for_each(|part| mac.update(part));
            mac.update(&[n]);
            *block = mac.finalize().into_bytes().into();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }

    fn expand_block(&self, info: &[&[u8]]) -> OkmBlock {
        let mut block = Zeroizing::new([0; LEN]);
        self.expand_slice(info, &mut *block).expect("one block");
        OkmBlock::new(&*block)
    }

    fn hash_len(&self) -> usize {
        LEN
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::tls13::expand;

    use super::*;

    /// The same as the HKDF of the core crate, which is tested against others'.
    #[test]
    fn as_the_other_hkdf() {
        for (salt, secret, info, len) in [
            (&b"salt"[..], &b"secret"[..], &[&b"a"[..], b"bc"][..], 100),
            (b"", b"secret", &[], 32),
            (b"s", b"", &[b"info"], 31),
        ] {
            let mut expected = vec![0; len];
            let reference = gmkit_sm3::kdfs::Hkdf::new(Some(salt), secret);
            reference.expand(&info.concat(), &mut expected).unwrap();
            let mut output = vec![0; len];
            HkdfSm3
                .extract_from_secret(Some(salt), secret)
                .expand_slice(info, &mut output)
                .unwrap();
            assert_eq!(output, expected);
        }
        let expander = HkdfSm3.extract_from_zero_ikm(None);
        assert!(expander.expand_slice(&[], &mut vec![0; 255 * LEN]).is_ok());
        assert!(expander.expand_slice(&[], &mut vec![0; 255 * LEN + 1]).is_err());
        let block: [u8; LEN] = expand(&*expander, &[b"x"]);
        assert_eq!(expander.expand_block(&[b"x"]).as_ref(), block);
    }
}
