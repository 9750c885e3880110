//! Random cross-checks against RustCrypto's `sm2`, both ways. The seed is printed on failure.

use gmkit_sm2::{Ciphertext, Id, PublicKey, SecretKey, Signature};
use rand::{Rng as _, RngExt as _, SeedableRng, rngs::StdRng};
use rc_sm2::{
    dsa::{self, signature::Verifier as _},
    elliptic_curve::sec1::ToSec1Point as _,
    pke,
};

#[test]
fn keys_signatures_and_ciphertexts_go_both_ways() {
    let seed: u64 = rand::random();
    eprintln!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..40 {
        let ours = SecretKey::generate(&mut rng).unwrap();
        let theirs = rc_sm2::SecretKey::from_slice(&*ours.to_bytes()).unwrap();
        let their_point = theirs.public_key().to_sec1_point(false);
        assert_eq!(ours.public_key().to_sec1_bytes()[..], *their_point.as_bytes());
        let compressed = theirs.public_key().to_sec1_point(true);
        assert_eq!(PublicKey::from_sec1_bytes(compressed.as_bytes()).unwrap(), *ours.public_key());

        let len = rng.random_range(1..400);
        let mut message = vec![0; len];
        rng.fill_bytes(&mut message);
        let id = "a@example";
        let our_id = Id::new(id.as_bytes()).unwrap();

        let signature = ours.sign(&mut rng, our_id, &message).unwrap();
        let verifying = dsa::VerifyingKey::new(id, theirs.public_key()).unwrap();
        let for_them = dsa::Signature::from_slice(&signature.to_raw()).unwrap();
        verifying.verify(&message, &for_them).unwrap();

        let signing = dsa::SigningKey::new(id, &theirs).unwrap();
        let from_them = dsa::signature::Signer::<dsa::Signature>::sign(&signing, &message);
        let from_them = Signature::from_raw(&from_them.to_bytes()).unwrap();
        ours.public_key().verify(our_id, &message, &from_them).unwrap();

        let sent = ours.public_key().encrypt(&mut rng, &message).unwrap();
        let decrypting = pke::DecryptingKey::new(theirs.clone());
        assert_eq!(decrypting.decrypt(&sent.to_c1c3c2()).unwrap(), message);
        let encrypting = pke::EncryptingKey::new(theirs.public_key());
        let received = encrypting.encrypt(&mut rng, &message).unwrap();
        let received = Ciphertext::from_c1c3c2(&received).unwrap();
        assert_eq!(ours.decrypt(&received).unwrap()[..], message);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_parsed_is_what_was_written(raw: [[u8; 32]; 2]) {
        // Any signature that is accepted has exactly one encoding.
        if let Ok(signature) = Signature::from_raw(raw.as_flattened()) {
            let der = signature.to_der();
            proptest::prop_assert_eq!(Signature::from_der(der.as_bytes()).unwrap(), signature);
            proptest::prop_assert_eq!(signature.to_raw().to_vec(), raw.concat());
        }
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes: Vec<u8>) {
        let _ = Signature::from_der(&bytes);
        let _ = Signature::from_raw(&bytes);
        let _ = Ciphertext::from_der(&bytes);
        let _ = Ciphertext::from_c1c3c2(&bytes);
        let _ = Ciphertext::from_c1c2c3(&bytes);
        let _ = PublicKey::from_sec1_bytes(&bytes);
        let _ = PublicKey::from_spki_der(&bytes);
        let _ = SecretKey::from_private_key_info(&bytes);
        let _ = SecretKey::from_sec1_der(&bytes);
    }
}
