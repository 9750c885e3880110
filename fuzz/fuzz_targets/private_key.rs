#![no_main]
//! See `gmkit_fuzz::private_key`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::private_key(data));
