//! Points as the outside world knows them.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use crate::{
    Error,
    arith::{Field, FieldElement, Ring},
};

/// A point on the curve other than the point at infinity. Values from outside are checked, so a
/// value of this type is always on the curve; the group has prime order, so it is also always in
/// the right subgroup.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Affine<F = FieldElement> {
    pub(crate) x: F,
    pub(crate) y: F,
}

impl Affine {
    /// X ‖ Y, 64 bytes.
    pub(crate) fn to_xy(self) -> [u8; 64] {
        let mut out = [0; 64];
        out[..32].copy_from_slice(&self.x.to_bytes());
        out[32..].copy_from_slice(&self.y.to_bytes());
        out
    }

    /// Coordinates from outside: both below p, and on the curve.
    pub(crate) fn from_xy(x: &[u8; 32], y: &[u8; 32]) -> Result<Self, Error> {
        let coordinate = |bytes| Option::from(FieldElement::from_bytes(bytes));
        let point = coordinate(x).zip(coordinate(y)).map(|(x, y)| Self { x, y });
        point.filter(Self::is_on_curve).ok_or(Error::PointNotOnCurve)
    }

    /// 04 ‖ X ‖ Y, or 02/03 ‖ X with the parity of Y (GB/T 32918.1-2016, 4.2.10). Nothing else:
    /// not the point at infinity (00), not the hybrid form (06/07).
    pub(crate) fn from_sec1(bytes: &[u8]) -> Result<Self, Error> {
        match (bytes.split_first(), bytes.len()) {
            (Some((4, xy)), 65) => {
                let (x, y) = xy.split_first_chunk().ok_or(Error::PointEncoding)?;
                Self::from_xy(x, y.try_into().map_err(|_| Error::PointEncoding)?)
            }
            (Some((sign @ (2 | 3), x)), 33) => {
                let x = x.try_into().map_err(|_| Error::PointEncoding)?;
                Self::from_x(x, Choice::from(sign & 1))
            }
            _ => Err(Error::PointEncoding),
        }
    }

    fn from_x(x: &[u8; 32], y_is_odd: Choice) -> Result<Self, Error> {
        let x: FieldElement =
            Option::from(FieldElement::from_bytes(x)).ok_or(Error::PointNotOnCurve)?;
        let y: FieldElement = Option::from(right_side(&x).sqrt()).ok_or(Error::PointNotOnCurve)?;
        let y = FieldElement::conditional_select(&y, &-y, y.is_odd() ^ y_is_odd);
        // y = 0 would be a point of order two, which a group of odd order does not have.
        Ok(Self { x, y })
    }

    fn is_on_curve(&self) -> bool {
        self.y.square() == right_side(&self.x)
    }
}

impl<F: Field> Affine<F> {
    pub(crate) fn negate_if(&self, choice: Choice) -> Self {
        Self { x: self.x, y: F::conditional_select(&self.y, &-self.y, choice) }
    }

    /// The same point, computed with by another.
    pub(crate) fn cast<G: Field>(&self) -> Affine<G> {
        Affine { x: self.x.cast(), y: self.y.cast() }
    }
}

/// x^3 - 3x + b.
fn right_side(x: &FieldElement) -> FieldElement {
    x.square() * *x - x.triple() + FieldElement::B
}

impl ConstantTimeEq for Affine {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.x.ct_eq(&other.x) & self.y.ct_eq(&other.y)
    }
}

impl<F: Zeroize> Zeroize for Affine<F> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
    }
}
