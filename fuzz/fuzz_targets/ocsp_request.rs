#![no_main]
//! See `gmkit_fuzz::ocsp_request`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::ocsp_request(data));
