//! Many points to affine coordinates with one inversion (Montgomery's trick).

use alloc::vec::Vec;

use zeroize::Zeroize;

use super::{Affine, Jacobian};
use crate::arith::Field;

/// [`Jacobian::to_affine`] of each point, in the order of the points. Constant time but for which
/// of them are at infinity.
pub(crate) fn to_affine_all<F: Field>(points: &[Jacobian<F>]) -> Vec<Option<Affine<F>>> {
    // products[i] is the product of all Z before i, with 1 for those that are 0.
    let mut products = Vec::with_capacity(points.len());
    let mut product = F::ONE;
    for point in points {
        products.push(product);
        product = product * finite_z(point);
    }
    let mut inverse = product.invert();
    let mut out = alloc::vec![None; points.len()];
    for ((point, before), out) in points.iter().zip(&products).zip(&mut out).rev() {
        let mut z_inv = inverse * *before;
        inverse = inverse * finite_z(point);
        if !point.is_infinity_vartime() {
            let zz_inv = z_inv.square();
            *out = Some(Affine { x: point.x * zz_inv, y: point.y * zz_inv * z_inv });
        }
        z_inv.zeroize();
    }
    products.iter_mut().for_each(Zeroize::zeroize);
    product.zeroize();
    inverse.zeroize();
    out
}

fn finite_z<F: Field>(point: &Jacobian<F>) -> F {
    F::conditional_select(&point.z, &F::ONE, point.z.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{arith::Scalar, curve::multiply_generator};

    #[test]
    fn each_point_as_if_alone() {
        let mut points: Vec<Jacobian> =
            (1..20).map(|k| multiply_generator(&Scalar::from_words([k, 7, 0, 0]))).collect();
        for at in [0, 5, points.len()] {
            points.insert(at, Jacobian::INFINITY);
        }
        for len in 0..points.len() {
            let alone: Vec<_> = points[..len].iter().map(|point| point.to_affine()).collect();
            assert!(to_affine_all(&points[..len]) == alone);
        }
    }
}
