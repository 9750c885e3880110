//! GCM, over SM4 and AES. The message is held until its end: nothing of a plaintext comes out
//! before the tag has been checked (PKCS#11 3.0, 6.13.7 leaves that to the token).

use aead::{
    AeadInOut, KeyInit,
    array::Array,
    consts::{U12, U16},
};
use aes_gcm::AesGcm;
use cryptoki_sys::{
    CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE,
    CKR_KEY_SIZE_RANGE,
};
use gmkit_sm4::gcm::Sm4Gcm;
use zeroize::Zeroizing;

use super::{Direction, MAX_HELD, Stream, append};
use crate::{
    codes::Block,
    rv::{Result, Rv, ensure, fail},
};

const TAG: usize = 16;

pub(super) fn start(
    key: &[u8],
    block: Block,
    iv: [u8; 12],
    aad: &[u8],
    direction: Direction,
) -> Result<Box<dyn Stream>> {
    match (block, key.len()) {
        (Block::Sm4, 16) => start_with::<Sm4Gcm>(key, iv, aad, direction),
        (Block::Aes, 16) => start_with::<AesGcm<aes::Aes128, U12>>(key, iv, aad, direction),
        (Block::Aes, 24) => start_with::<AesGcm<aes::Aes192, U12>>(key, iv, aad, direction),
        (Block::Aes, 32) => start_with::<AesGcm<aes::Aes256, U12>>(key, iv, aad, direction),
        _ => fail(CKR_KEY_SIZE_RANGE),
    }
}

trait Gcm: AeadInOut<NonceSize = U12, TagSize = U16> + KeyInit + Send + 'static {}

impl<A: AeadInOut<NonceSize = U12, TagSize = U16> + KeyInit + Send + 'static> Gcm for A {}

fn start_with<A: Gcm>(
    key: &[u8],
    iv: [u8; 12],
    aad: &[u8],
    direction: Direction,
) -> Result<Box<dyn Stream>> {
    let aead = <A as KeyInit>::new_from_slice(key).or(fail(CKR_KEY_SIZE_RANGE))?;
    Ok(Box::new(Held { aead, iv, aad: aad.to_vec(), direction, input: Zeroizing::default() }))
}

struct Held<A> {
    aead: A,
    iv: [u8; 12],
    aad: Vec<u8>,
    direction: Direction,
    input: Zeroizing<Vec<u8>>,
}

impl<A: Gcm> Stream for Held<A> {
    fn update_bound(&self, _: usize) -> usize {
        0
    }

    fn update(&mut self, input: &[u8], _: &mut Vec<u8>) -> Result {
        // What was encrypted can be decrypted: it has a tag, too.
        let (most, rv) = match self.direction {
            Direction::Encrypt => (MAX_HELD, CKR_DATA_LEN_RANGE),
            Direction::Decrypt => (MAX_HELD + TAG, CKR_ENCRYPTED_DATA_LEN_RANGE),
        };
        ensure(self.input.len() + input.len() <= most, rv)?;
        append(&mut self.input, input);
        Ok(())
    }

    fn finish_bound(&self, input: usize) -> usize {
        let total = self.input.len() + input;
        match self.direction {
            Direction::Encrypt => total + TAG,
            Direction::Decrypt => total.saturating_sub(TAG),
        }
    }

    fn finish(mut self: Box<Self>, output: &mut Vec<u8>) -> Result {
        let iv = Array::from(self.iv);
        let too_long = |_| Rv(CKR_DATA_LEN_RANGE);
        if self.direction == Direction::Encrypt {
            let buffer = self.input.as_mut_slice();
            let tag = self.aead.encrypt_inout_detached(&iv, &self.aad, buffer.into());
            output.extend_from_slice(&self.input);
            output.extend_from_slice(&tag.map_err(too_long)?);
            return Ok(());
        }
        let (buffer, tag) =
            self.input.split_last_chunk_mut::<TAG>().ok_or(Rv(CKR_ENCRYPTED_DATA_LEN_RANGE))?;
        let tag = Array::from(*tag);
        let opened = self.aead.decrypt_inout_detached(&iv, &self.aad, (&mut *buffer).into(), &tag);
        opened.map_err(|_| Rv(CKR_ENCRYPTED_DATA_INVALID))?;
        output.extend_from_slice(buffer);
        Ok(())
    }
}
