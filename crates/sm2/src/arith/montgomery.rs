//! What the two moduli have in common: a residue in Montgomery form around fiat-crypto's functions.

/// Defines a residue type over one of fiat-crypto's moduli. `modulus` is least significant word
/// first. All operations are constant time; names say where they are not.
macro_rules! montgomery {
    (
        $(#[$doc:meta])* $name:ident, modulus: $modulus:expr,
        domain: $mont:ident, $plain:ident,
        $mul:ident, $add:ident, $sub:ident, $opp:ident, $to:ident, $from:ident
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name($mont);

        impl $name {
            /// Least significant word first.
            pub(crate) const MODULUS: [u64; 4] = $modulus;
            pub(crate) const ZERO: Self = Self($mont([0; 4]));
            pub(crate) const ONE: Self = Self::from_words([1, 0, 0, 0]);

            /// From a number below the modulus, least significant word first.
            pub(crate) const fn from_words(words: [u64; 4]) -> Self {
                let mut out = $mont([0; 4]);
                $to(&mut out, &$plain(words));
                Self(out)
            }

            /// Big-endian bytes of a number below the modulus; `None` for anything else.
            pub(crate) fn from_bytes(bytes: &[u8; 32]) -> CtOption<Self> {
                let words = words_from_be(bytes);
                let (_, borrow) = sub_words(&words, &Self::MODULUS);
                // What is not below the modulus must not reach fiat's code.
                let safe = core::array::from_fn(|i| u64::conditional_select(&0, &words[i], borrow));
                CtOption::new(Self::from_words(safe), borrow)
            }

            pub(crate) fn to_words(self) -> [u64; 4] {
                let mut out = $plain([0; 4]);
                $from(&mut out, &self.0);
                out.0
            }

            pub(crate) fn to_bytes(self) -> [u8; 32] {
                let mut out = [0; 32];
                for (bytes, word) in out.as_chunks_mut::<8>().0.iter_mut().rev().zip(self.to_words()) {
                    *bytes = word.to_be_bytes();
                }
                out
            }

            pub(crate) fn is_zero(&self) -> Choice {
                self.ct_eq(&Self::ZERO)
            }
        }

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, rhs: Self) -> Self {
                let mut out = $mont([0; 4]);
                $add(&mut out, &self.0, &rhs.0);
                Self(out)
            }
        }

        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, rhs: Self) -> Self {
                let mut out = $mont([0; 4]);
                $sub(&mut out, &self.0, &rhs.0);
                Self(out)
            }
        }

        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, rhs: Self) -> Self {
                let mut out = $mont([0; 4]);
                $mul(&mut out, &self.0, &rhs.0);
                Self(out)
            }
        }

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                let mut out = $mont([0; 4]);
                $opp(&mut out, &self.0);
                Self(out)
            }
        }

        impl ConstantTimeEq for $name {
            // fiat keeps residues fully reduced, so equal numbers have equal words.
            fn ct_eq(&self, other: &Self) -> Choice {
                self.0.0.ct_eq(&other.0.0)
            }
        }

        impl ConditionallySelectable for $name {
            #[inline(always)]
            fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
                Self($mont(core::array::from_fn(|i| {
                    u64::conditional_select(&a.0.0[i], &b.0.0[i], choice)
                })))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.ct_eq(other).into()
            }
        }

        impl Eq for $name {}

        impl DefaultIsZeroes for $name {}

        impl Default for $name {
            fn default() -> Self {
                Self::ZERO
            }
        }
    };
}

pub(super) use montgomery;

use subtle::Choice;

pub(super) fn words_from_be(bytes: &[u8; 32]) -> [u64; 4] {
    let words = bytes.as_chunks::<8>().0;
    core::array::from_fn(|i| u64::from_be_bytes(words[3 - i]))
}

/// a - b, and whether a borrow was left, that is whether a < b.
pub(super) fn sub_words(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], Choice) {
    let mut borrow = 0;
    let difference = core::array::from_fn(|i| {
        let wide = u128::from(a[i]).wrapping_sub(u128::from(b[i]) + u128::from(borrow));
        borrow = (wide >> 64) as u64 & 1;
        wide as u64
    });
    (difference, Choice::from(borrow as u8))
}
