#![no_main]
//! See `gmkit_fuzz::certificate_texts`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::certificate_texts(data));
