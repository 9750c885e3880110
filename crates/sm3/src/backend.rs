//! Chooses the compression function. All backends share one interface, so that each can be tested
//! against [`portable`], the oracle.
//!
//! `--cfg gmkit_without="NAME"` compiles a backend out. Which one runs is the CPU's choice, but for
//! programs that test or measure all of them (feature `backend-choice`).

#[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
#[allow(unsafe_code, reason = "kernels, which demand a token of the CPU's features")]
mod aarch64;
#[cfg(any(
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"),
    all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi")))
))]
mod lanes;
mod portable;
#[cfg(test)]
mod tests;
// Targets without an operating system have no vectors by default, and no way to ask for them.
#[cfg(all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi"))))]
#[allow(unsafe_code, reason = "kernels, which demand a token of the CPU's features")]
mod x86;

pub(crate) type Block = [u8; crate::BLOCK_SIZE];

/// The most lanes that a backend has.
pub(crate) const MAX_LANES: usize = 16;

/// Chaining values of many messages: word i of lane j is at `[i][j]`.
pub(crate) type Lanes = [[u32; MAX_LANES]; 8];

/// A way to compute SM3. The implementing type is a token: a value of it exists only where the CPU
/// has what the kernels need.
pub(crate) trait Backend: Sync {
    /// CF of GB/T 32905-2016, 5.3.3, applied to each block in turn.
    fn compress(&self, state: &mut [u32; 8], blocks: &[Block]);

    /// How many messages [`Backend::compress_lanes`] works on at once; 1 where it does not.
    fn lanes(&self) -> usize {
        1
    }

    /// CF on as many messages as there are lanes. All `blocks` have the same length, also those
    /// behind the last lane, which make no difference.
    fn compress_lanes(&self, states: &mut Lanes, blocks: &[&[Block]; MAX_LANES]);
}

/// A backend's name, and how to get it where the CPU has it.
type Candidate = (&'static str, fn() -> Option<&'static dyn Backend>);

/// The kernels compiled in, preferred first.
#[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
use aarch64::KERNELS;
#[cfg(all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi"))))]
use x86::KERNELS;
#[cfg(not(any(
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"),
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

/// The backend, the first that this CPU has, and its name.
pub(crate) fn chosen() -> (&'static str, &'static dyn Backend) {
    let candidates = candidates();
    #[cfg(feature = "backend-choice")]
    let candidates = candidates.skip(preference::first());
    candidates
        .filter_map(|(name, detect)| Some((*name, detect()?)))
        .next()
        .unwrap_or((PORTABLE.0, &portable::Portable))
}

/// CF, applied to each block in turn.
pub(crate) fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    chosen().1.compress(state, blocks);
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

    /// This backend computes from now on, or the CPU's choice again. `false`, and no change, where
    /// the CPU has not got it.
    pub(crate) fn set(wanted: Option<&str>) -> bool {
        let is_wanted = |(name, detect): &Candidate| {
            wanted.is_none_or(|wanted| *name == wanted && detect().is_some())
        };
        let found = candidates().position(is_wanted);
        found.into_iter().for_each(|at| FIRST.store(at, Ordering::Relaxed));
        found.is_some()
    }
}
