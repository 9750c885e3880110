//! The constants of the key schedule, GB/T 32907-2016, 6.3.

/// System parameter.
pub(super) const FK: [u32; 4] = [0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc];

/// Byte j of word i, most significant first, is 7(4i + j) mod 256.
pub(super) const CK: [u32; 32] = {
    let (mut out, mut i) = ([0; 32], 0);
    while i < 32 {
        let first = 28 * i as u32;
        out[i] = u32::from_be_bytes([
            first as u8,
            (first + 7) as u8,
            (first + 14) as u8,
            (first + 21) as u8,
        ]);
        i += 1;
    }
    out
};
