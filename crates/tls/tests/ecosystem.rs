//! The examples work.

#![allow(clippy::duplicate_mod, reason = "each example has its own authority")]

#[path = "../examples/axum_reqwest.rs"]
mod axum_reqwest;
#[path = "../examples/blocking.rs"]
mod blocking;
#[path = "../examples/hyper_server.rs"]
mod hyper_server;
#[path = "../examples/tonic_mutual.rs"]
mod tonic_mutual;

#[test]
fn a_blocking_client() {
    blocking::run().unwrap();
}

#[tokio::test]
async fn axum_and_reqwest() {
    axum_reqwest::run().await.unwrap();
}

#[tokio::test]
async fn hyper() {
    hyper_server::run().await.unwrap();
}

#[tokio::test]
async fn tonic_with_certificates_on_both_sides() {
    tonic_mutual::run().await.unwrap();
}
