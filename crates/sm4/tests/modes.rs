//! Modes against published values, RustCrypto's generic modes, and themselves in pieces.

use cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit,
    StreamCipher, block_padding::Pkcs7,
};
use gmkit_sm4::{
    Error, Sm4, cbc,
    ccm::Ccm,
    ctr::Ctr,
    gcm::{Gcm, Opener, Sealer, Sm4Gcm},
    hazmat,
    xts::{MAX_DATA_UNIT, Xts},
};
use proptest::prelude::*;

fn hex<const N: usize>(s: &str) -> [u8; N] {
    core::array::from_fn(|i| u8::from_str_radix(&s[2 * i..2 * i + 2], 16).unwrap())
}

const K: &str = "0123456789abcdeffedcba9876543210";

#[test]
fn gbt_32907_annex_a() {
    let key = hex::<16>(K);
    let cipher = Sm4::new(&key);
    let mut block = key.into();
    cipher.encrypt_block(&mut block);
    assert_eq!(block.0, hex("681edf34d206965e86b3e94f536e4246"));
    cipher.decrypt_block(&mut block);
    assert_eq!(block.0, key);
}

#[test]
fn ccm_limits_follow_the_nonce() {
    let ccm = Ccm::new(&hex(K));
    let mut longest = vec![7; 65_535];
    let tag = ccm.seal(&[0; 13], b"", &mut longest).unwrap();
    ccm.open(&[0; 13], b"", &mut longest, tag.as_bytes()).unwrap();
    assert_eq!(longest, [7; 65_535]);
    let mut longer = vec![7; 65_536];
    assert_eq!(ccm.seal(&[0; 13], b"", &mut longer).err(), Some(Error::MessageTooLong));
    assert_eq!(longer, [7; 65_536]);
    ccm.seal(&[0; 12], b"", &mut longer).unwrap();
}

#[test]
fn ccm_tag_lengths() {
    for len in 0..20 {
        let strong = Ccm::with_tag_len(&hex(K), len).is_ok();
        let weak = hazmat::ccm_short_tag(&hex(K), len).is_ok();
        assert_eq!(strong, [12, 14, 16].contains(&len), "{len}");
        assert_eq!(weak, [4, 6, 8, 10].contains(&len), "{len}");
    }
}

#[test]
fn xts_limits() {
    let key = core::array::from_fn(|i| i as u8);
    let xts = Xts::gb(&key).unwrap();
    let mut unit = vec![1; MAX_DATA_UNIT + 1];
    assert_eq!(xts.encrypt(&[0; 16], &mut unit), Err(Error::DataUnitLength));
    assert!(unit.iter().all(|byte| *byte == 1));
    xts.encrypt(&[0; 16], &mut unit[1..]).unwrap();
    assert_eq!(Xts::ieee(&[9; 32]).err(), Some(Error::EqualKeys));
}

#[test]
fn buffers_of_different_lengths_are_refused() {
    let (key, mut out) = (hex::<16>(K), [0; 9]);
    assert_eq!(
        Gcm::new(&key).seal_to(&[0; 12], b"", &[1; 8], &mut out),
        Err(Error::OutputTooSmall)
    );
    let ccm = Ccm::new(&key).seal_to(&[0; 12], b"", &[1; 8], &mut out);
    assert_eq!(ccm.err(), Some(Error::OutputTooSmall));
    let ctr = Ctr::new(&key, &[0; 16]).apply_keystream_to(&[1; 8], &mut out);
    assert_eq!(ctr, Err(Error::OutputTooSmall));
    assert_eq!(out, [0; 9]);
}

#[test]
fn rfc_8998_gcm() {
    let gcm = Gcm::new(&hex(K));
    let nonce = hex::<12>("00001234567800000000abcd");
    let aad = hex::<20>("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let plain: [u8; 64] = core::array::from_fn(|i| b"\xaa\xbb\xcc\xdd\xee\xff\xee\xaa"[i / 8]);
    let mut data = plain;
    let tag = gcm.seal(&nonce, &aad, &mut data).unwrap();
    assert_eq!(data[..16], hex::<16>("17f399f08c67d5ee19d0dc9969c4bb7d"));
    assert_eq!(tag, hex("83de3541e4c2b58177e065a9bf7b62ec"));
    gcm.open(&nonce, &aad, &mut data, &tag).unwrap();
    assert_eq!(data, plain);
}

#[test]
fn gcm_open_leaves_the_ciphertext_alone_when_it_rejects() {
    let gcm = Gcm::new(&[1; 16]);
    let mut data = *b"some plaintext";
    let mut tag = gcm.seal(&[9; 12], b"", &mut data).unwrap();
    let sealed = data;
    for bit in 0..128 {
        tag[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(gcm.open(&[9; 12], b"", &mut data, &tag), Err(Error::Rejected));
        assert_eq!(data, sealed);
        tag[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn gcm_nonce_and_tag_lengths() {
    let gcm = Gcm::new(&[1; 16]);
    assert_eq!(gcm.seal(b"", b"", &mut []), Err(Error::NonceLength));
    assert_eq!(gcm.open(b"", b"", &mut [], &[0; 16]), Err(Error::NonceLength));
    let tag = gcm.seal(b"n", b"", &mut []).unwrap();
    for len in 0..=20 {
        let mut given = [0; 20];
        given[..16].copy_from_slice(&tag);
        let want = if (12..=16).contains(&len) { Ok(()) } else { Err(Error::TagLength) };
        assert_eq!(gcm.open(b"n", b"", &mut [], &given[..len]), want);
        let want = if (4..=16).contains(&len) { Ok(()) } else { Err(Error::TagLength) };
        assert_eq!(
            hazmat::gcm_open_short_tag(&gcm, b"n", b"", &mut [], &given[..len]),
            want,
            "{len}"
        );
    }
    given_wrong_short_tag_is_rejected(&gcm, tag);
}

fn given_wrong_short_tag_is_rejected(gcm: &Gcm, mut tag: [u8; 16]) {
    tag[0] ^= 1;
    assert_eq!(
        hazmat::gcm_open_short_tag(gcm, b"n", b"", &mut [], &tag[..4]),
        Err(Error::Rejected)
    );
}

/// Long enough for the kernels, which count with 32 bits: the carry into the words above is not theirs.
#[test]
fn ctr_counter_wraps_at_32_and_128_bits_as_rustcrypto() {
    for before in 0..80_u32 {
        let mut wraps_at_32 = [0x5a; 16];
        wraps_at_32[12..].copy_from_slice(&(u32::MAX - before).to_be_bytes());
        let mut wraps_at_128 = [0xff; 16];
        wraps_at_128[12..].copy_from_slice(&(u32::MAX - before).to_be_bytes());
        for iv in [wraps_at_32, wraps_at_128] {
            let (mut ours, mut theirs) = ([0; 2500], [0; 2500]);
            Ctr::new(&[3; 16], &iv).apply_keystream(&mut ours);
            ctr::Ctr128BE::<rc_sm4::Sm4>::new(&[3; 16].into(), &iv.into())
                .apply_keystream(&mut theirs);
            assert!(ours == theirs, "{before} blocks before the wrap of {iv:?}");
        }
    }
}

#[test]
fn gcm_counter_wraps_at_32_bits() {
    // With this nonce length J0 is a hash, so find a nonce whose counter is about to wrap: the
    // streaming and one-shot paths must agree across it, and so must RustCrypto's CTR32.
    let gcm = Gcm::new(&[5; 16]);
    let cipher = Sm4::new(&[5; 16]);
    let mut h = [[0; 16]];
    hazmat::ecb_encrypt(&cipher, &mut h);
    let (nonce, j0) = (0u64..)
        .map(|n| n.to_be_bytes())
        .map(|nonce| (nonce, reference_j0(&h[0], &nonce)))
        .find(|(_, j0)| j0[12..14] == [0xff, 0xff])
        .unwrap();
    let mut ours = vec![0; 0x1_0010 * 16];
    gcm.seal(&nonce, b"", &mut ours).unwrap();
    let mut theirs = vec![0; ours.len() + 16];
    ctr::Ctr32BE::<rc_sm4::Sm4>::new(&[5; 16].into(), &j0.into()).apply_keystream(&mut theirs);
    assert_eq!(ours, theirs[16..]);
}

fn reference_j0(h: &[u8; 16], nonce: &[u8; 8]) -> [u8; 16] {
    use ghash::{GHash, universal_hash::UniversalHash};
    let mut hash = GHash::new(h.into());
    let mut block = [0; 16];
    block[..8].copy_from_slice(nonce);
    hash.update(&[block.into()]);
    hash.update(&[(64u128).to_be_bytes().into()]);
    hash.finalize().into()
}

#[test]
fn cbc_rejects_bad_padding_and_lengths() {
    let (key, iv) = ([1; 16], [2; 16]);
    for len in [0, 1, 15, 17, 31] {
        assert_eq!(cbc::decrypt(&key, &iv, &vec![0; len]), Err(Error::Rejected), "{len}");
    }
    // Every possible last block content: 00, 11 (17) and above, and inconsistent runs.
    let encrypt_raw = |mut block: [u8; 16]| {
        block.iter_mut().zip(iv).for_each(|(b, v)| *b ^= v);
        let mut blocks = [block];
        hazmat::ecb_encrypt(&Sm4::new(&key), &mut blocks);
        blocks[0]
    };
    for pad in 0..=255u8 {
        let got = cbc::decrypt(&key, &iv, &encrypt_raw([pad; 16]));
        if (1..=16).contains(&pad) {
            assert_eq!(got.unwrap().len(), 16 - usize::from(pad));
        } else {
            assert_eq!(got, Err(Error::Rejected));
        }
    }
    for pad in 2..=16usize {
        for wrong in 16 - pad..15 {
            let mut block = [0xaa; 16];
            block[16 - pad..].fill(pad as u8);
            block[wrong] ^= 0x80;
            assert_eq!(cbc::decrypt(&key, &iv, &encrypt_raw(block)), Err(Error::Rejected));
        }
    }
}

#[test]
fn cbc_output_too_small_writes_nothing() {
    let mut enc = cbc::Encryptor::new(&[1; 16], &[2; 16]);
    let mut out = [7; 20];
    assert_eq!(enc.update(&[0; 32], &mut out), Err(Error::OutputTooSmall));
    assert_eq!(out, [7; 20]);
    // The refused input was not taken in.
    assert_eq!(enc.update(&[0; 15], &mut out), Ok(0));
    assert_eq!(enc.update(&[0; 1], &mut out), Ok(16));
    let mut out = [7; 20];
    let mut dec = cbc::Decryptor::new(&[1; 16], &[2; 16]);
    assert_eq!(dec.update(&[0; 33], &mut out), Err(Error::OutputTooSmall));
    assert_eq!(dec.update(&[0; 16], &mut out), Ok(0));
    assert_eq!(out, [7; 20]);
}

#[test]
fn cbc_keeps_every_byte_whatever_the_pieces() {
    // Found in review: with 15 bytes pending and two more coming in, one was lost.
    for first in 0..=33usize {
        for second in 0..=33usize {
            let plain: Vec<u8> = (0..(first + second) as u8).collect();
            let (key, iv) = ([1; 16], [2; 16]);
            let mut enc = cbc::Encryptor::new(&key, &iv);
            let mut sealed = Vec::new();
            for piece in [&plain[..first], &plain[first..]] {
                let mut buffer = vec![0; piece.len() + 15];
                let n = enc.update(piece, &mut buffer).unwrap();
                sealed.extend_from_slice(&buffer[..n]);
            }
            let mut buffer = [0; 16];
            let n = enc.finish(&mut buffer).unwrap();
            sealed.extend_from_slice(&buffer[..n]);
            assert_eq!(sealed, cbc::encrypt(&key, &iv, &plain), "{first} + {second}");
            assert_eq!(cbc::decrypt(&key, &iv, &sealed).unwrap(), plain);
        }
    }
}

/// Cuts `data` at the given places.
fn pieces<'a>(data: &'a mut [u8], cuts: &[u16]) -> Vec<&'a mut [u8]> {
    let mut out = Vec::new();
    let mut rest = data;
    for &cut in cuts {
        let at = usize::from(cut) % (rest.len() + 1);
        let (head, tail) = rest.split_at_mut(at);
        out.push(head);
        rest = tail;
    }
    out.push(rest);
    out
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    // Around the batch of 64 blocks as well as short ones.
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        prop::collection::vec(any::<u8>(), 900..2200)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn blocks_equal_rustcrypto(key: [u8; 16], count in 0usize..200, seed: u8) {
        let plain: Vec<[u8; 16]> =
            (0..count).map(|n| core::array::from_fn(|i| (n * 31 + i * 7) as u8 ^ seed)).collect();
        let mut ours: Vec<_> = plain.iter().map(|b| (*b).into()).collect();
        let mut theirs = ours.clone();
        let (a, b) = (Sm4::new(&key), <rc_sm4::Sm4 as KeyInit>::new(&key.into()));
        a.encrypt_blocks(&mut ours);
        b.encrypt_blocks(&mut theirs);
        prop_assert_eq!(&ours, &theirs);
        a.decrypt_blocks(&mut ours);
        prop_assert!(ours.iter().map(|b| b.0).eq(plain));
    }

    #[test]
    fn ctr_in_pieces_equals_rustcrypto(key: [u8; 16], iv: [u8; 16], data in message(), cuts: [u16; 4]) {
        let mut ours = data.clone();
        let mut ctr = Ctr::new(&key, &iv);
        for piece in pieces(&mut ours, &cuts) {
            ctr.apply_keystream(piece);
        }
        let mut theirs = data;
        ctr::Ctr128BE::<rc_sm4::Sm4>::new(&key.into(), &iv.into()).apply_keystream(&mut theirs);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn cbc_in_pieces_equals_rustcrypto(key: [u8; 16], iv: [u8; 16], mut data in message(), cuts: [u16; 4]) {
        let theirs = ::cbc::Encryptor::<rc_sm4::Sm4>::new(&key.into(), &iv.into())
            .encrypt_padded_vec::<Pkcs7>(&data);
        let plain = data.clone();
        let mut ours = Vec::new();
        let mut enc = cbc::Encryptor::new(&key, &iv);

        for piece in pieces(&mut data, &cuts) {
            // Exactly the room that is promised to be enough: one byte less loses data.
            let mut buffer = vec![0; piece.len() + 15];
            let n = enc.update(piece, &mut buffer).unwrap();
            ours.extend_from_slice(&buffer[..n]);
        }
        let mut buffer = [0; 16];
        let n = enc.finish(&mut buffer).unwrap();
        ours.extend_from_slice(&buffer[..n]);
        prop_assert_eq!(&ours, &theirs);
        prop_assert_eq!(&cbc::encrypt(&key, &iv, &plain), &theirs);
        prop_assert_eq!(
            ::cbc::Decryptor::<Sm4>::new(&key.into(), &iv.into()).decrypt_padded_vec::<Pkcs7>(&ours).unwrap(),
            plain.clone()
        );

        let mut back = Vec::new();
        let mut dec = cbc::Decryptor::new(&key, &iv);

        for piece in pieces(&mut ours, &cuts) {
            let mut buffer = vec![0; piece.len() + 15];
            let n = dec.update(piece, &mut buffer).unwrap();
            back.extend_from_slice(&buffer[..n]);
        }
        let mut buffer = [0; 16];
        let n = dec.finish(&mut buffer).unwrap();
        back.extend_from_slice(&buffer[..n]);
        prop_assert_eq!(back, plain);
    }

    #[test]
    fn ghash_equals_rustcrypto(key: [u8; 16], nonce in prop::collection::vec(any::<u8>(), 1..40),
                               aad in prop::collection::vec(any::<u8>(), 0..70), data in message()) {
        use ghash::{GHash, universal_hash::UniversalHash};
        let mut sealed = data.clone();
        let tag = Gcm::new(&key).seal(&nonce, &aad, &mut sealed).unwrap();

        let cipher = Sm4::new(&key);
        let mut h = [[0; 16]];
        hazmat::ecb_encrypt(&cipher, &mut h);
        let hash = |parts: &[&[u8]], lengths: u128| -> [u8; 16] {
            let mut hash = GHash::new((&h[0]).into());
            parts.iter().for_each(|part| hash.update_padded(part));
            hash.update(&[lengths.to_be_bytes().into()]);
            hash.finalize().into()
        };
        let j0 = match <[u8; 12]>::try_from(&nonce[..]) {
            Ok(n) => core::array::from_fn(|i| if i < 12 { n[i] } else { u8::from(i == 15) }),
            Err(_) => hash(&[&nonce], nonce.len() as u128 * 8),
        };
        let mut mask = [0; 16];
        let mut stream = ctr::Ctr32BE::<rc_sm4::Sm4>::new(&key.into(), &j0.into());
        stream.apply_keystream(&mut mask);
        let mut want = data;
        stream.apply_keystream(&mut want);
        prop_assert_eq!(&sealed, &want);
        let mut want = hash(&[&aad, &sealed], (aad.len() as u128) << 67 | (sealed.len() as u128) << 3);
        want.iter_mut().zip(mask).for_each(|(w, m)| *w ^= m);
        prop_assert_eq!(tag, want);
    }

    #[test]
    fn gcm_in_pieces_equals_one_call(key: [u8; 16], nonce: [u8; 12], data in message(), cuts: [u16; 4]) {
        let gcm = Gcm::new(&key);
        let mut whole = data.clone();
        let tag = gcm.seal(&nonce, b"aad", &mut whole).unwrap();
        let mut parts = data.clone();
        let mut sealer = Sealer::new(&gcm, &nonce, b"aad").unwrap();
        for piece in pieces(&mut parts, &cuts) {
            sealer.update(piece).unwrap();
        }
        prop_assert_eq!(sealer.finish(), tag);
        prop_assert_eq!(&parts, &whole);

        let mut opener = Opener::new(&gcm, &nonce, b"aad").unwrap();
        for piece in pieces(&mut parts, &cuts) {
            opener.update_unverified(piece).unwrap();
        }
        opener.finish(&tag[..12]).unwrap();
        prop_assert_eq!(parts, data);
    }

    #[test]
    fn any_flipped_bit_is_rejected(key: [u8; 16], nonce in prop::collection::vec(any::<u8>(), 1..20),
                                   aad in prop::collection::vec(any::<u8>(), 0..20),
                                   data in prop::collection::vec(any::<u8>(), 0..40), at: u16) {
        let gcm = Gcm::new(&key);
        let mut all = [nonce.clone(), aad.clone(), data.clone(), vec![0; 16]].concat();
        let (n, a, d) = (nonce.len(), aad.len(), data.len());
        let mut sealed = data;
        let tag = gcm.seal(&nonce, &aad, &mut sealed).unwrap();
        all[n + a..n + a + d].copy_from_slice(&sealed);
        all[n + a + d..].copy_from_slice(&tag);
        let bit = usize::from(at) % (all.len() * 8);
        all[bit / 8] ^= 1 << (bit % 8);
        let (nonce, rest) = all.split_at(n);
        let (aad, rest) = rest.split_at(a);
        let (sealed, tag) = rest.split_at(d);
        prop_assert_eq!(gcm.open(nonce, aad, &mut sealed.to_vec(), tag), Err(Error::Rejected));
        let mut opener = Opener::new(&gcm, nonce, aad).unwrap();
        opener.update_unverified(&mut sealed.to_vec()).unwrap();
        prop_assert_eq!(opener.finish(tag), Err(Error::Rejected));
    }

    #[test]
    fn aead_traits_agree(key: [u8; 16], nonce: [u8; 12], data in message()) {
        use aead::Aead;
        let gcm: Sm4Gcm = KeyInit::new(&key.into());
        let sealed = gcm.encrypt(&nonce.into(), &data[..]).unwrap();
        let mut want = data.clone();
        let tag = Gcm::new(&key).seal(&nonce, b"", &mut want).unwrap();
        prop_assert_eq!(&sealed, &[&want[..], &tag].concat());
        prop_assert_eq!(gcm.decrypt(&nonce.into(), &sealed[..]).unwrap(), data);
    }
}
