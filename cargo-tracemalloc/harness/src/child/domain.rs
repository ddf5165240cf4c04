//! The domain of the blocks that count: those of Rust, those of C, or all.

use tracemalloc::internal;

/// The number of Rust's domain.
const RUST: u32 = 0;

/// Leaves out the blocks of other domains, if there is a choice. If C's blocks may count, they are
/// traced from now on.
pub fn count(domain: Option<u32>) {
    if domain != Some(RUST) {
        internal::c_malloc::arm();
    }
    if let Some(domain) = domain {
        internal::count_only(domain);
    }
}
