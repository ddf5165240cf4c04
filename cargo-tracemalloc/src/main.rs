//! `cargo tracemalloc`.

fn main() {}
