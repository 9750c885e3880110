//! Homogeneous coordinates with complete formulas: for secret multipliers.
//!
//! Additions are algorithms 4 and 5 of Renes, Costello and Batina, "Complete addition formulas
//! for prime order elliptic curves" (2016), for a = -3. They are correct for *every* pair of
//! points on a curve of odd order, the point at infinity and equal or opposite points included,
//! so no secret can steer a computation into an exceptional case: there is none. Doublings go through
//! Jacobian coordinates, where they have none either ([`Projective::double_times`]).

use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroize;

use super::{Affine, Jacobian, booth};
use crate::arith::{Field, FieldElement, Ring, Scalar};

/// (X : Y : Z) stands for (X/Z, Y/Z); the point at infinity is (0 : 1 : 0).
#[derive(Clone, Copy)]
pub(crate) struct Projective<F = FieldElement> {
    pub(crate) x: F,
    pub(crate) y: F,
    pub(crate) z: F,
}

/// Window width for multiplying an arbitrary point: digits in [-16, 16].
const WIDTH: usize = 5;

impl<F: Ring> Projective<F> {
    /// Algorithm 4.
    #[must_use]
    #[inline(always)]
    pub(crate) fn add(&self, rhs: &Self) -> Self {
        Self::combine(
            [self.x * rhs.x, self.y * rhs.y, self.z * rhs.z],
            (self.x + self.y) * (rhs.x + rhs.y),
            (self.y + self.z) * (rhs.y + rhs.z),
            (self.x + self.z) * (rhs.x + rhs.z),
        )
    }

    /// Algorithm 5: the other point has Z = 1.
    #[must_use]
    pub(crate) fn add_affine(&self, rhs: &Affine<F>) -> Self {
        let (xx, yy, zz) = (self.x * rhs.x, self.y * rhs.y, self.z);
        Self::combine(
            [xx, yy, zz],
            (self.x + self.y) * (rhs.x + rhs.y),
            rhs.y * self.z + self.y + yy + zz,
            rhs.x * self.z + self.x + xx + zz,
        )
    }

    /// The common part: products of equal coordinates, and products of sums of two coordinates.
    #[inline(always)]
    fn combine([xx, yy, zz]: [F; 3], xy: F, yz: F, xz: F) -> Self {
        let xy_pairs = xy - (xx + yy);
        let yz_pairs = yz - (yy + zz);
        let xz_pairs = xz - (xx + zz);

        let bzz3 = (xz_pairs - zz.times_b()).triple();
        let yy_m_bzz3 = yy - bzz3;
        let yy_p_bzz3 = yy + bzz3;
        let zz3 = zz.triple();
        let bxz3 = (xz_pairs.times_b() - (zz3 + xx)).triple();
        let xx3_m_zz3 = xx.triple() - zz3;
        Self {
            x: yy_p_bzz3 * xy_pairs - yz_pairs * bxz3,
            y: yy_p_bzz3 * yy_m_bzz3 + xx3_m_zz3 * bxz3,
            z: yy_m_bzz3 * yz_pairs + xy_pairs * xx3_m_zz3,
        }
    }

    /// Algorithm 6, to compare with: [`Self::double_times`] is faster.
    #[cfg(test)]
    pub(super) fn double(&self) -> Self {
        let (xx, yy, zz) = (self.x.square(), self.y.square(), self.z.square());
        let xy2 = (self.x * self.y).double();
        let xz2 = (self.x * self.z).double();
        let yz2 = (self.y * self.z).double();

        let bzz3 = (zz.times_b() - xz2).triple();
        let yy_m_bzz3 = yy - bzz3;
        let yy_p_bzz3 = yy + bzz3;
        let zz3 = zz.triple();
        let bxz6 = (xz2.times_b() - (zz3 + xx)).triple();
        let xx3_m_zz3 = xx.triple() - zz3;
        Self {
            x: yy_m_bzz3 * xy2 - bxz6 * yz2,
            y: yy_p_bzz3 * yy_m_bzz3 + xx3_m_zz3 * bxz6,
            z: (yz2 * yy).double().double(),
        }
    }
}

impl<F: Field> Projective<F> {
    pub(super) const INFINITY: Self = Self { x: F::ZERO, y: F::ONE, z: F::ZERO };

    /// \[2^n\]self. In Jacobian coordinates a doubling has 8 products instead of 13, and is as free of
    /// exceptions: there is no point of order two, and Z = 0 stays Z = 0. Going there and back takes 6.
    fn double_times(&self, n: usize) -> Self {
        let mut point = Jacobian { x: self.x * self.z, y: self.y * self.z.square(), z: self.z };
        for _ in 0..n {
            point = point.double();
        }
        // Infinity has lost its Y on the way.
        let is_infinity = point.z.is_zero();
        let doubled = Self {
            x: point.x * point.z,
            y: F::conditional_select(&point.y, &F::ONE, is_infinity),
            z: point.z.square() * point.z,
        };
        point.zeroize();
        doubled
    }

    fn negate_if(&self, choice: Choice) -> Self {
        Self { y: F::conditional_select(&self.y, &-self.y, choice), ..*self }
    }

    /// \[k\]P for a secret k: fixed windows, each table entry read whatever the digit is.
    pub(crate) fn multiply(k: &Scalar, point: &Affine<F>) -> Self {
        let mut table = [Self::INFINITY; (1 << (WIDTH - 1)) + 1];
        for i in 1..table.len() {
            table[i] = table[i - 1].add_affine(point);
        }
        let mut words = k.to_words();
        let mut acc = Self::INFINITY;
        for i in (0..booth::digits(WIDTH)).rev() {
            acc = acc.double_times(WIDTH);
            let (negative, magnitude) = booth::digit::<WIDTH>(&words, i);
            let mut term = Self::INFINITY;
            for (j, entry) in table.iter().enumerate() {
                term.conditional_assign(entry, booth::is(magnitude, j));
            }
            acc = acc.add(&term.negate_if(negative));
            term.zeroize();
        }
        words.zeroize();
        table.zeroize();
        acc
    }

    /// The affine point; `None` for the point at infinity, which no multiple of a valid point by
    /// a scalar in [1, n-1] is.
    pub(crate) fn to_affine(self) -> Option<Affine<F>> {
        if bool::from(self.z.is_zero()) {
            return None;
        }
        let z_inv = self.z.invert();
        Some(Affine { x: self.x * z_inv, y: self.y * z_inv })
    }
}

impl<F: Field> ConditionallySelectable for Projective<F> {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            x: F::conditional_select(&a.x, &b.x, choice),
            y: F::conditional_select(&a.y, &b.y, choice),
            z: F::conditional_select(&a.z, &b.z, choice),
        }
    }
}

impl<F: Zeroize> Zeroize for Projective<F> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::G;

    fn same(a: &Projective, b: &Projective) -> bool {
        match (a.to_affine(), b.to_affine()) {
            (Some(a), Some(b)) => a == b,
            (None, None) => true,
            _ => false,
        }
    }

    #[test]
    fn the_formulas_have_no_exceptions() {
        let g = Projective::INFINITY.add_affine(&G);
        let minus_g = g.negate_if(Choice::from(1));
        let o = Projective::INFINITY;
        assert!(same(&g.add(&g), &g.double()));
        assert!(same(&g.add_affine(&G), &g.double()));
        assert!(same(&g.add(&minus_g), &o));
        assert!(same(&minus_g.add_affine(&G), &o));
        assert!(same(&g.add(&o), &g) && same(&o.add(&g), &g));
        assert!(same(&o.add_affine(&G), &g));
        assert!(same(&o.add(&o), &o) && same(&o.double(), &o));
    }

    #[test]
    fn doublings_in_other_coordinates() {
        let mut point = Projective::INFINITY.add_affine(&G);
        let o = Projective::INFINITY;
        for n in 0..20 {
            let mut doubled = point;
            for _ in 0..n {
                doubled = doubled.double();
            }
            let fast = point.double_times(n);
            assert!(same(&fast, &doubled));
            assert!(same(&fast.add(&o), &doubled) && same(&fast.add(&fast), &doubled.double()));
            // Infinity is the one that can be added to.
            let still = o.double_times(n);
            assert!(same(&still, &o) && same(&still.add(&point), &point));
            point = point.add(&doubled);
        }
    }

    #[test]
    fn multiplication_at_the_edges() {
        let minus_one = -Scalar::ONE;
        let minus_g = Projective::INFINITY.add_affine(&G).negate_if(Choice::from(1));
        assert!(same(&Projective::multiply(&minus_one, &G), &minus_g));
        assert!(same(&Projective::multiply(&Scalar::ZERO, &G), &Projective::INFINITY));
        let mut sum = Projective::INFINITY;
        for k in 0..70u64 {
            let scalar = Scalar::from_words([k, 0, 0, 0]);
            assert!(same(&Projective::multiply(&scalar, &G), &sum), "{k}");
            let from_table = |k| crate::curve::multiply_generator(k).to_affine();
            assert!(from_table(&scalar) == sum.to_affine(), "{k}");
            let top = minus_one - scalar;
            let high = Projective::multiply(&top, &G);
            assert!(from_table(&top) == high.to_affine(), "n - 1 - {k}");
            assert!(same(&high.add(&sum), &minus_g), "n - 1 - {k}");
            sum = sum.add_affine(&G);
        }
    }
}
