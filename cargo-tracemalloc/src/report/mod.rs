//! The report: one JSON document, of which every other output is a rendering.
//!
//! It calls `config`, `workspace` and `wrapper`. It never prints.

mod code_owner;
mod collection_calls;
mod comparison;
mod debug_info;
mod declarations;
mod displayed;
mod doctests;
mod document;
mod field_names;
mod field_path;
mod fingerprint;
mod growing_part;
mod hint;
mod hints;
mod kind;
mod known_leaks;
mod leak;
mod leaks;
mod merged_report;
mod owner_calls;
mod paths;
mod program_calls;
mod programs;
pub mod report_file;
mod selection;
mod source_lines;
mod summary;
mod target_notes;
mod targets;
mod task_cell;
mod test_leaks;
mod thread_packet;
mod types;
pub mod unmatched_patterns;
mod untraced_targets;

pub use code_owner::is_of_workspace;
pub use comparison::{Change, Comparison, with_room};
pub use declarations::Statics;
pub use displayed::displayed;
pub use doctests::doctests;
pub use document::{Doctests, Processes, Report, ReportOptions, SCHEMA, Target};
pub use hints::add_hints;
pub use kind::Kind;
pub use known_leaks::{apply_known_leaks, stale_known_leaks};
pub use leak::{Leak, LeakKind, LeakTest, Site};
pub use leaks::leaks;
pub use merged_report::{SameTest, merged};
pub use paths::{path_prefixes, source_roots};
pub use programs::programs;
pub use selection::is_whole_suite;
pub use source_lines::SourceLines;
pub use summary::Summary;
pub use targets::targets;
pub use untraced_targets::untraced_targets;
