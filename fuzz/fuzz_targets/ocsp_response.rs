#![no_main]
//! See `gmkit_fuzz::ocsp_response`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::ocsp_response(data));
