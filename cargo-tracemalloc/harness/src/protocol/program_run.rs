//! The messages of a `cargo tracemalloc run`: options for the program, and the program's note for
//! the command.

use nanoserde::{DeBin, SerBin};

use crate::protocol::exit_heap::ExitHeap;
use crate::protocol::wire::Exchanged;

/// The file in the session's directory that holds the [`ProgramNote`].
pub const PROGRAM_FILE: &str = "program";

/// How the harness watches a program.
#[derive(Debug, Clone, PartialEq, SerBin, DeBin)]
pub struct Run {
    /// The absolute path of the snapshot at the end. Earlier snapshots get the same name with a
    /// number.
    pub snapshot: String,
    /// The number of frames that a traceback keeps.
    pub nframe: u32,
    /// The signal that takes a snapshot.
    pub signal: Option<i32>,
    /// The time between two snapshots.
    pub every_seconds: Option<f64>,
}

/// The program's note for the command. The file does not exist before the program starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct ProgramNote {
    /// The paths of the snapshots taken while the program ran, in order.
    pub snapshots: Vec<String>,
    /// Whether the program took its last snapshot.
    pub ended: bool,
    /// The blocks that were live at the end.
    pub exit_heap: Option<ExitHeap>,
    /// Why the heap was not searched; `None` if it was.
    pub not_searched: Option<String>,
    /// Why functions, files and lines are missing; `None` if they are not.
    pub unnamed: Option<String>,
    /// The absolute path of the program's binary.
    pub executable: String,
    /// Whether the program runs untraced, because it has an allocator of its own.
    pub untraced: bool,
}

impl Exchanged for ProgramNote {
    const NAME: &'static str = "ProgramNote";
}

impl Run {
    /// The path of the snapshot with this number, from 1: `dir/name-1.json` beside `dir/name.json`.
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
