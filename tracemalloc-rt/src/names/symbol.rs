//! One frame as debug information tells it.

/// A function, a file, a line and a column. An inlined call is a frame of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol {
    /// Demangled, without a hash; empty if nothing is known.
    pub function: String,
    /// As the compiler was given it; empty if nothing is known.
    pub file: String,
    /// From 1; 0 if nothing is known.
    pub line: u32,
    /// From 1; 0 if nothing is known.
    pub column: u32,
}
