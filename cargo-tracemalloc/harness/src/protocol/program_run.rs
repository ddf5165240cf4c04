//! The messages of a `cargo tracemalloc run`: options for the program, and the program's note for
//! the command.

use tracemalloc::internal::{WireValue, wire};

use crate::protocol::exit_heap::ExitHeap;
use crate::protocol::wire::Exchanged;

/// The file in the session's directory that holds the [`ProgramNote`].
pub const PROGRAM_FILE: &str = "program";

/// How the harness watches a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The absolute path of the snapshot at the end. Earlier snapshots go beside it.
    pub snapshot: String,
    /// The number of frames that a traceback keeps.
    pub nframe: u32,
    /// The signal that takes a snapshot.
    pub signal: Option<i32>,
    /// The time between two snapshots.
    pub every_seconds: Option<f64>,
    /// The number of earlier snapshots to keep; `None` keeps all.
    pub keep: Option<usize>,
    /// The number of the command's process. When it dies, the program gets SIGTERM.
    pub command: u32,
    /// The line to print to stderr before `main`. The number of the program's process goes behind.
    pub announcement: Option<String>,
}

wire!(struct Run { snapshot, nframe, signal, every_seconds, keep, command, announcement });

/// The program's note for the command. The file does not exist before the program starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

wire!(struct ProgramNote {
    snapshots, ended, exit_heap, not_searched, unnamed, executable, untraced,
});

impl Exchanged for ProgramNote {
    const NAME: &'static str = "ProgramNote";
}

impl Run {
    /// The path of a snapshot with this label: `dir/name-label.json` beside `dir/name.json`.
    pub fn labelled(&self, label: &str) -> String {
        let file = self.snapshot.rfind(['/', '\\']).map_or(0, |separator| separator + 1);
        let end = self.snapshot[file..].rfind('.').filter(|dot| *dot > 0);
        let (stem, extension) =
            self.snapshot.split_at(end.map_or(self.snapshot.len(), |dot| file + dot));
        format!("{stem}-{label}{extension}")
    }
}

#[cfg(test)]
mod tests {
    use super::Run;

    #[test]
    fn labels_come_before_the_extension() {
        let labelled = |path: &str| {
            Run {
                snapshot: path.to_owned(),
                nframe: 1,
                signal: None,
                every_seconds: None,
                keep: None,
                command: 0,
                announcement: None,
            }
            .labelled("timer")
        };
        assert_eq!(labelled("/a.b/snapshot.json"), "/a.b/snapshot-timer.json");
        assert_eq!(labelled("/a.b/snapshot"), "/a.b/snapshot-timer");
        assert_eq!(labelled("/a/.snapshot"), "/a/.snapshot-timer");
    }
}
