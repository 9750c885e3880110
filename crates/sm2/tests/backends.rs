//! All backends agree: what one signs, encrypts and agrees on, the others verify, decrypt and find.
#![cfg(feature = "backend-choice")]

use gmkit_sm2::{Id, PreparedKey, PublicKey, SecretKey, backends, batch, hazmat, prefer_backend};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// What is preferred holds for the whole process, so there is one test only.
#[test]
fn all_agree() {
    let seed = rand::random();
    println!("seed {seed}");
    let (names, lacking): (Vec<_>, Vec<_>) = backends().partition(|(_, has)| *has);
    println!("not on this CPU: {lacking:?}");
    assert!(names.len() > 1, "{names:?}");
    let answers: Vec<_> = names
        .iter()
        .map(|(name, _)| {
            assert!(prefer_backend(Some(name)));
            answers(StdRng::seed_from_u64(seed))
        })
        .collect();
    for (name, answer) in names.iter().zip(&answers) {
        assert!(*answer == answers[0], "{name:?}");
    }
    assert!(prefer_backend(None));
    assert!(!prefer_backend(Some("abacus")));
}

/// Everything that points are computed for, from the same random numbers.
fn answers(mut rng: StdRng) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for _ in 0..40 {
        let key = SecretKey::generate(&mut rng).unwrap();
        let public = key.public_key();
        let message: Vec<u8> = (0..rng.random_range(1..100)).map(|_| rng.random()).collect();
        all.push(public.to_sec1_bytes().to_vec());

        let signature = key.sign(&mut rng, Id::DEFAULT, &message).unwrap();
        public.verify(Id::DEFAULT, &message, &signature).unwrap();
        PreparedKey::new(public, Id::DEFAULT).verify(&message, &signature).unwrap();
        all.push(signature.to_raw().to_vec());
        let e: [u8; 32] = rng.random();
        assert!(hazmat::verify_e(public, &e, &signature).is_err());

        for signature in batch::sign(&mut rng, &key, Id::DEFAULT, &[&message, b"another"]) {
            all.push(signature.unwrap().to_raw().to_vec());
        }
        let ciphertext = public.encrypt(&mut rng, &message).unwrap();
        assert!(*key.decrypt(&ciphertext).unwrap() == message);
        all.push(ciphertext.to_der().unwrap());
        let again = PublicKey::from_sec1_bytes(&public.to_sec1_bytes()).unwrap();
        assert!(again == *public);
    }
    all
}
