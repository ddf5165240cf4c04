//! The report as text.

mod changes;
mod frames;
pub mod growth;
mod leak;
pub mod line;
mod once;
mod page;
pub mod short_name;
mod summary;
#[cfg(test)]
mod tests;

pub use changes::note as change;
pub use frames::place;
pub use leak::{allocator, facts, in_a_line, label as leak_label, subject, title, verdict};
pub use page::{
    View, entries_by_test, failing_test, failing_without_leak, label, plain, render, stale_leak,
};
pub use summary::counts;
