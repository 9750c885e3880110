#![no_main]
//! See `gmkit_fuzz::mask_protobuf`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| gmkit_fuzz::mask_protobuf(data));
