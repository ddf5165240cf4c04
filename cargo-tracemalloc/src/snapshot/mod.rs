//! Snapshot files: queries to them, and comparisons of their holders.
//!
//! The room reads options and files. It renders nothing.

mod filters;
mod held_change;
mod moment;
mod query;
#[cfg(unix)]
mod watched_program;

pub use filters::filtered;
pub use held_change::{HeldChange, HeldChanges};
#[cfg(test)]
pub use moment::Line;
pub use moment::Moment;
pub use query::{SnapshotQuery, load};
#[cfg(unix)]
pub use watched_program::WatchedProgram;
