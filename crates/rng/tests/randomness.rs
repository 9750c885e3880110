//! The tests against the values that GM/T 0005-2021 and NIST SP 800-22 print.
#![cfg(feature = "randomness")]

use gmkit_rng::{
    Mechanism,
    randomness::{Bits, MAX_PATTERN, Stage, Test},
};

fn sample(hex_digits: &str, len: usize) -> Bits {
    Bits::from_bytes(&hex::decode(hex_digits).unwrap()).truncated(len)
}

/// P and, where the standard gives another one, Q, to six digits.
fn check(bits: &Bits, cases: &[(Test, f64, Option<f64>)]) {
    for (test, p, q) in cases {
        let got = test.run(bits).unwrap();
        assert!((got.p - p).abs() < 1e-6, "{test}: P = {} instead of {p}", got.p);
        let q = q.unwrap_or(*p);
        assert!((got.q - q).abs() < 1e-6, "{test}: Q = {} instead of {q}", got.q);
    }
}

#[test]
fn the_standards_examples_of_128_bits() {
    let bits = sample("cc156c4ce0024d5113d680d7cce6d8b2", 128);
    check(
        &bits,
        &[
            (Test::Frequency, 0.215925, Some(0.892038)),
            (Test::Poker(4), 0.213734, None),
            (Test::Overlapping1(2), 0.436868, None),
            (Test::Overlapping2(2), 0.723674, None),
            (Test::Runs, 0.620729, Some(0.310364)),
            (Test::RunDistribution, 0.970152, None),
            (Test::LongestRunOfOnes(8), 0.180598, None),
            (Test::LongestRunOfZeros(8), 0.839299, None),
            (Test::BinaryDerivative(3), 0.039669, Some(0.980166)),
            (Test::Autocorrelation(1), 0.790080, Some(0.395040)),
        ],
    );
}

#[test]
fn the_standards_examples_of_100_bits() {
    let bits = sample("c90fdaa22168c234c4c6628b80", 100);
    check(
        &bits,
        &[
            (Test::BlockFrequency(10), 0.706438, None),
            (Test::CumulativeSumsForward, 0.219194, None),
            (Test::CumulativeSumsBackward, 0.114866, None),
            (Test::ApproximateEntropy(2), 0.235301, None),
            (Test::DiscreteFourier, 0.654721, Some(0.327360)),
        ],
    );
}

/// The first million bits of e, in binary 10.1011...
fn million_bits_of_e() -> Bits {
    // Fixed point: limb 0 is the integer part. 1/k! + 1/(k+1)! + 1/(k+2)! is
    // ((k+1)(k+2) + (k+2) + 1) / (k+2)!, so three terms cost one division.
    let limbs = 1_000_000 / 64 + 3;
    let mut sum = vec![0_u64; limbs];
    let mut term = vec![0_u64; limbs];
    term[0] = 1;
    sum[0] = 1;
    let (mut k, mut first) = (1_u64, 0);
    while first < limbs {
        let (divisor, factor) = (k * (k + 1) * (k + 2), (k + 1) * (k + 2) + (k + 2) + 1);
        let mut rest = 0;
        for limb in &mut term[first..] {
            let wide = u128::from(rest) << 64 | u128::from(*limb);
            *limb = (wide / u128::from(divisor)) as u64;
            rest = (wide % u128::from(divisor)) as u64;
        }
        let mut carry = 0;
        for i in (0..limbs).rev() {
            if i < first && carry == 0 {
                break;
            }
            let term = if i < first { 0 } else { term[i] };
            let wide = u128::from(term) * u128::from(factor) + u128::from(sum[i]) + carry;
            sum[i] = wide as u64;
            carry = wide >> 64;
        }
        k += 3;
        while first < limbs && term[first] == 0 {
            first += 1;
        }
    }
    assert_eq!(sum[0], 2);
    let mut bytes = sum[0].to_be_bytes().to_vec();
    bytes.extend(sum[1..].iter().flat_map(|limb| limb.to_be_bytes()));
    // The integer part is the two bits 10.
    let mut shifted = Vec::with_capacity(bytes.len());
    for pair in bytes[7..].windows(2) {
        shifted.push(pair[0] << 6 | pair[1] >> 2);
    }
    Bits::from_bytes(&shifted).truncated(1_000_000)
}

#[test]
fn the_first_million_bits_of_e() {
    let bits = million_bits_of_e();
    check(
        &bits,
        &[
            (Test::Frequency, 0.953749, Some(0.476874)),
            (Test::BlockFrequency(10_000), 0.676227, None),
            (Test::Poker(8), 0.023947, None),
            (Test::Overlapping1(5), 0.225783, None),
            (Test::Overlapping2(5), 0.057499, None),
            (Test::Runs, 0.561917, Some(0.719042)),
            (Test::RunDistribution, 0.772412, None),
            (Test::LongestRunOfOnes(10_000), 0.718355, None),
            (Test::LongestRunOfZeros(10_000), 0.437861, None),
            (Test::BinaryDerivative(7), 0.760365, Some(0.619817)),
            (Test::Autocorrelation(16), 0.912409, Some(0.543796)),
            (Test::MatrixRank, 0.307543, None),
            (Test::CumulativeSumsForward, 0.669886, None),
            (Test::CumulativeSumsBackward, 0.724265, None),
            (Test::ApproximateEntropy(5), 0.361688, None),
            (Test::LinearComplexity(1000), 0.844721, None),
            (Test::Universal, 0.282568, Some(0.141284)),
            (Test::DiscreteFourier, 0.851010, Some(0.425505)),
        ],
    );
}

#[test]
fn samples_without_any_randomness_fail() {
    for bytes in [vec![0; 2500], vec![0xff; 2500], (0..2500).map(|i| i as u8).collect()] {
        let mut rest = bytes.iter().cycle().copied();
        let report = Stage::Periodic
            .run(|sample| -> Result<(), ()> {
                sample.fill_with(|| rest.next().unwrap());
                Ok(())
            })
            .unwrap();
        assert!(!report.passed());
    }
}

#[test]
fn samples_too_short_have_no_outcome() {
    let (empty, one) = (Bits::from_bytes(&[]), Bits::from_bytes(&[1]).truncated(1));
    for test in Stage::Delivery.tests() {
        assert_eq!(test.run(&empty), None, "{test}");
        let _ = test.run(&one); // no panic
    }
}

#[test]
fn senseless_parameters_have_no_outcome() {
    let bits = Bits::from_bytes(&[0x5a; 2500]);
    for m in [0, MAX_PATTERN + 1, 31, 64, usize::MAX] {
        for test in [Test::Poker(m), Test::Overlapping1(m), Test::ApproximateEntropy(m)] {
            assert_eq!(test.run(&bits), None, "{test}");
        }
    }
    for m in [0, usize::MAX] {
        for test in [
            Test::BlockFrequency(m),
            Test::LinearComplexity(m),
            Test::Autocorrelation(m),
            Test::BinaryDerivative(0),
            Test::LongestRunOfOnes(m),
        ] {
            assert_eq!(test.run(&bits), None, "{test}");
        }
    }
}

/// A fixed seed, so that the outcome is the same in every run.
#[test]
fn output_of_the_generators_passes() {
    for mechanism in [Mechanism::Sm3, Mechanism::Sm4] {
        let mut rng = gmkit_rng::hazmat::Deterministic::new(mechanism, &[1; 32], &[2; 16], b"");
        let report = Stage::Periodic.run(|sample| -> Result<(), ()> {
            rng.generate(b"", sample);
            Ok(())
        });
        let report = report.unwrap();
        let failed: Vec<_> = report.items.iter().filter(|item| !item.passed()).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
}
