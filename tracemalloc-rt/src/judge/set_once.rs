//! Statics that a program sets once by nature. The memory that they hold after the first run is
//! expected.

use crate::heap::{Holder, HolderKind};
use crate::util::fnmatch::fnmatchcase;

/// Patterns for their names, as Python's `fnmatch` takes them.
const STATICS: [&str; 4] = [
    "log::LOGGER",
    "tracing_core::dispatcher::GLOBAL_DISPATCH",
    "tracing_log::*",
    "tracing_core::callsite::*",
];

/// Whether a program sets this holder once. Growth in later runs counts all the same.
pub fn is_set_once(holder: &Holder) -> bool {
    holder.kind == HolderKind::Static
        && STATICS.iter().any(|pattern| fnmatchcase(&holder.name, pattern))
}
