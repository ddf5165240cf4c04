//! libFuzzer's program for the target `configuration`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::configuration::check(bytes));
