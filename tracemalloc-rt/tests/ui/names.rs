#[tracemalloc::check(max_grwth = 1)]
fn unknown() {}

#[tracemalloc::check(max_growth = 1, runs = 1, max_growth = 2)]
fn twice() {}

#[tracemalloc::check(max_growth)]
fn without_a_value() {}

#[tracemalloc::check(max_growth = )]
fn with_an_empty_value() {}

#[tracemalloc::check(max_growth: 1)]
fn with_a_colon() {}

#[tracemalloc::check("1 KiB")]
fn without_a_name() {}

#[tracemalloc::check(max_growth = "1 XB", max_blocks = -1, bogus = 1)]
fn several_at_once() {}

fn main() {}
