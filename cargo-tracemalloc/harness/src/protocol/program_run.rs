//! What command and program tell each other in a `cargo tracemalloc run`.

use nanoserde::{DeBin, SerBin};

use crate::protocol::exit_heap::ExitHeap;
use crate::protocol::wire::Exchanged;

/// The file in the session's directory that holds the [`ProgramNote`].
pub const PROGRAM_FILE: &str = "program";

/// How a program is to be watched.
#[derive(Debug, Clone, PartialEq, SerBin, DeBin)]
pub struct Run {
    /// Where the snapshot goes that is taken at the end. Absolute. Earlier ones go beside it, with
    /// a number in their name.
    pub snapshot: String,
    /// How many frames a traceback keeps.
    pub nframe: u32,
    /// The number of the signal at which to take a snapshot.
    pub signal: Option<i32>,
    /// How often to take one.
    pub every_seconds: Option<f64>,
}

/// What became of a program; there is none as long as it has not started.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct ProgramNote {
    /// Snapshots taken while it ran, in this order.
    pub snapshots: Vec<String>,
    /// Whether the one at the end was taken.
    pub ended: bool,
    /// What was live at the end, by what holds it.
    pub exit_heap: Option<ExitHeap>,
    /// Why that is not known: the heap could not be searched.
    pub not_searched: Option<String>,
    /// Why functions, files and lines are missing; `None` where they are not.
    pub unnamed: Option<String>,
    /// The program's binary, absolute.
    pub executable: String,
    /// The program has an allocator of its own, and runs as if we were not there.
    pub untraced: bool,
}

impl Exchanged for ProgramNote {
    const NAME: &'static str = "ProgramNote";
}

impl Run {
    /// Where the snapshot of this number goes, counted from 1: `dir/name-1.json` beside
    /// `dir/name.json`.
    pub fn numbered(&self, number: usize) -> String {
        let file = self.snapshot.rfind(['/', '\\']).map_or(0, |separator| separator + 1);
        match self.snapshot[file..].rfind('.').filter(|dot| *dot > 0) {
            Some(dot) => {
                format!("{}-{number}{}", &self.snapshot[..file + dot], &self.snapshot[file + dot..])
            }
            None => format!("{}-{number}", self.snapshot),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Run;

    #[test]
    fn numbers_come_before_the_extension() {
        let numbered = |path: &str| {
            Run { snapshot: path.to_owned(), nframe: 1, signal: None, every_seconds: None }
                .numbered(3)
        };
        assert_eq!(numbered("/a.b/snapshot.json"), "/a.b/snapshot-3.json");
        assert_eq!(numbered("/a.b/snapshot"), "/a.b/snapshot-3");
        assert_eq!(numbered("/a/.snapshot"), "/a/.snapshot-3");
    }
}
