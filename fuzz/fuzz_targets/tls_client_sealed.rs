#![no_main]
//! See `gmkit_fuzz::tls_client_sealed`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::tls_client_sealed(data));
