//! A tracing allocator in every binary that links this: what `cargo tracemalloc test` injects, without the harness.

pub use tracemalloc;

#[global_allocator]
static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
