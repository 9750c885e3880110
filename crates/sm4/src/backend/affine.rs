//! The S-box through the field of AES, whose inversion CPUs have as an instruction.
//!
//! SM4's S-box is S(x) = A·inv(A·x + c) + c modulo x^8+x^7+x^6+x^5+x^4+x^2+1. With an
//! isomorphism f into AES's field, S(x) = Q·inv(P·x + p) + c, where P = f·A, Q = A·f^-1, p = f(c)
//! and inv is AES's.
//!
//! The backends keep each byte x of the state as P·x. Then the input of a round needs no map of its
//! own, and the output has one map for each place that the linear layer moves a byte to:
//!
//! L(b) = b + b<<<2 + b<<<10 + b<<<18 + b<<<24 sends byte b_i to byte i by M0, to i+1 by M1, to i+2
//! by M1 again and to i+3 by M3 = M0 + M1; so what is left of a round are the products with
//! P·M·Q and rotations by whole bytes.
//!
//! All of it is computed by the compiler, from the definition.

use super::schedule::{CK, FK};

/// A linear map of bytes: the images of the eight bits, least significant first.
pub(super) type Map = [u8; 8];

/// c of the S-box.
const C: u8 = 0xd3;

const IDENTITY: Map = shift(0);

/// The image of `x`.
pub(super) const fn apply(map: &Map, x: u8) -> u8 {
    let (mut y, mut bit) = (0, 0);
    while bit < 8 {
        if x >> bit & 1 == 1 {
            y ^= map[bit];
        }
        bit += 1;
    }
    y
}

/// `second` after `first`.
const fn compose(second: &Map, first: &Map) -> Map {
    let (mut out, mut bit) = ([0; 8], 0);
    while bit < 8 {
        out[bit] = apply(second, first[bit]);
        bit += 1;
    }
    out
}

pub(super) const fn sum(a: &Map, b: &Map) -> Map {
    let (mut out, mut bit) = ([0; 8], 0);
    while bit < 8 {
        out[bit] = a[bit] ^ b[bit];
        bit += 1;
    }
    out
}

/// The inverse of a map that has one.
const fn inverse(map: &Map) -> Map {
    let (mut out, mut x) = ([0; 8], 0_u8);
    loop {
        let y = apply(map, x);
        if y.is_power_of_two() {
            out[y.trailing_zeros() as usize] = x;
        }
        if x == 255 {
            return out;
        }
        x += 1;
    }
}

/// x << n, or x >> -n.
const fn shift(n: i32) -> Map {
    let (mut out, mut bit) = ([0; 8], 0);
    while bit < 8 {
        let x = 1_u16 << bit;
        out[bit] = if n < 0 { x >> -n } else { x << n } as u8;
        bit += 1;
    }
    out
}

/// A product in AES's field.
const fn multiply(a: u8, b: u8) -> u8 {
    let (mut a, mut b, mut product) = (a as u16, b, 0);
    while b != 0 {
        if b & 1 == 1 {
            product ^= a;
        }
        a <<= 1;
        if a & 0x100 != 0 {
            a ^= 0x11b;
        }
        b >>= 1;
    }
    product as u8
}

/// An isomorphism from SM4's field to AES's: it sends x to a root, in AES's field, of the polynomial
/// that defines SM4's.
const ISOMORPHISM: Map = {
    const POLYNOMIAL: u16 = 0x1f5;
    let mut root = 2;
    loop {
        let (mut powers, mut value, mut power, mut i) = ([0; 8], 0, 1, 0);
        while i <= 8 {
            if POLYNOMIAL >> i & 1 == 1 {
                value ^= power;
            }
            if i < 8 {
                powers[i] = power;
            }
            power = multiply(power, root);
            i += 1;
        }
        if value == 0 {
            break powers;
        }
        root += 1;
    }
};

/// A of the S-box: row i is 0xa7 rotated left by i.
const A: Map = {
    let (mut out, mut row) = ([0; 8], 0);
    while row < 8 {
        let (mask, mut bit) = (0xa7_u8.rotate_left(row), 0);
        while bit < 8 {
            out[bit] |= (mask >> bit & 1) << row;
            bit += 1;
        }
        row += 1;
    }
    out
};

/// P: what the backends do to each byte of a block before the first round.
pub(super) const INTO: Map = compose(&ISOMORPHISM, &A);
/// Its inverse, after the last round.
pub(super) const OUT_OF: Map = inverse(&INTO);
const Q: Map = compose(&A, &inverse(&ISOMORPHISM));
/// p, which is a part of each round key.
pub(super) const IN: u8 = apply(&ISOMORPHISM, C);

/// The S-box itself, 6.2.
#[cfg(target_arch = "aarch64")]
pub(super) const S_BOX: [u8; 256] = {
    let (mut out, mut x) = ([0; 256], 0);
    while x < 256 {
        let y = apply(&INTO, x as u8) ^ IN;
        // The inverse is the power 254: 2 + 4 + ... + 128.
        let (mut power, mut inverse, mut i) = (y, 1, 0);
        while i < 7 {
            power = multiply(power, power);
            inverse = multiply(inverse, power);
            i += 1;
        }
        out[x] = apply(&Q, inverse) ^ C;
        x += 1;
    }
    out
};

/// P·M·Q.
const fn between(m: &Map) -> Map {
    compose(&INTO, &compose(m, &Q))
}

/// To the same byte, and to the next two; the sum of both goes to the last one.
pub(super) const M0: Map = between(&sum(&IDENTITY, &shift(2)));
pub(super) const M1: Map = between(&sum(&shift(2), &shift(-6)));
/// What c adds to each byte of a round's output, L(c). With c in all four bytes a rotation of the word
/// rotates each byte: L(c) = c + 3(c<<<2) + c = c<<<2.
pub(super) const OUT: u8 = apply(&INTO, C.rotate_left(2));

/// The same for the key schedule, L'(b) = b + b<<<13 + b<<<23.
pub(super) const KEY_M: [Map; 4] = [
    between(&IDENTITY),
    between(&shift(5)),
    between(&sum(&shift(-3), &shift(7))),
    between(&shift(-1)),
];

/// L'(c) in each byte, mapped: c and its rotations by 5 and 7.
pub(super) const KEY_OUT: u8 = apply(&INTO, C ^ C.rotate_left(5) ^ C.rotate_left(7));

/// A word whose bytes are mapped, in the order in which they stand in a block.
const fn mapped_word(word: u32, constant: u8) -> u32 {
    let (mut bytes, mut i) = (word.to_be_bytes(), 0);
    while i < 4 {
        bytes[i] = apply(&INTO, bytes[i]) ^ constant;
        i += 1;
    }
    u32::from_le_bytes(bytes)
}

const fn mapped<const N: usize>(words: &[u32; N], constant: u8) -> [u32; N] {
    let (mut out, mut i) = ([0; N], 0);
    while i < N {
        out[i] = mapped_word(words[i], constant);
        i += 1;
    }
    out
}

/// FK, mapped.
pub(super) const MAPPED_FK: [u32; 4] = mapped(&FK, 0);
/// CK, mapped, with p.
pub(super) const MAPPED_CK: [u32; 32] = mapped(&CK, IN);

/// The inverse of the map in AES's S-box, and its constant: inv(x) = map(AES(x)) + constant.
const AES: (Map, u8) = {
    let (mut map, mut bit) = ([0; 8], 0);
    while bit < 8 {
        map[bit] = 0x1f_u8.rotate_left(bit as u32);
        bit += 1;
    }
    let back = inverse(&map);
    (back, apply(&back, 0x63))
};

/// A map after AES's S-box instead of after the inversion.
pub(super) const fn after_aes(map: &Map) -> Map {
    compose(map, &AES.0)
}

/// What c and the constant of AES add to a round's output: through M0, M1, M1 and M3, which is through
/// M1. And the same in the key schedule.
pub(super) const AES_OUT: u8 = OUT ^ apply(&M1, AES.1);
pub(super) const AES_KEY_OUT: u8 = {
    let [a, b, c, d] = KEY_M;
    KEY_OUT ^ apply(&sum(&sum(&a, &b), &sum(&c, &d)), AES.1)
};

/// A map, and a constant, as tables of sixteen bytes for the low and for the high four bits.
pub(super) const fn nibbles(map: &Map, constant: u8) -> [[u8; 16]; 2] {
    let (mut out, mut x) = ([[0; 16]; 2], 0);
    while x < 16 {
        out[0][x as usize] = apply(map, x) ^ constant;
        out[1][x as usize] = apply(map, x << 4);
        x += 1;
    }
    out
}

/// Where each byte of a vector of words goes when the words are rotated left by `n` bytes. The first
/// byte in memory is the most significant one.
pub(super) const fn rotation<const BYTES: usize>(n: usize) -> [u8; BYTES] {
    let (mut out, mut i) = ([0; BYTES], 0);
    while i < BYTES {
        // Shuffles count from the beginning of each 128-bit lane.
        out[i] = (((i % 16) & !3) | ((i + n) % 4)) as u8;
        i += 1;
    }
    out
}

/// [`rotation`] of one vector after AES's ShiftRows, which it undoes.
pub(super) const fn rotation_after_aes(n: usize) -> [u8; 16] {
    let (rotation, mut out, mut i) = (rotation::<16>(n), [0; 16], 0);
    while i < 16 {
        // ShiftRows takes byte r of column c + r to byte r of column c.
        let (row, column) = (rotation[i] % 4, rotation[i] / 4);
        out[i] = row + 4 * ((column + 4 - row) % 4);
        i += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inverted(x: u8) -> u8 {
        (0..254).fold(1, |r, _| multiply(r, x))
    }

    #[test]
    fn the_maps_make_the_s_box() {
        // GB/T 32907-2016, 6.2: the first row, and the last byte of the table.
        const FIRST: [u8; 16] = [
            0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb,
            0x2c, 0x05,
        ];
        let s = |x| apply(&Q, inverted(apply(&INTO, x) ^ IN)) ^ C;
        #[cfg(target_arch = "aarch64")]
        assert!((0..=255).map(s).eq(S_BOX));
        for (x, want) in (0..).zip(FIRST) {
            assert_eq!(s(x), want);
        }
        assert_eq!(s(0xff), 0x48);
        for x in 0..=255 {
            assert_eq!(apply(&OUT_OF, apply(&INTO, x)), x);
        }
    }

    #[test]
    fn aes_s_box_is_an_inversion_and_a_map() {
        // FIPS 197, figure 7: the S-box of 0x53 is 0xed.
        assert_eq!(apply(&AES.0, 0xed) ^ AES.1, inverted(0x53));
        assert_eq!(apply(&AES.0, 0x63) ^ AES.1, 0);
    }
}
