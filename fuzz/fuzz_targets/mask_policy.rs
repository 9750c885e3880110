#![no_main]
//! See `gmkit_fuzz::mask_policy`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::mask_policy(data));
