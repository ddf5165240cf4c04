//! The process that a search of the heap runs in.

/// The process that a search of the heap runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchPlace {
    /// A copy. An error of the search hits nothing else.
    Copy,
    /// A copy; if the system refuses to make one and no other thread runs, this process. An error
    /// of the search may end it.
    CopyOrProcess,
    /// This process, if no other thread runs. To make a copy may end it.
    Process,
}
