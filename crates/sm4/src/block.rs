//! The block cipher type and the `cipher` traits.

use core::{fmt, slice};

use cipher::{
    AlgorithmName, Block, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt,
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, InOut,
    InOutBuf, Key as CipherKey, KeyInit, KeySizeUser, ParBlocks, ParBlocksSizeUser,
    array::Array,
    consts::{U16, U64},
};
use zeroize::ZeroizeOnDrop;

use crate::{KEY_SIZE, backend};

/// SM4 with an expanded key. Zeroized on drop.
///
/// Implements the `cipher` traits, so it works under `ctr`, `cbc`, `cmac` and the like. On many
/// blocks at once it is several times as fast as block by block.
///
/// ```
/// use gmkit_sm4::{Sm4, cipher::BlockCipherEncrypt};
///
/// // GB/T 32907-2016, annex A.1
/// let key = *b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10";
/// let mut block = key.into();
/// Sm4::new(&key).encrypt_block(&mut block);
/// assert_eq!(block[..4], [0x68, 0x1e, 0xdf, 0x34]);
/// ```
#[derive(Clone)]
pub struct Sm4 {
    key: backend::Key,
}

impl Sm4 {
    /// Expands a 16-byte key. Takes about as long as encrypting one block.
    #[must_use]
    pub fn new(key: &[u8; KEY_SIZE]) -> Self {
        Self { key: backend::Key::new(key) }
    }

    pub(crate) fn encrypt(&self, blocks: &mut [[u8; 16]]) {
        self.key.encrypt_blocks(blocks);
    }

    /// Adds keystream to whole blocks; of the counter only the last 32 bits are counted, and wrap.
    pub(crate) fn ctr(&self, counter: &[u8; 16], data: InOutBlocks<'_, '_>) {
        self.key.ctr(counter, data);
    }

    /// Encrypts, or decrypts, each block between two additions of its mask.
    pub(crate) fn masked(&self, blocks: &mut [[u8; 16]], masks: &[[u8; 16]], decrypt: bool) {
        self.key.masked(blocks, masks, decrypt);
    }

    pub(crate) fn decrypt(&self, blocks: &mut [[u8; 16]]) {
        self.key.decrypt_blocks(blocks);
    }
}

impl fmt::Debug for Sm4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sm4 { .. }")
    }
}

impl AlgorithmName for Sm4 {
    fn write_alg_name(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SM4")
    }
}

// The key zeroizes itself.
impl ZeroizeOnDrop for Sm4 {}

impl KeySizeUser for Sm4 {
    type KeySize = U16;
}

impl KeyInit for Sm4 {
    fn new(key: &CipherKey<Self>) -> Self {
        Self::new(&key.0)
    }
}

impl BlockSizeUser for Sm4 {
    type BlockSize = U16;
}

impl ParBlocksSizeUser for Sm4 {
    type ParBlocksSize = U64;
}

const _: () = assert!(backend::PARALLEL_BLOCKS == 64, "ParBlocksSize must follow the backend");

impl BlockCipherEncrypt for Sm4 {
    fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = U16>) {
        f.call(self);
    }
}

impl BlockCipherDecrypt for Sm4 {
    fn decrypt_with_backend(&self, f: impl BlockCipherDecClosure<BlockSize = U16>) {
        f.call(self);
    }
}

/// Copies input to output, where the in-place backend then works.
fn copied<'a>(blocks: InOutBuf<'_, 'a, Block<Sm4>>) -> &'a mut [[u8; 16]] {
    Array::cast_slice_to_core_mut(blocks.into_out_with_copied_in())
}

impl BlockCipherEncBackend for Sm4 {
    fn encrypt_block(&self, block: InOut<'_, '_, Block<Self>>) {
        self.encrypt(slice::from_mut(&mut block.into_out_with_copied_in().0));
    }

    fn encrypt_par_blocks(&self, blocks: InOut<'_, '_, ParBlocks<Self>>) {
        self.encrypt(copied(blocks.into_buf()));
    }

    fn encrypt_tail_blocks(&self, blocks: InOutBuf<'_, '_, Block<Self>>) {
        self.encrypt(copied(blocks));
    }
}

impl BlockCipherDecBackend for Sm4 {
    fn decrypt_block(&self, block: InOut<'_, '_, Block<Self>>) {
        self.decrypt(slice::from_mut(&mut block.into_out_with_copied_in().0));
    }

    fn decrypt_par_blocks(&self, blocks: InOut<'_, '_, ParBlocks<Self>>) {
        self.decrypt(copied(blocks.into_buf()));
    }

    fn decrypt_tail_blocks(&self, blocks: InOutBuf<'_, '_, Block<Self>>) {
        self.decrypt(copied(blocks));
    }
}

/// Adds `other` to `data`, as far as both go.
pub(crate) fn xor(data: &mut [u8], other: &[u8]) {
    data.iter_mut().zip(other).for_each(|(d, o)| *d ^= o);
}

/// Whole blocks, in place or from one buffer to another.
pub(crate) type InOutBlocks<'i, 'o> = InOutBuf<'i, 'o, Block<Sm4>>;

/// Adds `stream`, of the same length, from the input to the output.
pub(crate) fn xor_blocks(mut data: InOutBlocks<'_, '_>, stream: &[[u8; 16]]) {
    for (i, stream) in stream.iter().enumerate() {
        let input = u128::from_ne_bytes(data.get_in()[i].0);
        data.get_out()[i].0 = (input ^ u128::from_ne_bytes(*stream)).to_ne_bytes();
    }
}

/// Overwrites with zeros. As `zeroize` does it, but not byte by byte.
pub(crate) fn wipe(blocks: &mut [[u8; 16]]) {
    blocks.fill([0; 16]);
    zeroize::optimization_barrier(blocks);
}
