#[tracemalloc::check(include = [])]
fn no_patterns() {}

#[tracemalloc::check(include = ["src/*", ""])]
fn an_empty_pattern() {}

#[tracemalloc::check(exclude = 3)]
fn a_number_for_a_pattern() {}

#[tracemalloc::check(key = "line")]
fn unknown_key() {}

#[tracemalloc::check(skip = "")]
fn no_reason() {}

#[tracemalloc::check(skip = true)]
fn no_text() {}

#[tracemalloc::check(crate = "not a path")]
fn no_path() {}

fn main() {}
