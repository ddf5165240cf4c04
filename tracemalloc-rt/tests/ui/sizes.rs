#[tracemalloc::check(max_growth = "1 XB")]
fn unknown_unit() {}

#[tracemalloc::check(max_growth = "many")]
fn no_number() {}

#[tracemalloc::check(max_growth = -1)]
fn negative() {}

#[tracemalloc::check(max_growth = "-1 KiB")]
fn negative_in_a_text() {}

#[tracemalloc::check(max_growth = 18446744073709551616)]
fn too_large() {}

#[tracemalloc::check(max_peak = "16777216 TiB")]
fn too_large_in_a_text() {}

#[tracemalloc::check(max_peak = 1.5)]
fn float() {}

#[tracemalloc::check(max_peak = LIMIT)]
fn constant() {}

fn main() {}
