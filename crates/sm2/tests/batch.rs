//! Batches against one at a time: more than a chunk, wrong signatures, a generator that fails.

use gmkit_sm2::{
    Error, Id, PreparedKey, SecretKey, Signature, batch,
    rand_core::{TryCryptoRng, TryRng},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

fn rng(test: &str) -> StdRng {
    let seed = rand::random();
    println!("{test}: seed {seed}");
    StdRng::seed_from_u64(seed)
}

fn messages(rng: &mut StdRng, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|_| (0..rng.random_range(0..200)).map(|_| rng.random()).collect()).collect()
}

#[test]
fn signatures_of_a_batch_are_signatures() {
    let mut rng = rng("sign");
    let key = SecretKey::generate(&mut rng).unwrap();
    let id = Id::new(b"batch").unwrap();
    let prepared = PreparedKey::new(key.public_key(), id);
    for count in [0, 1, 2, 63, 64, 65, 150] {
        let owned = messages(&mut rng, count);
        let messages: Vec<&[u8]> = owned.iter().map(Vec::as_slice).collect();
        let signatures = batch::sign(&mut rng, &key, id, &messages);
        assert_eq!(signatures.len(), count);
        let signatures: Vec<Signature> = signatures.into_iter().map(Result::unwrap).collect();
        for (i, (message, signature)) in messages.iter().zip(&signatures).enumerate() {
            key.public_key().verify(id, message, signature).unwrap();
            prepared.verify(message, signature).unwrap();
            assert!(!signatures[..i].contains(signature), "nonces must not repeat");
        }
        let items: Vec<_> = messages.into_iter().zip(signatures).collect();
        assert_eq!(batch::verify(key.public_key(), id, &items), vec![Ok(()); count]);
    }
}

/// Equal messages under a generator that always gives the same: the worst case for nonces. Equal
/// messages get equal signatures then, which is harmless; different ones get different nonces.
#[test]
fn a_stuck_generator_repeats_no_nonce_for_another_message() {
    let key = SecretKey::from_bytes(&[7; 32]).unwrap();
    let messages: [&[u8]; 3] = [b"one", b"one", b"two"];
    let signatures = batch::sign(&mut Stuck { left: usize::MAX }, &key, Id::DEFAULT, &messages);
    let r = |i: usize| signatures[i].unwrap().to_raw()[..32].to_vec();
    assert_eq!(signatures[0], signatures[1]);
    assert_ne!(r(0), r(2));
}

#[test]
fn wrong_signatures_do_not_spoil_others() {
    let mut rng = rng("verify");
    let key = SecretKey::generate(&mut rng).unwrap();
    for count in [1, 5, 15, 16, 17, 100] {
        let owned = messages(&mut rng, count);
        let mut want = vec![Ok(()); count];
        let mut items = Vec::new();
        for (i, message) in owned.iter().enumerate() {
            let mut signature = key.sign(&mut rng, Id::DEFAULT, message).unwrap();
            if rng.random_range(0..3) == 0 {
                let mut raw = signature.to_raw();
                raw[rng.random_range(1..64)] ^= 1;
                let Ok(wrong) = Signature::from_raw(&raw) else { continue };
                signature = wrong;
                want[i] = Err(Error::Rejected);
            }
            items.push((message.as_slice(), signature));
        }
        if items.len() == count {
            assert_eq!(batch::verify(key.public_key(), Id::DEFAULT, &items), want);
        }
        // Another ID, another key: none of them fits.
        let none = vec![Err(Error::Rejected); items.len()];
        assert_eq!(batch::verify(key.public_key(), Id::EMPTY, &items), none);
        let other = SecretKey::generate(&mut rng).unwrap();
        assert_eq!(batch::verify(other.public_key(), Id::DEFAULT, &items), none);
    }
}

/// Gives zeros, so many times, and then fails.
struct Stuck {
    left: usize,
}

impl TryRng for Stuck {
    type Error = std::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(std::fmt::Error)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.left = self.left.checked_sub(1).ok_or(std::fmt::Error)?;
        out.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Stuck {}

#[test]
fn a_generator_that_fails_fails_the_messages_behind() {
    let key = SecretKey::from_bytes(&[7; 32]).unwrap();
    let owned: Vec<[u8; 1]> = (0..100).map(|i| [i]).collect();
    let messages: Vec<&[u8]> = owned.iter().map(|message| &message[..]).collect();
    for left in [0, 1, 63, 64, 70] {
        let answers = batch::sign(&mut Stuck { left }, &key, Id::DEFAULT, &messages);
        for (i, (message, answer)) in messages.iter().zip(answers).enumerate() {
            match answer {
                Ok(signature) => {
                    assert!(i < left);
                    key.public_key().verify(Id::DEFAULT, message, &signature).unwrap();
                }
                Err(error) => assert!(i >= left && error == Error::Rng),
            }
        }
    }
}
