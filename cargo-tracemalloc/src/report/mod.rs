//! The report: one JSON document, of which every other output is a rendering.
//!
//! It calls `config`, `workspace` and `wrapper`. It never prints.

mod declarations;
mod doctests;
mod document;
mod known_leaks;
mod paths;
mod selection;
mod summary;
mod targets;
mod untraced_targets;

pub use declarations::Statics;
pub use doctests::doctests;
pub use document::{Doctests, Kind, Report, ReportOptions, SCHEMA, Target};
pub use known_leaks::stale_known_leaks;
pub use paths::{path_prefixes, source_roots};
pub use selection::is_whole_suite;
pub use summary::Summary;
pub use targets::targets;
pub use untraced_targets::untraced_targets;
