//! What the `cargo tracemalloc` command and the test harness that it injects have to say to each
//! other.
//!
//! The types here are said once: the command writes a [`Session`] before it starts cargo, the
//! wrapper leaves a [`TargetNote`] beside each test binary, the harness writes the [`TestList`] of
//! its binary and a [`TestEntry`] for each test, and the command merges those into its report.

mod entry;
pub mod fnv;
pub mod fragment;
mod leak_text;
mod names;
mod of_test;
mod placement;
mod run;
mod session;
mod target_note;
mod test_list;
mod wire;

pub use entry::{
    CheckEntry, FrameEntry, GrowthEntry, GrowthKind, HolderEntry, HolderKind, Known, LOST_BLOCK,
    Limit, Outcome, Retained, RunEntry, StepEntry, TestEntry, Verdict,
};
pub use leak_text::leak_text;
pub use names::{
    NAMES_VAR, NamedEntry, NamesTold, NamesWanted, TELL_NAMES_VAR, ToldOfFile, WantedOfFile,
};
pub use placement::{FAILED, Placement, fail};
pub use run::{HeldEntry, Lost, LostEntry, PROGRAM_FILE, ProgramNote, Remains, Run};
pub use session::{
    ENTRY_EXTENSION, FRAGMENTS_DIR, HolderRule, KnownLeak, Options, Override, PathPrefix,
    SESSION_FILE, SESSION_VAR, Session, TARGET_FILE,
};
pub use target_note::{NOTE_EXTENSION, TargetNote};
pub use test_list::{FRONT_VAR, LIST_FILE, ListedTest, TestList};
pub use wire::{Exchanged, WireError, from_bytes, to_bytes};

#[cfg(feature = "harness")]
mod harness;

#[cfg(feature = "harness")]
pub use harness::libtest::*;
#[cfg(all(feature = "harness", target_os = "linux", target_env = "gnu"))]
pub use harness::program::start_program;
