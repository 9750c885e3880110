//! The examples work.
#![cfg(all(feature = "audit", feature = "mask"))]

#[path = "../examples/masking_audited.rs"]
mod masking_audited;

#[test]
fn what_is_masked_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    masking_audited::run(dir.path()).unwrap();
}
