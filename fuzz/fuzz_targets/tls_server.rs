#![no_main]
//! See `gmkit_fuzz::tls_server`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::tls_server(data));
