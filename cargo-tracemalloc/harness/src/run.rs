//! What command and program tell each other in a `cargo tracemalloc run`.

use nanoserde::{DeBin, SerBin};

use crate::wire::Exchanged;
use crate::{FrameEntry, HolderEntry};

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
    pub remains: Option<Remains>,
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

/// What is live at a program's end.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Remains {
    /// What nothing points to.
    pub lost: Lost,
    /// The rest by holder, the most bytes first.
    pub held: Vec<HeldEntry>,
    /// Why what is said to be lost may be held all the same; `None` where nothing was in the way.
    pub note: Option<String>,
}

/// What nothing points to.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Lost {
    /// All of it, in bytes.
    pub bytes: u64,
    /// All of it, in blocks.
    pub blocks: u64,
    /// By where it was allocated, the most bytes first. Of more than some thousand places, some
    /// are left out.
    pub groups: Vec<LostEntry>,
}

/// Lost blocks of one traceback.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct LostEntry {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// What was allocated, where the symbols tell.
    #[cfg_attr(feature = "json", serde(rename = "type"))]
    pub type_name: Option<String>,
    /// The lost block that leads to them; `None` where none does.
    pub holder: Option<HolderEntry>,
    /// Frames, oldest first.
    pub traceback: Vec<FrameEntry>,
    /// How many frames there were before the cut, as far as they were captured.
    pub total_nframe: u32,
}

/// What one holder leads to.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct HeldEntry {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// What holds them.
    pub holder: HolderEntry,
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
