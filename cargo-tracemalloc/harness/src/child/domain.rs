//! The tracing of C's blocks, where they may count.

use tracemalloc::{Domain, internal};

/// Traces C's blocks from now on, if blocks of C count. A check of one test may choose other
/// languages: the runtime then starts to trace them when it receives the check.
pub fn trace(counted: Domain) {
    if counted.counts(Domain::C) {
        internal::c_malloc::arm();
    }
}
