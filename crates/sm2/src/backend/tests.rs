//! Each backend that this CPU has against the portable one.

extern crate std;

use proptest::prelude::*;
use std::{println, vec::Vec};

use super::*;

/// All that can run here; the others are named, for nobody must think that they were tested.
fn runnable() -> Vec<(&'static str, &'static dyn Backend)> {
    candidates()
        .filter_map(|(name, detect)| {
            let backend = detect();
            if backend.is_none() {
                println!("NOT RUN: {name}, this CPU has not got what it needs");
            }
            Some((*name, backend?))
        })
        .collect()
}

/// Scalars with few windows that are not 0, in one lane or in several; with terms that nearly cancel; and
/// at the ends.
fn edges() -> Vec<Scalar> {
    let mut edges: Vec<Scalar> = (0..70).map(|k| Scalar::from_words([k, 0, 0, 0])).collect();
    for bit in [0_usize, 5, 6, 47, 48, 63, 64, 96, 127, 200, 240, 246, 251, 252, 253, 254, 255] {
        let mut words = [0_u64; 4];
        words[bit / 64] = 1 << (bit % 64);
        let power = Scalar::from_bytes_reduced(&bytes(words));
        edges.extend([power, power - Scalar::ONE, power + Scalar::ONE, power + power]);
        // The window above it, or the next one of its lane, takes it away again, or nearly.
        for distance in [6, 48] {
            let mut product = power;
            (0..distance).for_each(|_| product = product + product);
            edges.extend([product - power, product + power]);
        }
    }
    for word in [u64::MAX, 0x8208_2082_0820_8208, 0x7df7_df7d_f7df_7df7, 0xaaaa_aaaa_aaaa_aaaa] {
        edges.push(Scalar::from_bytes_reduced(&bytes([word; 4])));
    }
    let negative: Vec<_> = edges.iter().map(|k| -*k).collect();
    edges.extend(negative);
    edges
}

fn bytes(words: [u64; 4]) -> [u8; 32] {
    let mut out = [0; 32];
    for (bytes, word) in out.as_chunks_mut::<8>().0.iter_mut().rev().zip(words) {
        *bytes = word.to_be_bytes();
    }
    out
}

#[test]
fn multiples_of_the_generator_at_the_edges() {
    let edges = edges();
    let want: Vec<_> = edges.iter().map(|k| Portable.multiply_generator(k)).collect();
    for (name, backend) in runnable() {
        for (k, want) in edges.iter().zip(&want) {
            assert!(backend.multiply_generator(k) == *want, "{name}: {:x?}", k.to_words());
        }
        for count in [0, 1, 7, 8, 9, edges.len()] {
            assert!(backend.multiply_generator_many(&edges[..count]) == want[..count], "{name}");
        }
    }
}

/// Whether \[s\]G + \[t\]P has x, for every backend and with P prepared or not.
fn all_find(s: &Scalar, t: &Scalar, point: &Affine, x: &Scalar, expected: bool) {
    for (name, backend) in runnable() {
        let multiples = backend.multiples(point);
        let cold = backend.combination_has_x(s, t, point, x);
        let prepared = backend.prepared_combination_has_x(s, t, &multiples, x);
        assert!(
            cold == expected && prepared == expected,
            "{name}: {cold} {prepared} for {:x?} {:x?}",
            s.to_words(),
            t.to_words()
        );
    }
}

/// \[s\]G + \[t\]\[d\]G.
fn compare_combination(s: &Scalar, t: &Scalar, d: &Scalar) {
    let Some(point) = Portable.multiply_generator(d) else { return };
    let product = *t * *d;
    match Portable.multiply_generator(&(*s + product)) {
        None => all_find(s, t, &point, &Scalar::ZERO, false),
        Some(sum) => {
            let x = Scalar::from_bytes_reduced(&sum.x.to_bytes());
            all_find(s, t, &point, &x, true);
            all_find(s, t, &point, &(x + Scalar::ONE), false);
        }
    }
}

#[test]
fn combinations_at_the_edges() {
    let (one, two) = (Scalar::ONE, Scalar::ONE + Scalar::ONE);
    let some = Scalar::from_bytes_reduced(&[0xc3; 32]);
    for s in [Scalar::ZERO, one, two, some, -one, -some] {
        for t in [Scalar::ZERO, one, two, some, -one] {
            for d in [one, two, -one, some] {
                compare_combination(&s, &t, &d);
            }
            // The sum of both is the point at infinity.
            compare_combination(&-(t * some), &t, &some);
            // Both are the same point.
            compare_combination(&(t * some), &t, &some);
        }
    }
}

fn scalar() -> impl Strategy<Value = [u8; 32]> {
    // Bytes that repeat make digits that do.
    prop_oneof![any::<[u8; 32]>(), any::<u8>().prop_map(|byte| [byte; 32])]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_scalars(s in scalar(), t in scalar(), d in scalar()) {
        let [s, t, d] = [s, t, d].map(|bytes| Scalar::from_bytes_reduced(&bytes));
        compare_combination(&s, &t, &d);
        let want = [s, t, d].map(|k| Portable.multiply_generator(&k));
        for (name, backend) in runnable() {
            prop_assert!(backend.multiply_generator_many(&[s, t, d]) == want, "{}", name);
            prop_assert!(backend.multiply_generator(&s) == want[0], "{}", name);
            if let Some(point) = &want[1] {
                let product = Portable.multiply(&s, point);
                prop_assert!(backend.multiply(&s, point) == product, "{}", name);
                let sum = backend.multiply_add(&s, point, point);
                prop_assert!(sum == Portable.multiply_add(&s, point, point), "{}", name);
            }
        }
    }
}
