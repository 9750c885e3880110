#![no_main]
//! See `gmkit_fuzz::crl`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::crl(data));
