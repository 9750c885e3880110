#![no_main]
//! See `gmkit_fuzz::ciphertext`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::ciphertext(data));
