//! A tracing allocator for every binary that links this: the injected code without the harness.

pub use tracemalloc;

#[global_allocator]
static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
