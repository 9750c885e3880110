//! What keys do. No pointers, no sessions, no files.

mod aead;
mod cipher;
pub(crate) mod derive;
mod digest;
pub(crate) mod generate;
pub(crate) mod key;
mod public_key;
mod signing;
pub(crate) mod wrap;

use cryptoki_sys::{CKR_KEY_TYPE_INCONSISTENT, CKR_MECHANISM_INVALID};
use zeroize::Zeroizing;

pub(crate) use self::{
    digest::Hasher,
    key::Key,
    signing::{Signing, Verifying},
};
use crate::{
    codes::{Algorithm, Block, Mode},
    mechanism::Mechanism,
    rv::{Result, fail},
};

/// Most bytes of a message that must be held back as a whole: GCM's, until its tag is checked.
pub(crate) const MAX_HELD: usize = 64 << 20;

/// Which way a cipher runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

/// An encryption or decryption under way.
pub(crate) trait Stream: Send {
    /// Most bytes that [`Stream::update`] gives for `input` more bytes.
    fn update_bound(&self, input: usize) -> usize;
    /// Takes the next piece, and appends what is ready to `output`.
    fn update(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result;
    /// Most bytes that `input` more bytes and the end give together.
    fn finish_bound(&self, input: usize) -> usize;
    /// Appends the rest.
    fn finish(self: Box<Self>, output: &mut Vec<u8>) -> Result;
    /// Whether a message may come in pieces.
    fn takes_pieces(&self) -> bool {
        true
    }
}

/// Starts an encryption or decryption.
pub(crate) fn start_cipher(
    mechanism: &Mechanism,
    key: &std::sync::Arc<Key>,
    direction: Direction,
) -> Result<Box<dyn Stream>> {
    match mechanism.algorithm() {
        Algorithm::Sm2Encryption(layout) => {
            mechanism.without_parameter()?;
            public_key::start(layout, key, direction)
        }
        Algorithm::Cipher(block, Mode::Gcm) => {
            let (iv, aad) = mechanism.gcm()?;
            aead::start(key.block_key(block)?, block, iv, aad, direction)
        }
        Algorithm::Cipher(block, mode) => {
            let iv = match mode {
                Mode::Ecb => mechanism.without_parameter().map(|()| [0; 16])?,
                _ => mechanism.iv()?,
            };
            cipher::start(key.block_key(block)?, (block, mode), &iv, direction)
        }
        _ => fail(CKR_MECHANISM_INVALID),
    }
}

/// Appends to bytes that are wiped when dropped, without leaving a copy where they were before.
fn append(bytes: &mut Zeroizing<Vec<u8>>, piece: &[u8]) {
    let needed = bytes.len() + piece.len();
    if needed > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * bytes.capacity())));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(piece);
}

/// A decryption that is done, but for whose result the caller's buffer was too short.
pub(crate) struct Done(pub(crate) Zeroizing<Vec<u8>>);

impl Stream for Done {
    fn update_bound(&self, _: usize) -> usize {
        0
    }

    /// The same message again, which was decrypted before.
    fn update(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result {
        Ok(())
    }

    fn finish_bound(&self, _: usize) -> usize {
        self.0.len()
    }

    fn finish(self: Box<Self>, output: &mut Vec<u8>) -> Result {
        output.extend_from_slice(&self.0);
        Ok(())
    }

    fn takes_pieces(&self) -> bool {
        false
    }
}

/// Encrypts or decrypts a whole message.
pub(crate) fn run(mut stream: Box<dyn Stream>, input: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    // Room from the start: a vector that grows leaves copies behind.
    let mut output = Zeroizing::new(Vec::with_capacity(stream.finish_bound(input.len())));
    stream.update(input, &mut output)?;
    stream.finish(&mut output)?;
    Ok(output)
}

/// Calls `$body` with `$cipher` the type of the block cipher for a key of this length.
macro_rules! with_block_cipher {
    ($block:expr, $key:expr, $cipher:ident => $body:expr) => {
        match ($block, $key.len()) {
            ($crate::codes::Block::Sm4, 16) => {
                type $cipher = gmkit_sm4::Sm4;
                $body
            }
            ($crate::codes::Block::Aes, 16) => {
                type $cipher = aes::Aes128;
                $body
            }
            ($crate::codes::Block::Aes, 24) => {
                type $cipher = aes::Aes192;
                $body
            }
            ($crate::codes::Block::Aes, 32) => {
                type $cipher = aes::Aes256;
                $body
            }
            _ => $crate::rv::fail(cryptoki_sys::CKR_KEY_SIZE_RANGE),
        }
    };
}
use with_block_cipher;

impl Key {
    /// The bytes of a secret key for this block cipher.
    fn block_key(&self, block: Block) -> Result<&[u8]> {
        use crate::codes::SecretKind;
        match (self, block) {
            (Self::Secret(SecretKind::Sm4, bytes), Block::Sm4)
            | (Self::Secret(SecretKind::Aes, bytes), Block::Aes) => Ok(bytes),
            _ => fail(CKR_KEY_TYPE_INCONSISTENT),
        }
    }
}
