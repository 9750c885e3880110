//! Who computes with points. All backends share one interface and one set of formulas, and differ in
//! the arithmetic modulo p.
//!
//! `--cfg gmkit_without="NAME"` compiles a backend out. Which one runs is the CPU's choice, but for
//! programs that test or measure all of them (feature `backend-choice`).

#[cfg(all(test, feature = "alloc"))]
mod tests;
// Targets without an operating system have no vectors by default, and no way to ask for them. The assembly
// takes addresses in whole registers.
#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    not(any(target_os = "none", target_os = "uefi"))
))]
#[allow(unsafe_code, reason = "kernels, which demand a token of the CPU's features")]
mod x86;

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use zeroize::Zeroize;

#[cfg(feature = "alloc")]
use crate::curve::{Multiples, Projective};
use crate::{
    arith::{Field, FieldElement, Scalar},
    curve::{self, Affine, Jacobian},
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

/// What a backend computes its coordinates with. The implementing type is a token: a value of it exists
/// only where the CPU has what the arithmetic needs.
pub(crate) trait Arithmetic: Sync {
    type Number: Field;

    /// \[k\]G for a secret k.
    fn generator(&self, k: &Scalar) -> Jacobian<Self::Number> {
        curve::multiply_generator(k)
    }

    /// The same for each k.
    #[cfg(feature = "alloc")]
    fn generators(&self, k: &[Scalar]) -> Vec<Jacobian<Self::Number>> {
        k.iter().map(curve::multiply_generator).collect()
    }

    /// \[s\]G + \[t\]P with a prepared P. **Variable time**.
    #[cfg(feature = "alloc")]
    fn prepared(&self, s: &Scalar, t: &Scalar, multiples: &Multiples) -> Jacobian<Self::Number> {
        curve::prepared_combination(s, t, multiples)
    }
}

/// The formulas over that arithmetic.
impl<A: Arithmetic> Backend for A {
    fn multiply_generator(&self, k: &Scalar) -> Option<Affine> {
        let mut point = self.generator(k);
        let mut affine = point.to_affine();
        point.zeroize();
        cast_and_wipe(&mut affine)
    }

    #[cfg(feature = "alloc")]
    fn multiply_generator_many(&self, k: &[Scalar]) -> Vec<Option<Affine>> {
        let mut points = self.generators(k);
        let mut affine = curve::to_affine_all(&points);
        points.iter_mut().for_each(Zeroize::zeroize);
        affine.iter_mut().map(cast_and_wipe).collect()
    }

    #[cfg(feature = "alloc")]
    fn multiply(&self, k: &Scalar, point: &Affine) -> Option<Affine> {
        let mut product = Projective::<A::Number>::multiply(k, &point.cast());
        let mut affine = product.to_affine();
        product.zeroize();
        cast_and_wipe(&mut affine)
    }

    #[cfg(feature = "alloc")]
    fn multiply_add(&self, k: &Scalar, point: &Affine, other: &Affine) -> Option<Affine> {
        let mut product = Projective::<A::Number>::multiply(k, &point.cast());
        let mut sum = product.add_affine(&other.cast());
        product.zeroize();
        let mut affine = sum.to_affine();
        sum.zeroize();
        cast_and_wipe(&mut affine)
    }

    fn combination_has_x(&self, s: &Scalar, t: &Scalar, point: &Affine, r: &Scalar) -> bool {
        curve::has_x(&curve::combination::<A::Number>(s, t, &point.cast()), r)
    }

    #[cfg(feature = "alloc")]
    fn multiples(&self, point: &Affine) -> Multiples {
        Multiples::new::<A::Number>(&point.cast())
    }

    #[cfg(feature = "alloc")]
    fn prepared_combination_has_x(
        &self,
        s: &Scalar,
        t: &Scalar,
        multiples: &Multiples,
        r: &Scalar,
    ) -> bool {
        curve::has_x(&self.prepared(s, t, multiples), r)
    }
}

/// The point in fiat-crypto's form; in the other form, which is as secret, it is wiped.
fn cast_and_wipe<F: Field>(point: &mut Option<Affine<F>>) -> Option<Affine> {
    let cast = point.as_ref().map(Affine::cast);
    point.iter_mut().for_each(Zeroize::zeroize);
    cast
}

/// fiat-crypto's arithmetic.
struct Portable;

impl Arithmetic for Portable {
    type Number = FieldElement;
}

/// Our own arithmetic, in plain Rust.
#[cfg(not(gmkit_without = "saturated"))]
struct Saturated;

#[cfg(not(gmkit_without = "saturated"))]
impl Arithmetic for Saturated {
    type Number = crate::arith::Saturated;
}

/// A backend's name, and how to get it where the CPU has it.
type Candidate = (&'static str, fn() -> Option<&'static dyn Backend>);

/// The kernels compiled in, preferred first.
#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    not(any(target_os = "none", target_os = "uefi"))
))]
use x86::KERNELS;
#[cfg(not(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    not(any(target_os = "none", target_os = "uefi"))
)))]
const KERNELS: &[Candidate] = &[];

/// What needs no more of a CPU than the target has, preferred first.
static EVERYWHERE: &[Candidate] = &[
    #[cfg(not(gmkit_without = "saturated"))]
    ("saturated", || Some(&Saturated)),
    ("portable", || Some(&Portable)),
];

/// The backends compiled in, preferred first.
fn candidates() -> impl Iterator<Item = &'static Candidate> {
    KERNELS.iter().chain(EVERYWHERE)
}

/// The backends compiled in, preferred first, and whether this CPU has what they need.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, bool)> {
    candidates().map(|(name, detect)| (*name, detect().is_some()))
}

/// The backend, the first that this CPU has, and its name.
pub(crate) fn chosen() -> (&'static str, &'static dyn Backend) {
    let candidates = candidates();
    #[cfg(feature = "backend-choice")]
    let candidates = candidates.skip(preference::first());
    candidates
        .filter_map(|(name, detect)| Some((*name, detect()?)))
        .next()
        .unwrap_or(("portable", &Portable))
}

#[cfg(feature = "backend-choice")]
pub(crate) mod preference {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::{Candidate, candidates};

    static FIRST: AtomicUsize = AtomicUsize::new(0);

    /// Where the search for a backend begins.
    pub(super) fn first() -> usize {
        FIRST.load(Ordering::Relaxed)
    }

    /// This backend computes from now on, or the CPU's choice again. `false`, and no change, where
    /// the CPU has not got it.
    pub(crate) fn set(wanted: Option<&str>) -> bool {
        let is_wanted = |(name, detect): &Candidate| {
            wanted.is_none_or(|wanted| *name == wanted && detect().is_some())
        };
        let found = candidates().position(is_wanted);
        found.into_iter().for_each(|at| FIRST.store(at, Ordering::Relaxed));
        found.is_some()
    }
}
