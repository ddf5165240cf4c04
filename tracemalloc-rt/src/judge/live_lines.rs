//! The live memory by the line that allocated it.

use std::collections::HashMap;

use crate::judge::place_namer::PlaceNamer;
use crate::trace::live::Live;

/// The live blocks that one line allocated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveLine {
    /// The file; `None` if it is unknown.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

impl LiveLine {
    /// All lines, in no order. The cost depends on the number of stacks, not of blocks.
    pub fn all(namer: &mut PlaceNamer) -> Vec<Self> {
        let changes = Live::now().changes_since(&Live::default());
        namer.prepare(changes.iter().map(|change| change.stack));
        let mut sums: HashMap<(Option<String>, Option<u32>), (i64, i64)> = HashMap::new();
        for change in changes {
            let place = namer.blocks(change.stack);
            let sum = sums.entry((place.file.clone(), place.line)).or_default();
            sum.0 += change.bytes;
            sum.1 += change.blocks;
        }
        // While other threads allocate, a free may be counted before its allocation.
        let lines = sums.into_iter().map(|((file, line), (bytes, blocks))| Self {
            file,
            line,
            bytes: u64::try_from(bytes).unwrap_or(0),
            blocks: u64::try_from(blocks).unwrap_or(0),
        });
        lines.filter(|line| line.bytes > 0 || line.blocks > 0).collect()
    }
}
