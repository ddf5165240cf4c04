//! Snapshot files: queries to them, and comparisons of their holders.
//!
//! The room reads options and files. It renders nothing.

mod held_change;
mod query;

pub use held_change::{HeldChange, HeldChanges};
pub use query::{SnapshotQuery, load};
