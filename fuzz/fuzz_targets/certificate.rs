#![no_main]
//! See `gmkit_fuzz::certificate`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::certificate(data));
