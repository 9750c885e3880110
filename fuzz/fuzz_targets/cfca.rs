#![no_main]
//! See `gmkit_fuzz::cfca`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::cfca(data));
