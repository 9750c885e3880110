//! Many messages at once: SM4-CMAC, SM4-CBC and SM3.

use toolkit::{
    keys::selftest::{self, Algorithm},
    sm3,
    sm4::{
        Sm4,
        batch::{self, CbcMessage},
    },
};
use zeroize::Zeroizing;

use crate::{
    export::export,
    fault::Fault,
    pointer::{InArray, InMany, Out},
};

export! {
    /// SM3 of `count` messages: `digests` has room for 32 bytes of each, in their order.
    fn gmkit_sm3_digest_many(messages: InMany, count: usize, digests: Out) {
        selftest::require(Algorithm::Sm3)?;
        let messages = messages.get(count)?;
        let mut all = vec![[0; 32]; count];
        sm3::hash_many(&messages, &mut all);
        digests.write(all.as_flattened())
    }

    /// SM4-CMAC of `count` messages under one key of 16 bytes, several times as fast as one by one:
    /// `tags` has room for 16 bytes of each, in their order.
    fn gmkit_sm4_cmac_many(key: InArray<16>, messages: InMany, count: usize, tags: Out) {
        selftest::require(Algorithm::Sm4)?;
        let messages = messages.get(count)?;
        let mut all = Zeroizing::new(vec![[0; 16]; count]);
        batch::cmac(&Sm4::new(key.get()?), &messages, &mut all);
        tags.write(all.as_flattened())
    }

    /// SM4-CBC of `count` messages under one key of 16 bytes, several times as fast as one by one.
    /// Each message has a multiple of 16 bytes (it is padded by the caller), and an IV of 16
    /// unpredictable bytes in `ivs`. The ciphertexts go to `output` without gaps, which has room
    /// for as many bytes as the messages have together; it may lie over them.
    ///
    /// Errors: GMKIT_ERR_ARGUMENT.
    fn gmkit_sm4_cbc_encrypt_many(
        key: InArray<16>,
        ivs: InMany,
        messages: InMany,
        count: usize,
        output: Out,
    ) {
        selftest::require(Algorithm::Sm4)?;
        let (ivs, messages) = (ivs.get(count)?, messages.get(count)?);
        if messages.iter().any(|message| !message.len().is_multiple_of(16)) {
            return Err(Fault::argument("the length of a message is not a multiple of 16"));
        }
        // Several of them may be the same bytes: together they need not fit into memory.
        let sum = messages.iter().try_fold(0, |sum: usize, message| sum.checked_add(message.len()));
        if sum.is_none_or(|sum| sum > isize::MAX as usize) {
            return Err(Fault::argument("the messages are longer than any object"));
        }
        let mut all = Zeroizing::new(messages.concat());
        let mut rest = all.as_chunks_mut::<16>().0;
        let mut parts = Vec::with_capacity(count);
        for (iv, message) in ivs.iter().zip(&messages) {
            let iv = <[u8; 16]>::try_from(*iv).map_err(|_| Fault::argument("an IV has 16 bytes"))?;
            let (blocks, after) = rest.split_at_mut(message.len() / 16);
            rest = after;
            parts.push(CbcMessage { iv, blocks });
        }
        batch::cbc_encrypt(&Sm4::new(key.get()?), &mut parts);
        drop(parts);
        output.write(&all)
    }
}
