#![no_main]
//! See `gmkit_fuzz::tls_server_sealed`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::tls_server_sealed(data));
