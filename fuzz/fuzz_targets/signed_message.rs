#![no_main]
//! See `gmkit_fuzz::signed_message`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::signed_message(data));
