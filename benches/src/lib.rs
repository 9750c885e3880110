//! Nothing but benches: `cargo xtask bench`.
