//! Many messages at once, and the KDF, against one message at a time; through each backend.
#![cfg(feature = "backend-choice")]

use gmkit_sm3::{backends, digest, hash_many, kdf, prefer_backend};
use proptest::prelude::*;

/// One after the other: what is preferred holds for the whole process.
fn through_each_backend(check: impl Fn()) {
    for (name, has) in backends() {
        if has {
            assert!(prefer_backend(Some(name)));
            check();
        } else {
            println!("NOT RUN: {name}, this CPU has not got what it needs");
        }
    }
    assert!(prefer_backend(None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn hashes(messages in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 0..400), 0..70)) {
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        through_each_backend(|| {
            let mut digests = vec![[0; 32]; messages.len()];
            hash_many(&messages, &mut digests);
            for (message, got) in messages.iter().zip(&digests) {
                assert_eq!(*got, digest(&[message]));
            }
        });
    }

    #[test]
    fn keys(z: Vec<u8>, split in 0..100_usize, len in 0..2000_usize) {
        let mut want: Vec<u8> =
            (1_u32..).flat_map(|ct| digest(&[&z, &ct.to_be_bytes()])).take(len).collect();
        want.truncate(len);
        let (head, tail) = z.split_at(split.min(z.len()));
        through_each_backend(|| {
            let mut got = vec![0; len];
            kdf(&[head, tail], &mut got).unwrap();
            assert_eq!(got, want);
        });
    }
}

/// Each length of the last block, in each lane.
#[test]
fn every_padding() {
    let bytes = [7; 200];
    let messages: Vec<&[u8]> = (0..200).map(|len| &bytes[..len]).collect();
    through_each_backend(|| {
        let mut digests = vec![[0; 32]; messages.len()];
        hash_many(&messages, &mut digests);
        for (message, got) in messages.iter().zip(&digests) {
            assert_eq!(*got, digest(&[message]));
        }
    });
}

#[test]
#[should_panic(expected = "as many digests as messages")]
fn a_message_without_a_digest_is_no_small_matter() {
    hash_many(&[b"one", b"two"], &mut [[0; 32]]);
}
