//! \[s\]G + \[t\]P for signature verification: **variable time**, for public values only.

use super::{Affine, base, jacobian::Jacobian};
use crate::arith::{Field, FieldElement, Scalar};

/// Width of the sliding window over t: odd digits below 16.
const WIDTH: usize = 5;

/// Whether this is a finite point whose x coordinate, reduced modulo n, is `r`.
///
/// The comparison is done without leaving Jacobian coordinates: x = X/Z^2 is below p < 2n, so x
/// is either r or r + n, and each is checked by one multiplication.
pub(crate) fn has_x<F: Field>(sum: &Jacobian<F>, r: &Scalar) -> bool {
    // Without this a point at infinity with X = 0 would have every x coordinate there is.
    if sum.is_infinity_vartime() {
        return false;
    }
    let zz = sum.z.square();
    candidates(r).into_iter().flatten().any(|x| x.cast::<F>() * zz == sum.x)
}

/// r, and r + n if that is below p.
fn candidates(r: &Scalar) -> [Option<FieldElement>; 2] {
    let bytes = r.to_bytes();
    let low = Option::from(FieldElement::from_bytes(&bytes));
    let mut carry = 0;
    let mut sum = r.to_words();
    for (word, n) in sum.iter_mut().zip(Scalar::MODULUS) {
        let wide = u128::from(*word) + u128::from(n) + carry;
        *word = wide as u64;
        carry = wide >> 64;
    }
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().rev().zip(sum) {
        *bytes = word.to_be_bytes();
    }
    let high = if carry == 0 { Option::from(FieldElement::from_bytes(&bytes)) } else { None };
    [low, high]
}

/// \[s\]G + \[t\]P.
pub(crate) fn combination<F: Field>(s: &Scalar, t: &Scalar, point: &Affine<F>) -> Jacobian<F> {
    add_generator(multiply(t, point), s)
}

/// \[s\]G + \[t\]P with the multiples of P prepared: no doubling is left.
#[cfg(feature = "alloc")]
pub(crate) fn prepared_combination<F: Field>(
    s: &Scalar,
    t: &Scalar,
    multiples: &Multiples,
) -> Jacobian<F> {
    add_generator(multiples.multiply(t), s)
}

/// acc + \[s\]G.
fn add_generator<F: Field>(mut acc: Jacobian<F>, s: &Scalar) -> Jacobian<F> {
    for (i, negative, magnitude) in base::digits_vartime(s) {
        if magnitude != 0 {
            acc = acc.add_affine_vartime(
                &base::from_words::<F>(&base::entry_vartime(i, magnitude))
                    .negate_if(u8::from(negative).into()),
            );
        }
    }
    acc
}

/// j·2^(6i)·P for i in 0..43 and j in 1..=32, as the generator's table has them: 86 KiB.
#[cfg(feature = "alloc")]
#[derive(Clone)]
pub(crate) struct Multiples(alloc::vec::Vec<Affine>);

#[cfg(feature = "alloc")]
impl Multiples {
    pub(crate) fn new<F: Field>(point: &Affine<F>) -> Self {
        let mut multiples = alloc::vec::Vec::with_capacity(base::WINDOWS * base::ENTRIES);
        let mut first = Jacobian::from(point);
        for _ in 0..base::WINDOWS {
            let mut multiple = first;
            for _ in 1..base::ENTRIES {
                multiples.push(multiple);
                multiple = multiple.add_vartime(&first);
            }
            multiples.push(multiple);
            first = multiple.double();
        }
        // The group has prime order and no j·2^(6i) is a multiple of it: none is infinite.
        let affine = super::to_affine_all(&multiples);
        Self(affine.into_iter().flatten().map(|point| point.cast()).collect())
    }

    /// j·2^(6i)·P for j up to 32.
    pub(crate) fn entry(&self, i: usize, j: u64) -> &Affine {
        &self.0[i * base::ENTRIES + j as usize - 1]
    }

    /// \[t\]P.
    fn multiply<F: Field>(&self, t: &Scalar) -> Jacobian<F> {
        let mut acc = Jacobian::INFINITY;
        for (i, negative, magnitude) in base::digits_vartime(t) {
            if magnitude != 0 {
                let entry = self.entry(i, magnitude).cast::<F>();
                acc = acc.add_affine_vartime(&entry.negate_if(u8::from(negative).into()));
            }
        }
        acc
    }
}

/// \[t\]P by a sliding window over signed odd digits.
fn multiply<F: Field>(t: &Scalar, point: &Affine<F>) -> Jacobian<F> {
    let p = Jacobian::from(point);
    let p2 = p.double();
    let mut odd = [p; 1 << (WIDTH - 2)];
    for i in 1..odd.len() {
        odd[i] = odd[i - 1].add_vartime(&p2);
    }
    let mut acc = Jacobian::INFINITY;
    for digit in non_adjacent_form(t).into_iter().rev() {
        if !acc.is_infinity_vartime() {
            acc = acc.double();
        }
        if digit > 0 {
            acc = acc.add_vartime(&odd[digit as usize / 2]);
        } else if digit < 0 {
            acc = acc.add_vartime(&odd[digit.unsigned_abs() as usize / 2].negate());
        }
    }
    acc
}

/// Width-w non-adjacent form: digits are 0 or odd and below 2^(w-1) in magnitude, and of any w
/// neighbours at most one is not 0.
fn non_adjacent_form(t: &Scalar) -> [i8; 257] {
    let mut digits = [0; 257];
    let [a, b, c, d] = t.to_words();
    let words = [a, b, c, d, 0];
    let (mut at, mut carry) = (0, 0);
    while at < digits.len() {
        let (word, shift) = (at / 64, at % 64);
        let next = words.get(word + 1).copied().unwrap_or(0);
        let bits = (u128::from(next) << 64 | u128::from(words[word])) >> shift;
        let window = (bits as u64 & ((1 << WIDTH) - 1)) + carry;
        if window & 1 == 0 {
            at += 1;
            continue;
        }
        // An odd window above half its range becomes negative and carries one upward.
        carry = u64::from(window >= 1 << (WIDTH - 1));
        digits[at] = (window as i64 - (carry << WIDTH) as i64) as i8;
        at += WIDTH;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arith::Ring;
    use crate::curve::{G, projective::Projective};

    fn scalar(seed: u64) -> Scalar {
        let x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Scalar::from_words([x, x.rotate_left(17), !x, x.rotate_left(41) >> 1])
    }

    #[test]
    fn equals_the_constant_time_path() {
        let minus_one = -Scalar::ONE;
        let edges = [Scalar::ZERO, Scalar::ONE, minus_one, scalar(1), scalar(2), scalar(u64::MAX)];
        let p = Projective::multiply(&scalar(3), &G).to_affine().unwrap();
        for s in &edges {
            for t in &edges {
                for point in [G, p] {
                    let want = Projective::multiply(s, &G)
                        .add(&Projective::multiply(t, &point))
                        .to_affine();
                    let got = combination(s, t, &point);
                    match want {
                        None => {
                            assert!(got.is_infinity_vartime());
                            let multiples = Multiples::new(&point);
                            for r in &edges {
                                assert!(!has_x(&got, r));
                                let prepared = prepared_combination(s, t, &multiples);
                                assert!(!has_x::<FieldElement>(&prepared, r));
                            }
                        }
                        Some(want) => {
                            let zz = got.z.square();
                            assert!(got.x == want.x * zz && got.y == want.y * zz * got.z);
                            let r = Scalar::from_bytes_reduced(&want.x.to_bytes());
                            let other = r + Scalar::ONE;
                            assert!(has_x(&got, &r) && !has_x(&got, &other));
                            let prepared: Jacobian =
                                prepared_combination(s, t, &Multiples::new(&point));
                            assert!(has_x(&prepared, &r) && !has_x(&prepared, &other));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_point_at_infinity_has_no_x() {
        let zero = FieldElement::ZERO;
        for x in [zero, FieldElement::ONE] {
            let infinity = Jacobian { x, y: FieldElement::ONE, z: zero };
            for r in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE] {
                assert!(!has_x(&infinity, &r));
            }
        }
    }

    #[test]
    fn x_above_n_is_found_by_its_residue() {
        // p - n is about 2^127: such x are far too rare to meet, so build the candidates directly.
        let r = Scalar::from_words([7, 0, 0, 0]);
        let [low, high] = candidates(&r);
        assert!(low.unwrap() == FieldElement::from_words([7, 0, 0, 0]));
        let n_plus_7 = core::array::from_fn(|i| Scalar::MODULUS[i] + if i == 0 { 7 } else { 0 });
        assert!(high.unwrap() == FieldElement::from_words(n_plus_7));
        assert!(candidates(&-Scalar::ONE)[1].is_none());
    }
}
