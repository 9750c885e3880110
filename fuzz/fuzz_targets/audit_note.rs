#![no_main]
//! See `gmkit_fuzz::audit_note`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::audit_note(data));
