#![no_main]
//! See `gmkit_fuzz::mask_body`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::mask_body(data));
