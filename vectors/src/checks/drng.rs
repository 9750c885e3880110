//! The generators of GM/T 0105.

use gmkit::rng::{Mechanism, hazmat::Deterministic};

use super::Outcome;
use crate::schema::{Group, Test};

pub(super) fn sm3(_: &Group, test: &Test) -> Outcome {
    second_output(Mechanism::Sm3, test)
}

pub(super) fn sm4(_: &Group, test: &Test) -> Outcome {
    second_output(Mechanism::Sm4, test)
}

fn second_output(mechanism: Mechanism, test: &Test) -> Outcome {
    let v = &test.values;
    let mut rng = Deterministic::new(mechanism, &v.ikm, &v.iv, &v.info);
    rng.reseed(&v.key, b"");
    let mut out = vec![0; v.size.ok_or("MalformedVector")?];
    rng.generate(&v.aad, &mut out);
    rng.generate(&v.aad, &mut out);
    Ok(!out.is_empty() && out == *v.okm)
}
