//! Jacobian coordinates: the fastest formulas, which have exceptions. (X : Y : Z) stands for
//! (X/Z^2, Y/Z^3); the point at infinity has Z = 0.
//!
//! For secrets only [`Jacobian::double`] may be used, which has none, and
//! [`Jacobian::add_affine_incomplete`], by a caller who can prove that no exception occurs. Methods named `vartime` handle the exceptions by branching and are for
//! public values.

use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroize;

use super::Affine;
use crate::arith::{Field, FieldElement, Ring};

#[derive(Clone, Copy)]
pub(crate) struct Jacobian<F = FieldElement> {
    pub(crate) x: F,
    pub(crate) y: F,
    pub(crate) z: F,
}

impl<F: Ring> Jacobian<F> {
    /// self + rhs, **wrong** if self is the point at infinity, rhs or -rhs.
    #[inline(always)]
    pub(crate) fn add_affine_incomplete(&self, rhs: &Affine<F>) -> Self {
        let zz1 = self.z.square();
        combine(self.x, rhs.x * zz1, self.y, rhs.y * zz1 * self.z, self.z)
    }
}

impl<F: Field> Jacobian<F> {
    pub(super) const INFINITY: Self = Self { x: F::ONE, y: F::ONE, z: F::ZERO };

    pub(super) fn is_infinity_vartime(&self) -> bool {
        self.z.is_zero().into()
    }

    /// Doubling for a = -3. Right for every point: there is none of order two, and for Z = 0 the
    /// result has Z = 0 again. Arranged for few additions and products.
    pub(super) fn double(&self) -> Self {
        let y2 = self.y.double();
        let yy2 = self.y * y2;
        let delta = self.z.square();
        let alpha = ((self.x - delta) * (self.x + delta)).triple();
        let beta4 = self.x * yy2.double();
        let x = alpha.square() - beta4.double();
        Self { x, y: alpha * (beta4 - x) - yy2.square().double(), z: y2 * self.z }
    }

    /// self + rhs.
    pub(super) fn add_affine_vartime(&self, rhs: &Affine<F>) -> Self {
        if self.is_infinity_vartime() {
            return rhs.into();
        }
        let zz1 = self.z.square();
        let (u2, s2) = (rhs.x * zz1, rhs.y * zz1 * self.z);
        if u2 == self.x {
            return if s2 == self.y { self.double() } else { Self::INFINITY };
        }
        combine(self.x, u2, self.y, s2, self.z)
    }

    /// self + rhs.
    pub(super) fn add_vartime(&self, rhs: &Self) -> Self {
        if self.is_infinity_vartime() {
            return *rhs;
        }
        if rhs.is_infinity_vartime() {
            return *self;
        }
        let (zz1, zz2) = (self.z.square(), rhs.z.square());
        let (u1, u2) = (self.x * zz2, rhs.x * zz1);
        let (s1, s2) = (self.y * zz2 * rhs.z, rhs.y * zz1 * self.z);
        if u1 == u2 {
            return if s1 == s2 { self.double() } else { Self::INFINITY };
        }
        combine(u1, u2, s1, s2, self.z * rhs.z)
    }

    pub(super) fn negate(&self) -> Self {
        Self { y: -self.y, ..*self }
    }

    /// The affine point; `None` for the point at infinity.
    pub(crate) fn to_affine(self) -> Option<Affine<F>> {
        if bool::from(self.z.is_zero()) {
            return None;
        }
        let z_inv = self.z.invert();
        let zz_inv = z_inv.square();
        Some(Affine { x: self.x * zz_inv, y: self.y * zz_inv * z_inv })
    }
}

/// The sum of two points whose coordinates over a common denominator `zz` are (u1, s1) and
/// (u2, s2), for u1 != u2.
#[inline(always)]
fn combine<F: Ring>(u1: F, u2: F, s1: F, s2: F, zz: F) -> Jacobian<F> {
    let h = u2 - u1;
    let r = s2 - s1;
    let h2 = h.square();
    let h3 = h2 * h;
    let v = u1 * h2;
    let x = r.square() - h3 - v.double();
    Jacobian { x, y: r * (v - x) - s1 * h3, z: zz * h }
}

impl<F: Field> From<&Affine<F>> for Jacobian<F> {
    fn from(point: &Affine<F>) -> Self {
        Self { x: point.x, y: point.y, z: F::ONE }
    }
}

impl<F: Field> ConditionallySelectable for Jacobian<F> {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            x: F::conditional_select(&a.x, &b.x, choice),
            y: F::conditional_select(&a.y, &b.y, choice),
            z: F::conditional_select(&a.z, &b.z, choice),
        }
    }
}

impl<F: Zeroize> Zeroize for Jacobian<F> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}
