#![no_main]
//! See `gmkit_fuzz::point`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::point(data));
