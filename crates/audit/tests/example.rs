//! The example works.
#![cfg(all(feature = "tower", feature = "tracing"))]

#[path = "../examples/service.rs"]
mod service;

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_records() {
    let dir = tempfile::tempdir().unwrap();
    service::run(dir.path()).await.unwrap();
}
