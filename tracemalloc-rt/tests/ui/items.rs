#[tracemalloc::check]
struct NoFunction;

#[tracemalloc::check]
const fn allocates_nothing() {}

#[tracemalloc::check]
async fn never_runs() {}

fn main() {}
