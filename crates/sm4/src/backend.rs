//! Chooses the kernels. All backends share one interface, so that each can be tested against
//! [`portable`], the oracle. A backend takes any number of blocks; how many it works on at once
//! is its own affair, [`PARALLEL_BLOCKS`] is only the batch that suits all of them.
//!
//! `--cfg gmkit_without="NAME"` compiles a backend out. Which one runs is the CPU's choice, but for
//! programs that test or measure all of them (feature `backend-choice`).

// Targets without an operating system have no vectors by default, and no way to ask for them.
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
#[allow(unsafe_code, reason = "kernels, which demand a token of the CPU's features")]
mod aarch64;
#[cfg(any(
    all(target_arch = "aarch64", target_endian = "little"),
    all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi")))
))]
mod affine;
#[cfg(any(
    all(target_arch = "aarch64", target_endian = "little"),
    all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi")))
))]
mod cpu;
#[cfg(any(
    all(target_arch = "aarch64", target_endian = "little"),
    all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi")))
))]
mod drive;
mod portable;
mod schedule;
#[cfg(test)]
mod tests;
#[cfg(all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi"))))]
#[allow(unsafe_code, reason = "kernels, which demand a token of the CPU's features")]
mod x86;

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
use aarch64::KERNELS;
#[cfg(all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi"))))]
use x86::KERNELS;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    BLOCK_SIZE,
    block::{InOutBlocks, xor},
};

pub(crate) type Block = [u8; BLOCK_SIZE];

/// Round keys, in the form that their backend wants.
pub(crate) type RoundKeys = [u32; 32];

/// What multiplies by H and its powers, in the form that its backend wants.
pub(crate) type HashKey = [u128; 16];

/// Blocks to hand over at once, where there are as many.
pub(crate) const PARALLEL_BLOCKS: usize = 64;

/// A way to compute SM4 and GHASH. The implementing type is a token: a value of it exists only where
/// the CPU has what the kernels need.
pub(crate) trait Backend: Sync {
    /// Key expansion, GB/T 32907-2016, 7.3.
    fn schedule(&self, key: &Block) -> RoundKeys;

    /// Encrypts each block in place.
    fn encrypt(&self, rk: &RoundKeys, blocks: &mut [Block]);

    /// Decrypts each block in place: encryption with the round keys reversed.
    fn decrypt(&self, rk: &RoundKeys, blocks: &mut [Block]);

    /// Encrypts, or decrypts, each block between two additions of its mask. There are as many masks as
    /// blocks.
    fn masked(&self, rk: &RoundKeys, blocks: &mut [Block], masks: &[Block], decrypt: bool) {
        xor(blocks.as_flattened_mut(), masks.as_flattened());
        if decrypt {
            self.decrypt(rk, blocks);
        } else {
            self.encrypt(rk, blocks);
        }
        xor(blocks.as_flattened_mut(), masks.as_flattened());
    }

    /// Adds the encryption of `counter`, `counter + 1`, ... to whole blocks. Only the last 32 bits are
    /// counted, most significant byte first: they wrap, and the others stay.
    fn ctr(&self, rk: &RoundKeys, counter: &Block, data: InOutBlocks<'_, '_>);

    /// Prepares H for [`Backend::hash`].
    fn hash_key(&self, h: &Block) -> HashKey;

    /// GHASH (NIST SP 800-38D, 6.4): y = (y + block)·H for each block.
    fn hash(&self, key: &HashKey, y: &mut Block, blocks: &[Block]);
}

/// The last four bytes of a counter.
fn last_word(counter: &Block) -> u32 {
    u32::from_be_bytes(counter.as_chunks().0[3])
}

/// `counter` with the last word `count`, `count + 1`, ...
fn fill_counters(blocks: &mut [Block], counter: &Block, count: u32) {
    for (i, block) in (0..).zip(blocks) {
        *block = *counter;
        block.as_chunks_mut().0[3] = count.wrapping_add(i).to_be_bytes();
    }
}

/// A backend's name, and how to get it where the CPU has it.
type Candidate = (&'static str, fn() -> Option<&'static dyn Backend>);

/// The kernels compiled in, preferred first.
#[cfg(not(any(
    all(target_arch = "aarch64", target_endian = "little"),
    all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi")))
)))]
const KERNELS: &[Candidate] = &[];

static PORTABLE: Candidate = ("portable", || Some(&portable::Portable));

/// The backends compiled in, preferred first.
fn candidates() -> impl Iterator<Item = &'static Candidate> {
    KERNELS.iter().chain(core::slice::from_ref(&PORTABLE))
}

/// The backends compiled in, preferred first, and whether this CPU has what they need.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, bool)> {
    candidates().map(|(name, detect)| (*name, detect().is_some()))
}

/// The backend for new keys, the first that this CPU has, and its name.
pub(crate) fn chosen() -> (&'static str, &'static dyn Backend) {
    let candidates = candidates();
    #[cfg(feature = "backend-choice")]
    let candidates = candidates.skip(preference::first());
    candidates
        .filter_map(|(name, detect)| Some((*name, detect()?)))
        .next()
        .unwrap_or((PORTABLE.0, &portable::Portable))
}

#[cfg(feature = "backend-choice")]
pub(crate) mod preference {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::{Candidate, candidates};

    static FIRST: AtomicUsize = AtomicUsize::new(0);

    /// Where the search for a backend begins.
    pub(super) fn first() -> usize {
        FIRST.load(Ordering::Relaxed)
    }

    /// New keys use this backend from now on, or the CPU's choice again. `false`, and no change,
    /// where the CPU has not got it.
    pub(crate) fn set(wanted: Option<&str>) -> bool {
        let is_wanted = |(name, detect): &Candidate| {
            wanted.is_none_or(|wanted| *name == wanted && detect().is_some())
        };
        let found = candidates().position(is_wanted);
        found.into_iter().for_each(|at| FIRST.store(at, Ordering::Relaxed));
        found.is_some()
    }
}

/// An expanded key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key {
    rk: RoundKeys,
    #[zeroize(skip)]
    backend: &'static dyn Backend,
}

impl Key {
    pub(crate) fn new(key: &Block) -> Self {
        Self::with(chosen().1, key)
    }

    fn with(backend: &'static dyn Backend, key: &Block) -> Self {
        Self { rk: backend.schedule(key), backend }
    }

    pub(crate) fn encrypt_blocks(&self, blocks: &mut [Block]) {
        self.backend.encrypt(&self.rk, blocks);
    }

    pub(crate) fn decrypt_blocks(&self, blocks: &mut [Block]) {
        self.backend.decrypt(&self.rk, blocks);
    }

    /// Adds the encryption of `counter`, `counter + 1`, ... to whole blocks, counting as
    /// [`Backend::ctr`] does.
    pub(crate) fn ctr(&self, counter: &Block, data: InOutBlocks<'_, '_>) {
        self.backend.ctr(&self.rk, counter, data);
    }

    /// Encrypts, or decrypts, each block between two additions of its mask.
    pub(crate) fn masked(&self, blocks: &mut [Block], masks: &[Block], decrypt: bool) {
        assert_eq!(blocks.len(), masks.len(), "as many masks as blocks");
        self.backend.masked(&self.rk, blocks, masks, decrypt);
    }
}
