//! The maps of bytes, those that only the kernels here use among them, and the forms in which GFNI
//! and the shuffles of x86-64 take them.

pub(super) use super::affine::*;

/// What goes to the last of the four bytes.
pub(super) const M3: Map = sum(&M0, &M1);

/// A map as the GFNI instructions take it: the mask of input bits for output bit i in byte 7 - i.
pub(super) const fn gfni(map: &Map) -> i64 {
    let (mut bytes, mut row) = ([0; 8], 0);
    while row < 8 {
        let mut bit = 0;
        while bit < 8 {
            bytes[7 - row] |= (map[bit] >> row & 1) << bit;
            bit += 1;
        }
        row += 1;
    }
    i64::from_le_bytes(bytes)
}

/// Where each byte goes when the bytes of each word change places.
pub(super) const fn swapped<const BYTES: usize>() -> [u8; BYTES] {
    let (mut out, mut i) = ([0; BYTES], 0);
    while i < BYTES {
        out[i] = ((i % 16) ^ 3) as u8;
        i += 1;
    }
    out
}
