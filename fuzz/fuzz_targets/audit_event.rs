#![no_main]
//! See `gmkit_fuzz::audit_event`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::audit_event(data));
