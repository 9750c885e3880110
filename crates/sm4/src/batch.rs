//! Many independent messages under one key, at once. CBC encryption and CMAC cannot work on the
//! blocks of one message in parallel; over many messages they can, one lane for each.

use core::fmt;

use zeroize::Zeroize;

use crate::{BLOCK_SIZE, Sm4, backend::PARALLEL_BLOCKS, block::xor};

type Block = [u8; BLOCK_SIZE];

/// A message of whole blocks that is to be encrypted in place, with its own IV.
pub struct CbcMessage<'m> {
    /// Must be unpredictable. Is not changed.
    pub iv: [u8; 16],
    /// The message, padded by the caller.
    pub blocks: &'m mut [[u8; 16]],
}

/// Not the blocks: they are plaintext before, and ciphertext after.
impl fmt::Debug for CbcMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CbcMessage({} blocks)", self.blocks.len())
    }
}

/// CBC encryption of messages of any, also of different, lengths.
///
/// ```
/// use gmkit_sm4::{Sm4, batch::{CbcMessage, cbc_encrypt}};
///
/// let (mut short, mut long) = ([[1; 16]; 2], [[2; 16]; 5]);
/// cbc_encrypt(&Sm4::new(&[7; 16]), &mut [
///     CbcMessage { iv: [3; 16], blocks: &mut short },
///     CbcMessage { iv: [4; 16], blocks: &mut long },
/// ]);
/// assert_ne!(short, [[1; 16]; 2]);
/// ```
pub fn cbc_encrypt(cipher: &Sm4, messages: &mut [CbcMessage<'_>]) {
    run(cipher, messages);
}

/// CMAC (NIST SP 800-38B) of messages of any, also of different, lengths: one tag for each, in
/// their order.
///
/// ```
/// use gmkit_sm4::{Sm4, batch::cmac};
///
/// let mut tags = [[0; 16]; 2];
/// cmac(&Sm4::new(&[7; 16]), &[b"one message", b"and another"], &mut tags);
/// assert_ne!(tags[0], tags[1]);
/// ```
///
/// # Panics
/// When there are not as many tags as messages.
pub fn cmac(cipher: &Sm4, messages: &[&[u8]], tags: &mut [[u8; 16]]) {
    assert_eq!(messages.len(), tags.len(), "as many tags as messages");
    let mut subkeys = Subkeys::new(cipher);
    for (messages, tags) in messages.chunks(PARALLEL_BLOCKS).zip(tags.chunks_mut(PARALLEL_BLOCKS)) {
        let mut parts: [CmacMessage<'_>; PARALLEL_BLOCKS] = core::array::from_fn(|i| {
            let message = messages.get(i).copied().unwrap_or_default();
            CmacMessage { message, subkeys: &subkeys, tag: [0; BLOCK_SIZE] }
        });
        run(cipher, &mut parts[..messages.len()]);
        tags.iter_mut().zip(&parts).for_each(|(tag, part)| *tag = part.tag);
    }
    subkeys.zeroize();
}

/// A message whose blocks are chained.
trait Chained {
    fn start(&self) -> Block;
    /// Number of blocks.
    fn len(&self) -> usize;
    /// Adds block `at` to the chain, before the cipher.
    fn absorb(&self, at: usize, chain: &mut Block);
    /// Takes the chain after the cipher.
    fn emit(&mut self, at: usize, chain: &Block);
}

/// What a lane works on.
#[derive(Clone, Copy)]
struct Lane {
    message: usize,
    /// The block that is next.
    at: usize,
    /// Blocks that are left.
    left: usize,
}

/// Keeps all lanes busy: where a message ends, the next one starts. Between two ends nothing but
/// blocks is looked at.
fn run<M: Chained>(cipher: &Sm4, messages: &mut [M]) {
    let mut chains = [[0; BLOCK_SIZE]; PARALLEL_BLOCKS];
    let mut lanes = [Lane { message: 0, at: 0, left: 0 }; PARALLEL_BLOCKS];
    let (mut active, mut next) = (0, 0);
    loop {
        while active < PARALLEL_BLOCKS && next < messages.len() {
            let left = messages[next].len();
            if left > 0 {
                chains[active] = messages[next].start();
                lanes[active] = Lane { message: next, at: 0, left };
                active += 1;
            }
            next += 1;
        }
        let Some(steps) = lanes[..active].iter().map(|lane| lane.left).min() else { break };
        for _ in 0..steps {
            advance(cipher, messages, &mut lanes[..active], &mut chains[..active]);
        }
        for i in (0..active).rev() {
            lanes[i].left -= steps;
            if lanes[i].left == 0 {
                active -= 1;
                chains[i] = chains[active];
                lanes[i] = lanes[active];
            }
        }
    }
    chains.as_flattened_mut().zeroize();
}

/// One block of each lane.
fn advance<M: Chained>(cipher: &Sm4, messages: &mut [M], lanes: &mut [Lane], chains: &mut [Block]) {
    for (chain, lane) in chains.iter_mut().zip(&*lanes) {
        messages[lane.message].absorb(lane.at, chain);
    }
    cipher.encrypt(chains);
    for (chain, lane) in chains.iter().zip(lanes) {
        messages[lane.message].emit(lane.at, chain);
        lane.at += 1;
    }
}

impl Chained for CbcMessage<'_> {
    fn start(&self) -> Block {
        self.iv
    }

    fn len(&self) -> usize {
        self.blocks.len()
    }

    fn absorb(&self, at: usize, chain: &mut Block) {
        xor(chain, &self.blocks[at]);
    }

    fn emit(&mut self, at: usize, chain: &Block) {
        self.blocks[at] = *chain;
    }
}

/// K1 and K2 of SP 800-38B, 6.1.
#[derive(Zeroize)]
struct Subkeys {
    whole: Block,
    padded: Block,
}

impl Subkeys {
    fn new(cipher: &Sm4) -> Self {
        let mut l = [[0; BLOCK_SIZE]];
        cipher.encrypt(&mut l);
        let mut k1 = double(u128::from_be_bytes(l[0]));
        let subkeys = Self { whole: k1.to_be_bytes(), padded: double(k1).to_be_bytes() };
        k1.zeroize();
        l.as_flattened_mut().zeroize();
        subkeys
    }
}

fn double(x: u128) -> u128 {
    (x << 1) ^ (0x87 & core::hint::black_box(x >> 127).wrapping_neg())
}

struct CmacMessage<'m> {
    message: &'m [u8],
    subkeys: &'m Subkeys,
    tag: Block,
}

impl Chained for CmacMessage<'_> {
    fn start(&self) -> Block {
        [0; BLOCK_SIZE]
    }

    fn len(&self) -> usize {
        self.message.len().div_ceil(BLOCK_SIZE).max(1)
    }

    fn absorb(&self, at: usize, chain: &mut Block) {
        let rest = &self.message[at * BLOCK_SIZE..];
        let block = &rest[..rest.len().min(BLOCK_SIZE)];
        xor(chain, block);
        if rest.len() < BLOCK_SIZE {
            chain[rest.len()] ^= 0x80;
            xor(chain, &self.subkeys.padded);
        } else if rest.len() == BLOCK_SIZE {
            xor(chain, &self.subkeys.whole);
        }
    }

    fn emit(&mut self, _: usize, chain: &Block) {
        self.tag = *chain; // the last one stays
    }
}

impl Drop for CmacMessage<'_> {
    fn drop(&mut self) {
        self.tag.zeroize();
    }
}
