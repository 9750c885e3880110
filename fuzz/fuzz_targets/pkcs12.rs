#![no_main]
//! See `gmkit_fuzz::pkcs12`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::pkcs12(data));
