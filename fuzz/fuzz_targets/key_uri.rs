#![no_main]
//! See `gmkit_fuzz::key_uri`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::key_uri(data));
