//! libFuzzer's program for the target `snapshot`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::snapshot::check(bytes));
