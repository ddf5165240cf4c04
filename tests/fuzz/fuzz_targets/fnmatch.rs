//! libFuzzer's program for the target `fnmatch`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::fnmatch::check(bytes));
