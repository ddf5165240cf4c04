//! A traceback as a report shows it.

use crate::model::domain::Domain;
use crate::names::symbol::Symbol;

/// The frames of a group of blocks, trimmed at both ends, with short file names; and the facts
/// about the blocks that follow from them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Traceback {
    /// Oldest first; functions and files by their short names.
    pub traceback: Vec<Symbol>,
    /// The number of frames before the cut to `frames`.
    pub total_nframe: u32,
    /// The language that allocated them: Rust or C.
    pub domain: Domain,
    /// The type that was allocated, if the symbols tell it.
    pub type_name: Option<String>,
    /// The initialiser under which it was allocated, if any: code that runs once by nature.
    pub initialiser: Option<&'static str>,
    /// The known leak that matches it, by its index in the rules.
    pub known: Option<usize>,
}
