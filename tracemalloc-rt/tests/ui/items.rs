#[tracemalloc::check]
struct NoFunction;

#[tracemalloc::check]
const fn allocates_nothing() {}

#[tracemalloc::check]
async fn nobody_runs_it() {}

fn main() {}
