//! What devices take for a signature, a point, a ciphertext.

use der::{Decode, asn1::OctetStringRef};
use gmkit_sm2::{Ciphertext, PublicKey, Signature};

/// A signature in any form that devices give: r ‖ s, DER, and DER whose integers have lost the zero
/// byte that makes them positive, as some do. What leaves here is encoded anew.
pub(crate) fn signature(bytes: &[u8]) -> Option<Signature> {
    if let Some((r, s)) = sequence_of_two(bytes) {
        let mut raw = [0; 64];
        raw[..32].copy_from_slice(&unsigned(r)?);
        raw[32..].copy_from_slice(&unsigned(s)?);
        if let Ok(signature) = Signature::from_raw(&raw) {
            return Some(signature);
        }
    }
    Signature::from_raw(bytes).ok()
}

/// The contents of two INTEGERs in a SEQUENCE that fills all of `bytes`.
pub(crate) fn sequence_of_two(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x30, len, rest @ ..] = bytes else { return None };
    if usize::from(*len) != rest.len() || rest.len() > 127 {
        return None;
    }
    let (r, rest) = integer(rest)?;
    let (s, rest) = integer(rest)?;
    rest.is_empty().then_some((r, s))
}

fn integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x02, len, rest @ ..] = bytes else { return None };
    rest.split_at_checked(usize::from(*len))
}

/// An integer of 1 to 33 bytes, read as unsigned.
fn unsigned(bytes: &[u8]) -> Option<[u8; 32]> {
    let bytes = match bytes {
        [0, rest @ ..] if rest.len() == 32 => rest,
        bytes => bytes,
    };
    let mut value = [0; 32];
    let start = 32_usize.checked_sub(bytes.len())?;
    value[start..].copy_from_slice(bytes);
    (!bytes.is_empty()).then_some(value)
}

/// A point in any form that devices give: in an OCTET STRING, bare, or without its 04.
pub(crate) fn point(bytes: &[u8]) -> Option<PublicKey> {
    match bytes.len() {
        64 => PublicKey::from_sec1_bytes(&[&[4], bytes].concat()).ok(),
        // By the length first: 04 3f begins one bare point in 256, and an OCTET STRING of 63 bytes.
        33 | 65 => PublicKey::from_sec1_bytes(bytes).ok(),
        _ => {
            let inner = <&OctetStringRef>::from_der(bytes).ok()?.as_bytes();
            PublicKey::from_sec1_bytes(inner).ok()
        }
    }
}

/// Forms in which a device may want a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// 04 ‖ C1 ‖ C3 ‖ C2.
    C1C3C2,
    /// The same without 04.
    C1C3C2Bare,
    /// DER of GM/T 0009.
    Der,
    /// The old order, 04 ‖ C1 ‖ C2 ‖ C3.
    C1C2C3,
}

impl Layout {
    pub(crate) const ALL: [Self; 4] = [Self::C1C3C2, Self::Der, Self::C1C3C2Bare, Self::C1C2C3];

    pub(crate) fn write(self, ciphertext: &Ciphertext) -> Option<Vec<u8>> {
        match self {
            Self::C1C3C2 => Some(ciphertext.to_c1c3c2()),
            Self::C1C3C2Bare => Some(ciphertext.to_c1c3c2().split_off(1)),
            Self::Der => ciphertext.to_der().ok(),
            Self::C1C2C3 => Some(ciphertext.to_c1c2c3()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(r: u8, s: u8) -> [u8; 64] {
        let mut raw = [0x11; 64];
        raw[0] = r;
        raw[32] = s;
        raw
    }

    /// DER as a device writes it that forgets the zero byte in front of a high bit.
    fn broken_der(raw: &[u8; 64]) -> Vec<u8> {
        [&[0x30, 68, 2, 32], &raw[..32], &[2, 32], &raw[32..]].concat()
    }

    #[test]
    fn signatures_in_every_form() {
        for (r, s) in [(0x7f, 0x80), (0xf0, 0x01), (0, 0x55)] {
            let raw = raw(r, s);
            let expected = Signature::from_raw(&raw).unwrap();
            assert_eq!(signature(&raw), Some(expected));
            assert_eq!(signature(expected.to_der().as_bytes()), Some(expected));
            assert_eq!(signature(&broken_der(&raw)), Some(expected));
        }
        let raw = raw(1, 1);
        let der = broken_der(&raw);
        for bad in [&raw[..63], &der[..69], &[], &[0x30, 0], &[&der[..], &[0]].concat()] {
            assert_eq!(signature(bad), None);
        }
        let long = [&[0x30, 70, 2, 34, 0, 0], &raw[..32], &[2, 32], &raw[32..]].concat();
        assert_eq!(signature(&long), None);
        assert_eq!(signature(&[0; 64]), None, "r = 0");
    }

    #[test]
    fn points_in_every_form() {
        let mut looks_like_der = 0;
        for n in 1..2000_u32 {
            let mut scalar = [0; 32];
            scalar[28..].copy_from_slice(&n.to_be_bytes());
            let key = *gmkit_sm2::SecretKey::from_bytes(&scalar).unwrap().public_key();
            let bare = key.to_sec1_bytes();
            looks_like_der += u32::from(bare[1] == 63 || bare[1] == 4 && bare[2] == 62);
            let der = [&[4, 65], &bare[..]].concat();
            for form in [&bare[..], &bare[1..], &der, &key.to_compressed_bytes()] {
                assert_eq!(point(form), Some(key));
            }
        }
        assert!(looks_like_der > 0, "the trap was met");
        for bad in [&[][..], &[4, 0], &[0; 65], &[4, 2, 4, 0]] {
            assert_eq!(point(bad), None);
        }
    }

    /// A raw signature may begin like DER: the length decides, and then whether it is one.
    #[test]
    fn a_raw_signature_that_looks_like_der() {
        let mut raw = raw(0x30, 0x22);
        raw[1] = 62;
        assert_eq!(signature(&raw), Signature::from_raw(&raw).ok());
    }

    /// Signatures of a Sansec device over `hello chainmaker`, as ChainMaker's tests have recorded
    /// them: what the vendor's profile says of 8100 and 8103 does not come from us.
    #[test]
    fn recorded_signatures() {
        let key = "04fb0d63136159d1ddbb5154291a1839d166ecefdadcc7d324069d971b562cf08c\
                   ca80a82c0ec41e03acc2c4e60c83a4b86640850a6b7df3a705d4a1681830210b";
        let key = point(&hex::decode(key).unwrap()).unwrap();
        let message = b"hello chainmaker";
        // 0x80008100: r ‖ s, over SM3 of the message without Z.
        let raw = "02f59073676d87391323c58033607b1460867143bc7b2646b7b112aa3dfb54c4\
                   8d47545718b18167f7c09fe283030040de7feb6b5bcfda06011757973c81a8d3";
        let without_z = signature(&hex::decode(raw).unwrap()).unwrap();
        let e = gmkit_sm3::digest(&[message]);
        gmkit_sm2::hazmat::verify_e(&key, &e, &without_z).unwrap();
        assert!(key.verify(gmkit_sm2::Id::DEFAULT, message, &without_z).is_err());
        // 0x80008103: DER, with Z of the default ID; two of them have lost a zero byte.
        for (der, is_strict) in [
            (
                "30450220648f89660672bbca8fa8e878c09cdfdcfacaede9c58650acf6de9de127c456f7\
                 022100a8a4dbfd72872c8af78c028cb889cb6eebd0c9e8af02bc5ac8624a10e326fdbb",
                true,
            ),
            (
                "3044021feca4bf4fad8b925d385d40351250e208c399323a98e6397243cdbb20bc106e\
                 022100e7ed1c3d94f7b3fe065ee347cdaf6df60a23514f85f6e5b4b1ab9a129bfc2e27",
                false,
            ),
            (
                "3044022100b5715695cc79c5ea52e9db9ed817c01419b9a82013dda8f2c7adefecba4d39da\
                 021fc82615deaba0f015dcc69b517fcf2535b7269474d76442b6d31c1ab3e6366a",
                false,
            ),
        ] {
            let der = hex::decode(der).unwrap();
            assert_eq!(Signature::from_der(&der).is_ok(), is_strict);
            let signature = signature(&der).unwrap();
            key.verify(gmkit_sm2::Id::DEFAULT, message, &signature).unwrap();
            assert!(Signature::from_der(signature.to_der().as_bytes()).is_ok(), "strict again");
        }
    }
}
