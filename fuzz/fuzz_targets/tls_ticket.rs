#![no_main]
//! See `gmkit_fuzz::tls_ticket`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::tls_ticket(data));
