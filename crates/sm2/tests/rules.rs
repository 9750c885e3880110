//! Each rule that a signature, point, ciphertext or key must keep, with an input that breaks just
//! this rule. The larger sets with edge-case flags are in `vectors/`.

use gmkit_sm2::{Ciphertext, DerFault, Error, Id, PublicKey, SecretKey, Signature, hazmat};
use rand::{Rng as _, SeedableRng, TryCryptoRng, TryRng, rngs::StdRng};

const N: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
const P: &str = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";

fn hex<const N: usize>(s: &str) -> [u8; N] {
    core::array::from_fn(|i| u8::from_str_radix(&s[2 * i..2 * i + 2], 16).unwrap())
}

/// n plus a small number.
fn n_plus(delta: i8) -> [u8; 32] {
    let mut n = hex::<32>(N);
    n[31] = n[31].checked_add_signed(delta).unwrap();
    n
}

fn integer(value: i8) -> [u8; 32] {
    let mut out = [0; 32];
    out[31] = value as u8;
    out
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[0x21; 32]).unwrap()
}

fn raw(r: [u8; 32], s: [u8; 32]) -> Result<Signature, Error> {
    Signature::from_raw(&[r, s].concat())
}

#[test]
fn r_and_s_are_in_range() {
    for bad in [integer(0), n_plus(0), n_plus(1), [0xff; 32]] {
        assert_eq!(raw(bad, integer(1)), Err(Error::SignatureRange));
        assert_eq!(raw(integer(1), bad), Err(Error::SignatureRange));
    }
    for good in [integer(1), n_plus(-1)] {
        raw(good, good).unwrap();
    }
}

#[test]
fn r_plus_s_is_not_zero() {
    // With t = 0 the public key would drop out: sG would have to match, which anyone can do.
    let e = [7; 32];
    let (r, s) = (integer(1), n_plus(-1));
    let signature = raw(r, s).unwrap();
    assert_eq!(hazmat::verify_e(key().public_key(), &e, &signature), Err(Error::Rejected));
    // The forgery that this rule stops, done in full: s = 1, r = n - 1, e = r - x(G).
    let gx = hex::<32>("32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7");
    let (mut e, mut borrow) = ([0; 32], 0i16);
    for i in (0..32).rev() {
        let d = i16::from(n_plus(-1)[i]) - i16::from(gx[i]) - borrow;
        borrow = i16::from(d < 0);
        e[i] = d.rem_euclid(256) as u8;
    }
    let forged = raw(n_plus(-1), integer(1)).unwrap();
    assert_eq!(hazmat::verify_e(key().public_key(), &e, &forged), Err(Error::Rejected));
}

#[test]
fn the_point_at_infinity_is_no_signature() {
    // s G + t P = O when s + t d = 0: r = -s (1 + d)/d. Anyone with d can make it; r must then
    // not match e + 0, whatever x a point at infinity might be taken to have.
    let d = SecretKey::from_bytes(&integer(1)).unwrap(); // P = G, so s = -t, 2 s = -r
    let s = integer(1);
    let r = n_plus(-2);
    let signature = raw(r, s).unwrap();
    for e in [r, [0; 32], n_plus(-1)] {
        assert_eq!(hazmat::verify_e(d.public_key(), &e, &signature), Err(Error::Rejected));
    }
}

#[test]
fn signature_der_is_strict() {
    let good = key().sign(&mut StdRng::seed_from_u64(1), Id::DEFAULT, b"m").unwrap();
    let der = good.to_der();
    let der = der.as_bytes();
    let fault = |bytes: &[u8]| Signature::from_der(bytes).unwrap_err();

    for len in 0..der.len() {
        assert_eq!(fault(&der[..len]), Error::Der(DerFault::Truncated), "{len}");
    }
    assert_eq!(fault(&[der, &[0]].concat()), Error::Der(DerFault::TrailingData));
    assert_eq!(fault(b"\x31\x06\x02\x01\x01\x02\x01\x01"), Error::Der(DerFault::Tag));
    assert_eq!(fault(b"\x30\x06\x03\x01\x01\x02\x01\x01"), Error::Der(DerFault::Tag));
    assert_eq!(fault(b"\x30\x81\x06\x02\x01\x01\x02\x01\x01"), Error::Der(DerFault::Length));
    assert_eq!(fault(b"\x30\x80\x02\x01\x01\x02\x01\x01\0\0"), Error::Der(DerFault::Length));
    assert_eq!(fault(b"\x30\x07\x02\x81\x01\x01\x02\x01\x01"), Error::Der(DerFault::Length));
    assert_eq!(fault(b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x02\x01\x01"), {
        Error::Der(DerFault::Truncated)
    });
    assert_eq!(fault(b"\x30\x06\x02\x01\xff\x02\x01\x01"), Error::Der(DerFault::NegativeInteger));
    assert_eq!(
        fault(b"\x30\x07\x02\x02\x00\x01\x02\x01\x01"),
        Error::Der(DerFault::NonMinimalInteger)
    );
    assert_eq!(fault(b"\x30\x05\x02\x00\x02\x01\x01"), Error::Der(DerFault::IntegerSize));
    assert_eq!(fault(b"\x30\x06\x02\x01\x00\x02\x01\x01"), Error::SignatureRange);
    assert_eq!(
        fault(b"\x30\x09\x02\x01\x01\x02\x01\x01\x02\x01\x01"),
        Error::Der(DerFault::TrailingData)
    );
    let long = [&b"\x30\x27\x02\x22\x01"[..], &[0; 33], b"\x02\x01\x01"].concat();
    assert_eq!(fault(&long), Error::Der(DerFault::IntegerSize));
}

#[test]
fn points_are_on_the_curve_with_coordinates_below_p() {
    let good = key().public_key().to_sec1_bytes();
    let fault = |bytes: &[u8]| PublicKey::from_sec1_bytes(bytes).unwrap_err();
    for bit in 8..520 {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(fault(&bad), Error::PointNotOnCurve, "bit {bit}");
    }
    assert_eq!(fault(&[0]), Error::PointEncoding);
    assert_eq!(fault(&[]), Error::PointEncoding);
    assert_eq!(fault(&good[..64]), Error::PointEncoding);
    assert_eq!(fault(&[&good[..], &[0]].concat()), Error::PointEncoding);
    let mut hybrid = good;
    hybrid[0] = 6 | (good[64] & 1);
    assert_eq!(fault(&hybrid), Error::PointEncoding);
    assert_eq!(fault(&[4; 65]), Error::PointNotOnCurve);
    assert_eq!(fault(&[&[4][..], &[0; 64]].concat()), Error::PointNotOnCurve);

    // The same point with x + p is out, also where x + p still fits into 32 bytes: x = 0 and
    // x = 1 have such a twin.
    let p = hex::<32>(P);
    let mut found = 0;
    for x in 0..8u8 {
        let mut small = [0; 33];
        small[0] = 2;
        small[32] = x;
        if PublicKey::from_sec1_bytes(&small).is_err() {
            continue;
        }
        found += 1;
        let mut twin = [0; 33];
        twin[0] = 2;
        twin[1..].copy_from_slice(&p);
        let mut carry = u16::from(x);
        for byte in twin[1..].iter_mut().rev() {
            carry += u16::from(*byte);
            *byte = carry as u8;
            carry >>= 8;
        }
        assert_eq!(fault(&twin), Error::PointNotOnCurve, "x = {x}");
    }
    assert!(found > 0, "no point with a small x: the test tests nothing");
}

#[test]
fn private_keys_are_in_range() {
    for bad in [integer(0), n_plus(-1), n_plus(0), n_plus(1), [0xff; 32]] {
        assert_eq!(SecretKey::from_bytes(&bad).unwrap_err(), Error::PrivateKeyRange);
    }
    for good in [integer(1), n_plus(-2)] {
        let key = SecretKey::from_bytes(&good).unwrap();
        assert_eq!(*key.to_bytes(), good);
        let mut rng = StdRng::seed_from_u64(2);
        let signature = key.sign(&mut rng, Id::DEFAULT, b"edge").unwrap();
        key.public_key().verify(Id::DEFAULT, b"edge", &signature).unwrap();
    }
}

#[test]
fn given_nonces_are_in_range() {
    for bad in [integer(0), n_plus(0), [0xff; 32]] {
        assert_eq!(hazmat::sign_e_with_k(&key(), &[1; 32], &bad), Err(Error::NonceRange));
        assert_eq!(
            hazmat::encrypt_with_k(key().public_key(), &bad, b"x").unwrap_err(),
            Error::NonceRange
        );
    }
    // e chosen so that r = 0 (e = -x1) and so that r + k = n (r = -k): both ask for another k.
    let k = integer(1); // x1 = x(G)
    let gx = hex::<32>("32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7");
    let minus = |a: [u8; 32], b: [u8; 32]| {
        let (mut out, mut borrow) = ([0u8; 32], 0i16);
        for i in (0..32).rev() {
            let d = i16::from(a[i]) - i16::from(b[i]) - borrow;
            borrow = i16::from(d < 0);
            out[i] = d.rem_euclid(256) as u8;
        }
        out
    };
    let r_is_zero = minus(n_plus(0), gx);
    let r_is_minus_k = minus(n_plus(-1), gx);
    assert_eq!(hazmat::sign_e_with_k(&key(), &r_is_zero, &k), Err(Error::NonceRange));
    assert_eq!(hazmat::sign_e_with_k(&key(), &r_is_minus_k, &k), Err(Error::NonceRange));
    hazmat::sign_e_with_k(&key(), &gx, &k).unwrap();
}

#[test]
fn ids_have_a_limit() {
    assert_eq!(Id::new(&[0; 8192]), Err(Error::IdTooLong));
    let longest = [0x41; 8191];
    let id = Id::new(&longest).unwrap();
    let mut rng = StdRng::seed_from_u64(3);
    let signature = key().sign(&mut rng, id, b"m").unwrap();
    key().public_key().verify(id, b"m", &signature).unwrap();
    let shorter = Id::new(&longest[..8190]).unwrap();
    assert_eq!(key().public_key().verify(shorter, b"m", &signature), Err(Error::Rejected));
}

#[test]
fn every_flipped_bit_of_a_signature_is_rejected() {
    let key = key();
    let mut rng = StdRng::seed_from_u64(4);
    let signature = key.sign(&mut rng, Id::DEFAULT, b"message").unwrap();
    let der = signature.to_der();
    for bit in 0..der.as_bytes().len() * 8 {
        let mut bad = der.as_bytes().to_vec();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(bad) = Signature::from_der(&bad) {
            assert_eq!(
                key.public_key().verify(Id::DEFAULT, b"message", &bad),
                Err(Error::Rejected),
                "bit {bit}"
            );
        }
    }
}

#[test]
fn every_flipped_bit_of_a_ciphertext_is_rejected() {
    let key = key();
    let mut rng = StdRng::seed_from_u64(5);
    let sent = key.public_key().encrypt(&mut rng, b"secret").unwrap().to_c1c3c2();
    for bit in 0..sent.len() * 8 {
        let mut bad = sent.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        match Ciphertext::from_c1c3c2(&bad) {
            Ok(bad) => assert_eq!(key.decrypt(&bad).unwrap_err(), Error::Rejected, "bit {bit}"),
            Err(error) => assert!(bit < 65 * 8, "{error} at bit {bit}"),
        }
    }
}

#[test]
fn ciphertext_parts_have_their_lengths() {
    let key = key();
    let mut rng = StdRng::seed_from_u64(6);
    let ciphertext = key.public_key().encrypt(&mut rng, b"x").unwrap();
    let raw = ciphertext.to_c1c3c2();
    for len in 0..raw.len() {
        assert_eq!(Ciphertext::from_c1c3c2(&raw[..len]).unwrap_err(), Error::CiphertextLength);
        assert_eq!(Ciphertext::from_c1c2c3(&raw[..len]).unwrap_err(), Error::CiphertextLength);
    }
    // The other order of C2 and C3 is not noticed by reading, but by decrypting.
    let swapped = Ciphertext::from_c1c2c3(&raw).unwrap();
    assert_eq!(key.decrypt(&swapped).unwrap_err(), Error::Rejected);

    let der = ciphertext.to_der().unwrap();
    assert_eq!(
        Ciphertext::from_der(&[&der[..], &[0]].concat()).unwrap_err(),
        Error::Der(DerFault::TrailingData)
    );
    let mut short_c3 = der.clone();
    let at = der.len() - 1 - 2 - 32 - 1;
    assert_eq!(der[at], 32);
    short_c3.remove(at + 1);
    short_c3[at] = 31;
    short_c3[1] -= 1;
    assert_eq!(Ciphertext::from_der(&short_c3).unwrap_err(), Error::CiphertextLength);
}

#[test]
fn empty_plaintext_is_refused() {
    let mut rng = StdRng::seed_from_u64(7);
    assert_eq!(key().public_key().encrypt(&mut rng, b"").unwrap_err(), Error::EmptyPlaintext);
}

#[test]
fn a_mask_of_zeros_is_never_used() {
    // With one byte of plaintext every 256th k gives a zero mask: over 1500 encryptions of the
    // byte 0, C2 must never be 0.
    let key = key();
    let mut rng = StdRng::seed_from_u64(8);
    let mut refused = 0;
    for _ in 0..1500 {
        let sent = key.public_key().encrypt(&mut rng, &[0]).unwrap().to_c1c3c2();
        assert_ne!(sent[97], 0);
        let mut k = [0; 32];
        rng.fill_bytes(&mut k);
        k[0] &= 0x7f;
        match hazmat::encrypt_with_k(key.public_key(), &k, &[0]) {
            Ok(ciphertext) => assert_ne!(ciphertext.to_c1c3c2()[97], 0),
            Err(error) => {
                assert_eq!(error, Error::NonceRange);
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "no zero mask was met: the test tests nothing");
}

/// A generator that fails after some bytes, or repeats one value.
struct Faulty {
    good_for: usize,
}

impl TryRng for Faulty {
    type Error = std::io::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(std::io::Error::other("no entropy"))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::io::Error::other("no entropy"))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        self.good_for = self
            .good_for
            .checked_sub(dst.len())
            .ok_or_else(|| std::io::Error::other("no entropy"))?;
        dst.fill(0x5c);
        Ok(())
    }
}

impl TryCryptoRng for Faulty {}

#[test]
fn a_failing_generator_is_an_error() {
    let mut rng = Faulty { good_for: 31 };
    assert_eq!(SecretKey::generate(&mut rng).unwrap_err(), Error::Rng);
    assert_eq!(key().sign(&mut rng, Id::DEFAULT, b"m").unwrap_err(), Error::Rng);
    assert_eq!(key().public_key().encrypt(&mut rng, b"m").unwrap_err(), Error::Rng);
}

#[test]
fn a_generator_stuck_out_of_range_does_not_hang() {
    struct Ones;
    impl TryRng for Ones {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::MAX)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::MAX)
        }
        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
            dst.fill(0xff);
            Ok(())
        }
    }
    impl TryCryptoRng for Ones {}
    assert_eq!(SecretKey::generate(&mut Ones).unwrap_err(), Error::Rng);
}

#[test]
fn a_stuck_generator_never_repeats_a_nonce_across_messages() {
    let key = key();
    let mut seen = std::collections::HashSet::new();
    for i in 0..200u32 {
        let e = {
            let mut e = [0; 32];
            e[..4].copy_from_slice(&i.to_be_bytes());
            e
        };
        let signature = hazmat::sign_e(&mut Faulty { good_for: 32 }, &key, &e).unwrap();
        // x1 = r - e identifies the nonce up to its sign.
        let mut x1 = [0; 32];
        let mut borrow = 0i16;
        for j in (0..32).rev() {
            let d = i16::from(signature.to_raw()[j]) - i16::from(e[j]) - borrow;
            borrow = i16::from(d < 0);
            x1[j] = d.rem_euclid(256) as u8;
        }
        assert!(seen.insert(x1), "nonce repeated");
    }
}

#[test]
fn a_stuck_generator_never_repeats_a_mask_across_plaintexts() {
    let key = key();
    let mut seen = std::collections::HashSet::new();
    for i in 0..100u32 {
        let sent = key.public_key().encrypt(&mut Faulty { good_for: 32 }, &i.to_be_bytes());
        let c1 = sent.unwrap().to_c1c3c2()[..65].to_vec();
        assert!(seen.insert(c1), "nonce repeated");
    }
}

#[test]
fn secrets_are_not_printed() {
    let text = format!("{:?}", key());
    assert!(!text.contains("2121"), "{text}");
}
