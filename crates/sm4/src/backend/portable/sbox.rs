//! The SM4 S-box as a Boolean circuit on bit planes.
//!
//! S(x) = A·inv(A·x + c) + c over GF(2^8) with x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1; GB/T
//! 32907-2016, 6.2 gives it as a table only. The inversion is Boyar and Peralta's tower-field
//! circuit for AES ("A small depth-16 circuit for the AES S-box", 2012). The linear maps into and
//! out of their basis were composed with A and with an isomorphism of the two fields, and
//! minimised by a greedy search: 22 + 62 + 31 = 115 gates. The constants are left to the caller,
//! see [`IN`] and [`OUT`]. The test compares all 256 inputs with the standard's table.

/// To be added to the circuit's input: A^-1·c.
pub(super) const IN: u8 = 0x75;

/// To be added to the circuit's output: c.
pub(super) const OUT: u8 = 0xd3;

/// Maps the eight bit planes of x + [`IN`] (least significant first) to those of S(x) + [`OUT`].
#[rustfmt::skip]
#[inline(always)]
pub(super) fn sbox([x0, x1, x2, x3, x4, x5, x6, x7]: [u32; 8]) -> [u32; 8] {
    // Into the tower field: the linear forms of x that the inversion needs.
    let a8 = x2 ^ x7; let a9 = x4 ^ a8; let a10 = x2 ^ x6; let a11 = x0 ^ a9; let a12 = x1 ^ a10;
    let a13 = a11 ^ a12; let a14 = x3 ^ x5; let a15 = x7 ^ a14; let a16 = a9 ^ a15;
    let a17 = a13 ^ a14; let a18 = x0 ^ a16; let a19 = x1 ^ a18; let a20 = x5 ^ a19;
    let a21 = a9 ^ a20; let a22 = a9 ^ a17; let a23 = a18 ^ a21; let a24 = x6 ^ a23;
    let a25 = x4 ^ a21; let a26 = a12 ^ a25; let a27 = a22 ^ a25; let a28 = a10 ^ a22;
    let a29 = a16 ^ a23;

    // Inversion in GF(((2^2)^2)^2), left as 18 products.
    let t2 = a24 & a23; let t3 = a28 & a16; let t4 = t3 ^ t2; let t5 = a26 & a29; let t6 = t5 ^ t2;
    let t7 = x1 & a18; let t8 = a10 & a15; let t9 = t8 ^ t7; let t10 = a12 & a11;
    let t11 = t10 ^ t7; let t12 = a25 & a20; let t13 = a27 & a21; let t14 = t13 ^ t12;
    let t15 = a22 & a9; let t16 = t15 ^ t12; let t17 = t4 ^ t14; let t18 = t6 ^ t16;
    let t19 = t9 ^ t14; let t20 = t11 ^ t16; let t21 = t17 ^ a8; let t22 = t18 ^ a17;
    let t23 = t19 ^ a19; let t24 = t20 ^ a13; let t25 = t21 ^ t22; let t26 = t21 & t23;
    let t27 = t24 ^ t26; let t28 = t25 & t27; let t29 = t28 ^ t22; let t30 = t23 ^ t24;
    let t31 = t22 ^ t26; let t32 = t31 & t30; let t33 = t32 ^ t24; let t34 = t23 ^ t33;
    let t35 = t27 ^ t33; let t36 = t24 & t35; let t37 = t36 ^ t34; let t38 = t27 ^ t36;
    let t39 = t29 & t38; let t40 = t25 ^ t39; let t41 = t40 ^ t37; let t42 = t29 ^ t33;
    let t43 = t29 ^ t40; let t44 = t33 ^ t37; let t45 = t42 ^ t41; let z0 = t44 & a23;
    let z1 = t37 & a16; let z2 = t33 & a29; let z3 = t43 & a18; let z4 = t40 & a15;
    let z5 = t29 & a11; let z6 = t42 & a20; let z7 = t45 & a21; let z8 = t41 & a9;
    let z9 = t44 & a24; let z10 = t37 & a28; let z11 = t33 & a26; let z12 = t43 & x1;
    let z13 = t40 & a10; let z14 = t29 & a12; let z15 = t42 & a25; let z16 = t45 & a27;
    let z17 = t41 & a22;

    // Out of the tower field and through A.
    let b18 = z0 ^ z10; let b19 = z9 ^ z15; let b20 = z6 ^ z14; let b21 = z5 ^ b18;
    let b22 = z13 ^ b20; let b23 = z17 ^ b19; let b24 = z7 ^ b22; let b25 = z1 ^ b21;
    let b26 = z8 ^ b25; let b27 = z16 ^ b26; let b28 = z4 ^ z11; let b29 = b19 ^ b27;
    let b30 = b23 ^ b24; let b31 = b22 ^ b28; let b32 = z4 ^ b30; let b33 = z2 ^ b28;
    let b34 = b24 ^ b33; let b35 = z1 ^ b30; let b36 = z4 ^ b29; let b37 = z13 ^ z16;
    let b38 = z7 ^ b29; let b39 = z12 ^ b37; let b40 = z3 ^ z10; let b41 = b18 ^ b35;
    let b42 = b21 ^ b34; let b43 = b26 ^ b31; let b44 = b32 ^ b40; let b45 = z3 ^ b38;
    let b46 = z15 ^ b39; let b47 = z11 ^ b23; let b48 = z6 ^ b36;
    [b45, b43, b44, b47, b48, b41, b42, b46]
}

#[cfg(test)]
mod tests {
    use super::{IN, OUT, sbox};

    /// GB/T 32907-2016, 6.2, as printed.
    const STANDARD: &[u8; 512] = b"\
        d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699\
        9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6\
        4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35\
        1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e\
        eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3\
        1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51\
        8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0\
        8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948";

    #[test]
    fn circuit_equals_the_standards_table() {
        let nibble = |c: u8| (c as char).to_digit(16).unwrap() as u8;
        for x in 0..=255u8 {
            let want = nibble(STANDARD[usize::from(x) * 2]) << 4
                | nibble(STANDARD[usize::from(x) * 2 + 1]);
            let planes = core::array::from_fn(|b| u32::from((x ^ IN) >> b & 1));
            let got = sbox(planes).iter().rev().fold(0, |y, &bit| y << 1 | (bit & 1) as u8);
            assert_eq!(got ^ OUT, want, "S({x:#04x})");
        }
    }
}
