//! `libgmkit_token_lab.so`: `cargo build --package gmkit-token --features lab --example gmkit_token_lab`,
//! in a target folder of its own.

pub use gmkit_token::C_GetFunctionList;
