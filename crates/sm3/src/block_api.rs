//! The block-level core that `digest` wraps with a buffer.

use core::fmt;

use digest::{
    HashMarker, Output,
    array::Array,
    block_api::{
        AlgorithmName, Block, BlockSizeUser, Buffer, BufferKindUser, Eager, FixedOutputCore,
        OutputSizeUser, Reset, UpdateCore,
    },
    typenum::{U32, U64},
    zeroize::{Zeroize, ZeroizeOnDrop},
};

use crate::{BLOCK_SIZE, backend::compress, consts::IV};

/// SM3 state without its block buffer: chaining value and block count.
#[derive(Clone)]
pub struct Sm3Core {
    v: [u32; 8],
    blocks: u64,
}

impl HashMarker for Sm3Core {}

impl BlockSizeUser for Sm3Core {
    type BlockSize = U64;
}

impl BufferKindUser for Sm3Core {
    type BufferKind = Eager;
}

impl OutputSizeUser for Sm3Core {
    type OutputSize = U32;
}

impl UpdateCore for Sm3Core {
    #[inline]
    fn update_blocks(&mut self, blocks: &[Block<Self>]) {
        self.blocks = self.blocks.wrapping_add(blocks.len() as u64);
        compress(&mut self.v, Array::cast_slice_to_core(blocks));
    }
}

impl FixedOutputCore for Sm3Core {
    #[inline]
    fn finalize_fixed_core(&mut self, buffer: &mut Buffer<Self>, out: &mut Output<Self>) {
        let bytes =
            self.blocks.wrapping_mul(BLOCK_SIZE as u64).wrapping_add(buffer.get_pos() as u64);
        let v = &mut self.v;
        buffer.len64_padding_be(bytes.wrapping_mul(8), |block| compress(v, &[block.0]));
        for (bytes, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(v) {
            *bytes = word.to_be_bytes();
        }
    }
}

impl Default for Sm3Core {
    fn default() -> Self {
        Self { v: IV, blocks: 0 }
    }
}

impl Reset for Sm3Core {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

impl AlgorithmName for Sm3Core {
    fn write_alg_name(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SM3")
    }
}

impl fmt::Debug for Sm3Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sm3Core { .. }")
    }
}

impl Drop for Sm3Core {
    fn drop(&mut self) {
        self.v.zeroize();
        self.blocks.zeroize();
    }
}

impl ZeroizeOnDrop for Sm3Core {}
