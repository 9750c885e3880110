#![no_main]
//! See `gmkit_fuzz::encrypted_message`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::encrypted_message(data));
