#![no_main]
//! See `gmkit_fuzz::der_signature`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::der_signature(data));
