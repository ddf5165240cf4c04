#[tracemalloc::check]
struct NoFunction;

#[tracemalloc::check]
const fn allocates_nothing() {}

#[tracemalloc::check]
async fn never_runs() {}

#[tracemalloc::check(max_growth = "1 KiB")]
#[tracemalloc::check(max_growth = 0)]
fn is_checked_twice() {}

#[tracemalloc::check]
#[tracemalloc::check(runs = 1)]
#[cfg_attr(all(), test)]
fn is_checked_twice_below_another_attribute() {}

fn main() {}
