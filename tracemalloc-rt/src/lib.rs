//! Python's `tracemalloc` for Rust: a tracing global allocator, and snapshots, statistics and filters over what it saw.
