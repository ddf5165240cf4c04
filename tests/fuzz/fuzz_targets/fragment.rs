//! libFuzzer's program for the target `fragment`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::fragment::check(bytes));
