//! Blocks that one language allocated and the other one freed, with names.

use crate::judge::traceback::Traceback;

/// Blocks that one language allocated and the other one freed.
#[derive(Debug, Clone)]
pub struct Mismatch {
    /// The place that allocated them. It tells the language.
    pub allocated: Traceback,
    /// The place that freed them.
    pub freed: Traceback,
    /// Their number, in all runs.
    pub blocks: u64,
}
