//! Who computes with points. All backends share one interface and one set of formulas, and differ in
//! the arithmetic modulo p.
//!
//! `--cfg gmkit_without="NAME"` compiles a backend out. Which one runs is decided here, but for
//! programs that test or measure all of them (feature `backend-choice`).

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::marker::PhantomData;

use zeroize::Zeroize;

#[cfg(not(gmkit_without = "saturated"))]
use crate::arith::Saturated;
#[cfg(feature = "alloc")]
use crate::curve::{Multiples, Projective};
use crate::{
    arith::{Field, FieldElement, Scalar},
    curve::{self, Affine},
};

/// What is computed with points. Points come and go in fiat-crypto's form.
pub(crate) trait Backend: Sync {
    /// \[k\]G for a secret k; `None` for k = 0.
    fn multiply_generator(&self, k: &Scalar) -> Option<Affine>;

    /// The same for many k, with one inversion.
    #[cfg(feature = "alloc")]
    fn multiply_generator_many(&self, k: &[Scalar]) -> Vec<Option<Affine>>;

    /// \[k\]P for a secret k; `None` for the point at infinity.
    #[cfg(feature = "alloc")]
    fn multiply(&self, k: &Scalar, point: &Affine) -> Option<Affine>;

    /// \[k\]P + Q for a secret k; `None` for the point at infinity.
    #[cfg(feature = "alloc")]
    fn multiply_add(&self, k: &Scalar, point: &Affine, other: &Affine) -> Option<Affine>;

    /// Whether \[s\]G + \[t\]P has the x coordinate r, modulo n. **Variable time**.
    fn combination_has_x(&self, s: &Scalar, t: &Scalar, point: &Affine, r: &Scalar) -> bool;

    /// What the next function needs of P. **Variable time**.
    #[cfg(feature = "alloc")]
    fn multiples(&self, point: &Affine) -> Multiples;

    /// [`Backend::combination_has_x`] with a prepared point. **Variable time**.
    #[cfg(feature = "alloc")]
    fn prepared_combination_has_x(
        &self,
        s: &Scalar,
        t: &Scalar,
        multiples: &Multiples,
        r: &Scalar,
    ) -> bool;
}

/// The formulas over arithmetic `F`.
struct Over<F>(PhantomData<F>);

impl<F: Field> Backend for Over<F> {
    fn multiply_generator(&self, k: &Scalar) -> Option<Affine> {
        let mut point = curve::multiply_generator::<F>(k);
        let mut affine = point.to_affine();
        point.zeroize();
        cast_and_wipe(&mut affine)
    }

    #[cfg(feature = "alloc")]
    fn multiply_generator_many(&self, k: &[Scalar]) -> Vec<Option<Affine>> {
        let mut points: Vec<_> = k.iter().map(|k| curve::multiply_generator::<F>(k)).collect();
        let mut affine = curve::to_affine_all(&points);
        points.iter_mut().for_each(Zeroize::zeroize);
        affine.iter_mut().map(cast_and_wipe).collect()
    }

    #[cfg(feature = "alloc")]
    fn multiply(&self, k: &Scalar, point: &Affine) -> Option<Affine> {
        let mut product = Projective::<F>::multiply(k, &point.cast());
        let mut affine = product.to_affine();
        product.zeroize();
        cast_and_wipe(&mut affine)
    }

    #[cfg(feature = "alloc")]
    fn multiply_add(&self, k: &Scalar, point: &Affine, other: &Affine) -> Option<Affine> {
        let mut product = Projective::<F>::multiply(k, &point.cast());
        let mut sum = product.add_affine(&other.cast());
        product.zeroize();
        let mut affine = sum.to_affine();
        sum.zeroize();
        cast_and_wipe(&mut affine)
    }

    fn combination_has_x(&self, s: &Scalar, t: &Scalar, point: &Affine, r: &Scalar) -> bool {
        curve::combination_has_x::<F>(s, t, &point.cast(), r)
    }

    #[cfg(feature = "alloc")]
    fn multiples(&self, point: &Affine) -> Multiples {
        Multiples::new::<F>(&point.cast())
    }

    #[cfg(feature = "alloc")]
    fn prepared_combination_has_x(
        &self,
        s: &Scalar,
        t: &Scalar,
        multiples: &Multiples,
        r: &Scalar,
    ) -> bool {
        curve::prepared_combination_has_x::<F>(s, t, multiples, r)
    }
}

/// The point in fiat-crypto's form; in the other form, which is as secret, it is wiped.
fn cast_and_wipe<F: Field>(point: &mut Option<Affine<F>>) -> Option<Affine> {
    let cast = point.as_ref().map(Affine::cast);
    point.iter_mut().for_each(Zeroize::zeroize);
    cast
}

/// The backends compiled in, preferred first. None needs more of a CPU than the target has.
const BACKENDS: &[(&str, &dyn Backend)] = &[
    #[cfg(not(gmkit_without = "saturated"))]
    ("saturated", &Over::<Saturated>(PhantomData)),
    ("portable", &Over::<FieldElement>(PhantomData)),
];

/// The backends compiled in, preferred first, and whether this CPU has what they need.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, bool)> {
    BACKENDS.iter().map(|(name, _)| (*name, true))
}

/// The backend that computes, and its name.
pub(crate) fn chosen() -> (&'static str, &'static dyn Backend) {
    #[cfg(feature = "backend-choice")]
    return BACKENDS[preference::at()];
    #[cfg(not(feature = "backend-choice"))]
    BACKENDS[0]
}

#[cfg(feature = "backend-choice")]
pub(crate) mod preference {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::BACKENDS;

    static AT: AtomicUsize = AtomicUsize::new(0);

    pub(super) fn at() -> usize {
        AT.load(Ordering::Relaxed)
    }

    /// This backend computes from now on, or the preferred one again. `false`, and no change, where
    /// it is not compiled in.
    pub(crate) fn set(wanted: Option<&str>) -> bool {
        let is_wanted = |(name, _): &(&str, _)| wanted.is_none_or(|wanted| *name == wanted);
        let found = BACKENDS.iter().position(is_wanted);
        found.into_iter().for_each(|at| AT.store(at, Ordering::Relaxed));
        found.is_some()
    }
}
