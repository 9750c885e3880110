//! Batches against one message at a time, over more messages than there are lanes.

use gmkit_sm4::{
    Cmac, Sm4,
    batch::{self, CbcMessage},
    cmac::{KeyInit, Mac},
    hazmat,
};
use proptest::prelude::*;

fn cbc_alone(cipher: &Sm4, iv: [u8; 16], blocks: &mut [[u8; 16]]) {
    let mut chain = iv;
    for block in blocks {
        chain.iter_mut().zip(&*block).for_each(|(c, b)| *c ^= b);
        hazmat::ecb_encrypt(cipher, std::slice::from_mut(&mut chain));
        *block = chain;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn cbc(
        key: [u8; 16],
        messages in proptest::collection::vec(
            (any::<[u8; 16]>(), proptest::collection::vec(any::<[u8; 16]>(), 0..12)), 0..200),
    ) {
        let cipher = Sm4::new(&key);
        let mut want = messages.clone();
        for (iv, blocks) in &mut want {
            cbc_alone(&cipher, *iv, blocks);
        }
        let mut got = messages;
        let mut batch: Vec<_> =
            got.iter_mut().map(|(iv, blocks)| CbcMessage { iv: *iv, blocks }).collect();
        batch::cbc_encrypt(&cipher, &mut batch);
        drop(batch);
        prop_assert!(got == want);
    }

    #[test]
    fn cmac(
        key: [u8; 16],
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..200),
    ) {
        let parts: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let mut tags = vec![[0xa5; 16]; parts.len()];
        batch::cmac(&Sm4::new(&key), &parts, &mut tags);
        for (message, tag) in parts.iter().zip(&tags) {
            let alone = Cmac::new(&key.into()).chain_update(message).finalize().into_bytes();
            prop_assert_eq!(alone.0, *tag);
        }
    }
}

#[test]
#[should_panic(expected = "as many tags as messages")]
fn a_message_without_a_tag_is_no_small_matter() {
    batch::cmac(&Sm4::new(&[7; 16]), &[b"one", b"two"], &mut [[0; 16]]);
}
