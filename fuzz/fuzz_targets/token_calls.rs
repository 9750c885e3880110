#![no_main]
//! See `gmkit_fuzz::token_calls`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::token_calls(data));
