#![no_main]
//! See `gmkit_fuzz::seal_request`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::seal_request(data));
