//! Every single-bit change of what an authenticated mode is given to open is refused.

use gmkit_sm4::{Error, Sm4, ccm::Ccm, gcm::Gcm, gcm_siv::GcmSiv, hazmat, wrap::KeyWrap};

/// Sizes of each part: nothing, one byte, a whole block, two blocks and a piece.
const SIZES: [usize; 4] = [0, 1, 16, 37];

#[derive(Clone, PartialEq)]
struct Sealed {
    nonce: Vec<u8>,
    aad: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl Sealed {
    fn parts(&mut self) -> [&mut Vec<u8>; 4] {
        [&mut self.nonce, &mut self.aad, &mut self.ciphertext, &mut self.tag]
    }
}

/// Seals with `seal`, then opens it as it is, and with every single bit changed. A refusal leaves
/// nothing of the plaintext in the buffer.
fn every_bit(
    nonce_len: usize,
    seal: impl Fn(&[u8], &[u8], &mut [u8]) -> Vec<u8>,
    open: impl Fn(&[u8], &[u8], &mut [u8], &[u8]) -> Result<(), Error>,
) {
    for (aad_len, len) in SIZES.iter().flat_map(|aad| SIZES.map(|len| (*aad, len))) {
        let plaintext: Vec<u8> = (0..len).map(|i| i as u8 ^ 0x5a).collect();
        let mut good = Sealed {
            nonce: (1..=nonce_len).map(|i| i as u8).collect(),
            aad: vec![0xad; aad_len],
            ciphertext: plaintext.clone(),
            tag: Vec::new(),
        };
        good.tag = seal(&good.nonce, &good.aad, &mut good.ciphertext);
        let open = |sealed: &Sealed| {
            let mut buffer = sealed.ciphertext.clone();
            let opened = open(&sealed.nonce, &sealed.aad, &mut buffer, &sealed.tag);
            (opened, buffer)
        };
        assert!(open(&good) == (Ok(()), plaintext));
        for part in 0..4 {
            for bit in 0..8 * good.clone().parts()[part].len() {
                let mut forged = good.clone();
                forged.parts()[part][bit / 8] ^= 1 << (bit % 8);
                let (opened, buffer) = open(&forged);
                assert_eq!(opened, Err(Error::Rejected), "part {part}, bit {bit}");
                assert!(buffer == forged.ciphertext || buffer.iter().all(|byte| *byte == 0));
            }
        }
    }
}

#[test]
fn gcm() {
    let gcm = Gcm::new(&[7; 16]);
    for nonce_len in [12, 1, 16, 29] {
        every_bit(
            nonce_len,
            |nonce, aad, buffer| gcm.seal(nonce, aad, buffer).unwrap().to_vec(),
            |nonce, aad, buffer, tag| gcm.open(nonce, aad, buffer, tag),
        );
    }
}

#[test]
fn ccm() {
    let of_every_tag = [
        hazmat::ccm_short_tag(&[7; 16], 4).unwrap(),
        hazmat::ccm_short_tag(&[7; 16], 8).unwrap(),
        Ccm::with_tag_len(&[7; 16], 12).unwrap(),
        Ccm::new(&[7; 16]),
    ];
    for ccm in of_every_tag {
        for nonce_len in [7, 12, 13] {
            every_bit(
                nonce_len,
                |nonce, aad, buffer| ccm.seal(nonce, aad, buffer).unwrap().as_bytes().to_vec(),
                |nonce, aad, buffer, tag| ccm.open(nonce, aad, buffer, tag),
            );
        }
    }
}

#[test]
fn gcm_siv() {
    let siv = GcmSiv::new(&[7; 16]);
    let nonce = |nonce: &[u8]| <[u8; 12]>::try_from(nonce).unwrap();
    let tag_of = |tag: &[u8]| <[u8; 16]>::try_from(tag).unwrap();
    every_bit(
        12,
        |n, aad, buffer| siv.seal(&nonce(n), aad, buffer).unwrap().to_vec(),
        |n, aad, buffer, tag| siv.open(&nonce(n), aad, buffer, &tag_of(tag)),
    );
}

#[test]
fn key_wrap() {
    let kek = KeyWrap::new(&[7; 16]);
    for len in [16, 24, 32, 48] {
        let (mut wrapped, mut out) = ([0; 64], [0; 64]);
        let wrapped = kek.wrap(&vec![0x5a; len], &mut wrapped).unwrap();
        assert!(kek.unwrap(wrapped, &mut out).unwrap() == vec![0x5a; len]);
        each_changed_bit(wrapped, |forged| {
            refused_and_wiped(forged.len() - 8, |out| kek.unwrap(forged, out).err());
        });
    }
}

#[test]
fn padded_key_wrap() {
    let kek = KeyWrap::new(&[7; 16]);
    for len in [1, 7, 8, 9, 16, 33] {
        let (mut wrapped, mut out) = ([0; 64], [0; 64]);
        let wrapped = kek.wrap_padded(&vec![0x5a; len], &mut wrapped).unwrap();
        assert!(kek.unwrap_padded(wrapped, &mut out).unwrap() == vec![0x5a; len]);
        each_changed_bit(wrapped, |forged| {
            refused_and_wiped(forged.len() - 8, |out| kek.unwrap_padded(forged, out).err());
        });
    }
}

/// Made with the right key, and still not what RFC 5649 makes: a length or a padding that is wrong.
#[test]
fn padded_key_wrap_with_the_right_key() {
    let (kek, cipher) = (KeyWrap::new(&[7; 16]), Sm4::new(&[7; 16]));
    let with = |prefix: [u8; 4], mli: u32, key: [u8; 8]| {
        let mut block = [[0; 16]];
        block[0][..4].copy_from_slice(&prefix);
        block[0][4..8].copy_from_slice(&mli.to_be_bytes());
        block[0][8..].copy_from_slice(&key);
        hazmat::ecb_encrypt(&cipher, &mut block);
        let mut out = [0xee; 8];
        let unwrapped = kek.unwrap_padded(&block[0], &mut out).map(<[u8]>::to_vec);
        assert!(unwrapped.is_ok() || out == [0; 8]);
        unwrapped
    };
    const PREFIX: [u8; 4] = [0xa6, 0x59, 0x59, 0xa6];
    let good = [1, 2, 3, 0, 0, 0, 0, 0];
    for mli in (0..20).chain([256, 1 << 24, u32::MAX, u32::MAX - 7]) {
        let want = if (3..=8).contains(&mli) {
            Ok(good[..mli as usize].to_vec())
        } else {
            Err(Error::Rejected)
        };
        assert_eq!(with(PREFIX, mli, good), want, "{mli}");
    }
    for at in 3..8 {
        let mut bad = good;
        bad[at] = 0x80;
        assert_eq!(with(PREFIX, 3, bad), Err(Error::Rejected), "{at}");
    }
    assert_eq!(with([0xa6, 0x59, 0x59, 0xa7], 8, good), Err(Error::Rejected));
}

/// What was written before the refusal is zero again; what lies behind it was never touched.
fn refused_and_wiped(written: usize, unwrap: impl Fn(&mut [u8]) -> Option<Error>) {
    let mut out = [0xee; 64];
    assert_eq!(unwrap(&mut out), Some(Error::Rejected));
    assert!(out[..written].iter().all(|byte| *byte == 0));
    assert!(out[written..].iter().all(|byte| *byte == 0xee));
}

fn each_changed_bit(good: &[u8], check: impl Fn(&[u8])) {
    for bit in 0..8 * good.len() {
        let mut forged = good.to_vec();
        forged[bit / 8] ^= 1 << (bit % 8);
        check(&forged);
    }
}
