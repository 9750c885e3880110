//! Portable SM3 compression: 32-bit words, no tables, no data-dependent branch.

use digest::zeroize::Zeroize;

use super::{Backend, Block, Lanes, MAX_LANES};
use crate::consts::T;

/// One step of GB/T 32905-2016, 5.3.3. Instead of moving eight registers along, the step updates
/// the four that change in place and the caller rotates the names; after four steps the names are
/// back where they started.
///
/// `$w` is W_j and `$sum` W'_j.
macro_rules! step {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident,
     $ff:ident, $gg:ident, $w:expr, $sum:expr, $t:expr) => {
        let a12 = $a.rotate_left(12);
        let ss1 = $e.wrapping_add(a12.wrapping_add($t)).rotate_left(7);
        let dw = $d.wrapping_add($sum);
        let hw = $h.wrapping_add($w);
        $d = dw.wrapping_add($ff($a, $b, $c)).wrapping_add(ss1 ^ a12);
        $h = $crate::backend::portable::p0(hw.wrapping_add($gg($e, $f, $g)).wrapping_add(ss1));
        $b = $b.rotate_left(9);
        $f = $f.rotate_left(19);
    };
}

/// Four steps from each `$j` on. `$next` yields W_(j+4): expanding the message step by step, four words
/// ahead, keeps that work in the gaps of the dependency chain through `$a` and `$e`.
macro_rules! steps {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident,
     $ff:ident, $gg:ident, $next:ident, $w:ident, $($j:literal)*) => {$(
        let (w, w4) = ($w[$j % 16], $next(&mut $w, $j + 4));
        step!($a $b $c $d $e $f $g $h, $ff, $gg, w, w ^ w4, const { T[$j] });
        let (w, w4) = ($w[($j + 1) % 16], $next(&mut $w, $j + 5));
        step!($d $a $b $c $h $e $f $g, $ff, $gg, w, w ^ w4, const { T[$j + 1] });
        let (w, w4) = ($w[($j + 2) % 16], $next(&mut $w, $j + 6));
        step!($c $d $a $b $g $h $e $f, $ff, $gg, w, w ^ w4, const { T[$j + 2] });
        let (w, w4) = ($w[($j + 3) % 16], $next(&mut $w, $j + 7));
        step!($b $c $d $a $f $g $h $e, $ff, $gg, w, w ^ w4, const { T[$j + 3] });
    )*};
}

#[cfg(all(target_arch = "x86_64", not(any(target_os = "none", target_os = "uefi"))))]
pub(super) use step;

/// Needs nothing that not every CPU has.
pub(super) struct Portable;

impl Backend for Portable {
    fn compress(&self, state: &mut [u32; 8], blocks: &[Block]) {
        compress(state, blocks);
    }

    fn compress_lanes(&self, states: &mut Lanes, blocks: &[&[Block]; MAX_LANES]) {
        let mut state = core::array::from_fn(|i| states[i][0]);
        compress(&mut state, blocks[0]);
        states.iter_mut().zip(state).for_each(|(words, word)| words[0] = word);
        state.zeroize();
    }
}

/// Inlined, so that a backend can compile it for a newer CPU.
#[inline(always)]
pub(super) fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    let mut w = [0; 16];
    for block in blocks {
        w = compress_one(state, block);
    }
    // The last words of the expansion determine the block, which may hold a key (HMAC).
    w.zeroize();
}

/// Returns the words that are left of the message expansion, for the caller to wipe.
#[inline(always)]
fn compress_one(state: &mut [u32; 8], block: &Block) -> [u32; 16] {
    // The last sixteen words W_(j-12)..W_(j+3), W_i at index i mod 16.
    let mut w: [u32; 16] = core::array::from_fn(|i| u32::from_be_bytes(block.as_chunks().0[i]));
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;

    steps!(a b c d e f g h, parity, parity, given, w, 0 4 8);
    steps!(a b c d e f g h, parity, parity, expanded, w, 12);
    steps!(a b c d e f g h, majority, choose, expanded, w, 16 20 24 28 32 36 40 44 48 52 56 60);

    for (v, x) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *v ^= x;
    }
    w
}

/// W_i for i < 16: a word of the message.
#[inline(always)]
fn given(w: &mut [u32; 16], i: usize) -> u32 {
    w[i]
}

/// W_i for i >= 16, message expansion of 5.3.2. It takes the place of W_(i-16).
#[inline(always)]
fn expanded(w: &mut [u32; 16], i: usize) -> u32 {
    let x = w[i % 16] ^ w[(i - 9) % 16] ^ w[(i - 3) % 16].rotate_left(15);
    w[i % 16] = p1(x) ^ w[(i - 13) % 16].rotate_left(7) ^ w[(i - 6) % 16];
    w[i % 16]
}

#[inline(always)]
pub(super) fn p0(x: u32) -> u32 {
    x ^ x.rotate_left(9) ^ x.rotate_left(17)
}

#[inline(always)]
fn p1(x: u32) -> u32 {
    // x + x<<<15 + x<<<23 with one register copy less; off the dependency chain, so worth it.
    x ^ (x ^ x.rotate_left(8)).rotate_left(15)
}

#[inline(always)]
pub(super) fn parity(x: u32, y: u32, z: u32) -> u32 {
    x ^ y ^ z
}

/// Both terms have no bit in common, so a sum does for "or", and the compiler may reorder it among
/// the other sums: x, the youngest value of the dependency chain, then enters last.
#[inline(always)]
pub(super) fn majority(x: u32, y: u32, z: u32) -> u32 {
    (y & z).wrapping_add((y ^ z) & x)
}

#[inline(always)]
pub(super) fn choose(x: u32, y: u32, z: u32) -> u32 {
    ((y ^ z) & x) ^ z
}
