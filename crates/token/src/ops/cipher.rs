//! ECB, CBC and CTR, over SM4 and AES.

use cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser,
    KeyInit, KeyIvInit, StreamCipher, array::Array, consts::U16,
};
use cryptoki_sys::{
    CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE,
    CKR_KEY_SIZE_RANGE, CKR_MECHANISM_INVALID,
};
use subtle::{ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroizing;

use super::{Direction, Stream, with_block_cipher};
use crate::{
    codes::{Block, Mode},
    rv::{Result, Rv, ensure, fail},
};

type Cell = Array<u8, U16>;

pub(super) fn start(
    key: &[u8],
    what: (Block, Mode),
    iv: &[u8; 16],
    direction: Direction,
) -> Result<Box<dyn Stream>> {
    with_block_cipher!(what.0, key, Cipher => start_with::<Cipher>(key, what.1, iv, direction))
}

fn start_with<C>(
    key: &[u8],
    mode: Mode,
    iv: &[u8; 16],
    direction: Direction,
) -> Result<Box<dyn Stream>>
where
    C: BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + KeyInit + Send,
    C: 'static,
{
    let padded = mode == Mode::CbcPad;
    let size = |_| Rv(CKR_KEY_SIZE_RANGE);
    Ok(match (mode, direction) {
        (Mode::Ecb, Direction::Encrypt) => {
            let mode = ecb::Encryptor::<C>::new_from_slice(key).map_err(size)?;
            Box::new(Encrypting { mode, held: Held::default(), padded })
        }
        (Mode::Ecb, Direction::Decrypt) => {
            let mode = ecb::Decryptor::<C>::new_from_slice(key).map_err(size)?;
            Box::new(Decrypting { mode, held: Held::default(), padded })
        }
        (Mode::Cbc | Mode::CbcPad, Direction::Encrypt) => {
            let mode = cbc::Encryptor::<C>::new_from_slices(key, iv).map_err(size)?;
            Box::new(Encrypting { mode, held: Held::default(), padded })
        }
        (Mode::Cbc | Mode::CbcPad, Direction::Decrypt) => {
            let mode = cbc::Decryptor::<C>::new_from_slices(key, iv).map_err(size)?;
            Box::new(Decrypting { mode, held: Held::default(), padded })
        }
        (Mode::Ctr, _) => {
            Box::new(Counter(ctr::Ctr128BE::<C>::new_from_slices(key, iv).map_err(size)?))
        }
        (Mode::Gcm, _) => return fail(CKR_MECHANISM_INVALID),
    })
}

/// Bytes that do not fill a block yet, or that may turn out to be padding: at most one block.
struct Held(Zeroizing<Vec<u8>>);

impl Default for Held {
    fn default() -> Self {
        // Never more than this: a vector that grows leaves copies behind.
        Self(Zeroizing::new(Vec::with_capacity(32)))
    }
}

impl Held {
    /// Appends to `output` the whole blocks of what is held and `input`, and holds the rest. With
    /// `keep`, the last block is held even if it is whole. Returns where the new blocks begin.
    fn take(&mut self, input: &[u8], keep: bool, output: &mut Vec<u8>) -> usize {
        let total = self.0.len() + input.len();
        let ready = whole(total, keep);
        let start = output.len();
        if ready == 0 {
            self.0.extend_from_slice(input);
            return start;
        }
        let (now, later) = input.split_at(ready - self.0.len());
        output.extend_from_slice(&self.0);
        output.extend_from_slice(now);
        self.0.clear();
        self.0.extend_from_slice(later);
        start
    }
}

/// How many of `total` bytes can be processed: whole blocks, less the last one with `keep`.
fn whole(total: usize, keep: bool) -> usize {
    if keep { total.saturating_sub(1) / 16 * 16 } else { total / 16 * 16 }
}

fn cells(bytes: &mut [u8]) -> &mut [Cell] {
    Cell::slice_as_chunks_mut(bytes).0
}

struct Encrypting<M> {
    mode: M,
    held: Held,
    padded: bool,
}

impl<M: BlockModeEncrypt + BlockSizeUser<BlockSize = U16> + Send> Stream for Encrypting<M> {
    fn update_bound(&self, input: usize) -> usize {
        whole(self.held.0.len() + input, false)
    }

    fn update(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result {
        let start = self.held.take(input, false, output);
        self.mode.encrypt_blocks(cells(&mut output[start..]));
        Ok(())
    }

    fn finish_bound(&self, input: usize) -> usize {
        let total = self.held.0.len() + input;
        if self.padded { total / 16 * 16 + 16 } else { total.next_multiple_of(16) }
    }

    fn finish(mut self: Box<Self>, output: &mut Vec<u8>) -> Result {
        if self.padded {
            let missing = 16 - self.held.0.len();
            let padding = [missing as u8; 16];
            return self.update(&padding[..missing], output);
        }
        ensure(self.held.0.is_empty(), CKR_DATA_LEN_RANGE)
    }
}

struct Decrypting<M> {
    mode: M,
    held: Held,
    padded: bool,
}

impl<M: BlockModeDecrypt + BlockSizeUser<BlockSize = U16> + Send> Stream for Decrypting<M> {
    fn update_bound(&self, input: usize) -> usize {
        whole(self.held.0.len() + input, self.padded)
    }

    fn update(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result {
        let start = self.held.take(input, self.padded, output);
        self.mode.decrypt_blocks(cells(&mut output[start..]));
        Ok(())
    }

    fn finish_bound(&self, input: usize) -> usize {
        self.held.0.len() + input
    }

    fn finish(mut self: Box<Self>, output: &mut Vec<u8>) -> Result {
        if !self.padded {
            return ensure(self.held.0.is_empty(), CKR_ENCRYPTED_DATA_LEN_RANGE);
        }
        let mut last: Zeroizing<[u8; 16]> = Zeroizing::new(
            self.held.0.as_slice().try_into().map_err(|_| Rv(CKR_ENCRYPTED_DATA_LEN_RANGE))?,
        );
        self.mode.decrypt_blocks(cells(&mut *last));
        output.extend_from_slice(&last[..unpadded(&last)?]);
        Ok(())
    }
}

/// How many bytes of the last block are not padding (PKCS#7), without branching on which byte of
/// it is wrong.
fn unpadded(block: &[u8; 16]) -> Result<usize> {
    let padding = block[15];
    let mut good = !padding.ct_eq(&0) & !padding.ct_gt(&16);
    for (byte, from_the_end) in block.iter().rev().zip(0..16) {
        good &= byte.ct_eq(&padding) | !padding.ct_gt(&from_the_end);
    }
    ensure(bool::from(good), CKR_ENCRYPTED_DATA_INVALID)?;
    Ok(16 - usize::from(padding))
}

struct Counter<S>(S);

impl<S: StreamCipher + Send> Stream for Counter<S> {
    fn update_bound(&self, input: usize) -> usize {
        input
    }

    fn update(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result {
        let start = output.len();
        output.extend_from_slice(input);
        self.0.try_apply_keystream(&mut output[start..]).map_err(|_| Rv(CKR_DATA_LEN_RANGE))
    }

    fn finish_bound(&self, input: usize) -> usize {
        input
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(mode: Mode, direction: Direction) -> Box<dyn Stream> {
        start(&[7; 16], (Block::Sm4, mode), &[9; 16], direction).unwrap()
    }

    fn in_pieces(mut stream: Box<dyn Stream>, input: &[u8], piece: usize) -> Result<Vec<u8>> {
        let mut output = Vec::new();
        for piece in input.chunks(piece) {
            let before = output.len();
            let bound = stream.update_bound(piece.len());
            stream.update(piece, &mut output)?;
            assert_eq!(output.len() - before, bound, "as announced");
        }
        let (before, bound) = (output.len(), stream.finish_bound(0));
        stream.finish(&mut output)?;
        assert!(output.len() - before <= bound);
        Ok(output)
    }

    #[test]
    fn pieces_of_any_length() {
        let plaintext: Vec<u8> = (0..96).collect();
        for mode in [Mode::Ecb, Mode::Cbc, Mode::CbcPad, Mode::Ctr] {
            for len in [0, 1, 15, 16, 17, 32, 95, 96] {
                let plaintext = &plaintext[..len];
                let whole = in_pieces(stream(mode, Direction::Encrypt), plaintext, 200);
                if matches!(mode, Mode::Ecb | Mode::Cbc) && len % 16 != 0 {
                    assert_eq!(whole, fail(CKR_DATA_LEN_RANGE));
                    continue;
                }
                let whole = whole.unwrap();
                for piece in [1, 5, 16, 33] {
                    let again = in_pieces(stream(mode, Direction::Encrypt), plaintext, piece);
                    assert_eq!(again.unwrap(), whole);
                    let opened = in_pieces(stream(mode, Direction::Decrypt), &whole, piece);
                    assert_eq!(opened.unwrap(), plaintext);
                }
            }
        }
    }

    #[test]
    fn padding() {
        for padding in 0..=255 {
            let mut block = [padding; 16];
            let good = (1..=16).contains(&padding);
            assert_eq!(unpadded(&block).is_ok(), good, "{padding}");
            if good && padding > 1 {
                block[16 - usize::from(padding)] ^= 1;
                assert!(unpadded(&block).is_err());
            }
        }
        let empty = in_pieces(stream(Mode::CbcPad, Direction::Decrypt), &[], 1);
        assert_eq!(empty, fail(CKR_ENCRYPTED_DATA_LEN_RANGE));
    }
}
