#![no_main]
//! See `gmkit_fuzz::public_key`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::public_key(data));
