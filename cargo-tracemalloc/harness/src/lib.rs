//! The test harness that `cargo tracemalloc` injects, and its messages to and from the command.
//!
//! `protocol` holds the messages. The command writes a [`Session`] before it starts cargo. Its
//! rustc wrapper leaves a [`TargetNote`] beside each test binary. The harness writes the
//! [`TestList`] of its binary and a [`TestEntry`] for each test. The command merges these into its
//! report.
//!
//! `child` holds the code that runs in a test's process. The feature `harness` compiles it.

mod protocol;

pub use protocol::doctest_note::{DOCTEST_CRATE, DoctestNote, SourcePart};
pub use protocol::exit_heap::{ExitHeap, HeldEntry, Lost, LostEntry};
pub use protocol::live_memory::{
    HeldRowEntry, LIVE_FILE, LIVE_INTERVAL, LineEntry, LiveMemory, WATCH_EXPIRES, WATCH_FILE,
};
pub use protocol::mismatch_text::mismatch_text;
pub use protocol::name_request::{
    FileReply, FileRequest, NAME_PROVIDER_VAR, NAMES_VAR, NameReply, NameRequest, NamedEntry,
};
pub use protocol::process_role::{FAILED, ProcessRole, fail};
pub use protocol::program_run::{PROGRAM_FILE, ProgramNote, Run};
pub use protocol::session::{
    ENTRY_EXTENSION, FRAGMENTS_DIR, HolderRule, KnownId, KnownLeak, Override, SESSION_FILE,
    SESSION_VAR, Session, TARGET_FILE,
};
pub use protocol::started_programs::{
    CLEAN_FILE, CLOSED_FILE, PROGRAMS_EXTENSION, STARTER_FILE, Starter,
};
pub use protocol::target_note::{NOTE_EXTENSION, TargetNote};
pub use protocol::test_entry::{
    FrameEntry, GrowthEntry, HolderEntry, HolderKind, Known, LOST_BLOCK, MismatchEntry, Outcome,
    Retained, RunEntry, StepEntry, TestEntry,
};
pub use protocol::test_failure::test_failure;
pub use protocol::test_list::{FRONT_VAR, LIST_FILE, ListedTest, TEST_BINARY_VAR, TestList};
pub use protocol::wire::{Exchanged, WireError, from_bytes, to_bytes};
pub use protocol::{entry_slots, fnv, fragment, private_dir};
pub use tracemalloc::Limits;
pub use tracemalloc::internal::Limit;
pub use tracemalloc::internal::judge::{GrowthKind, Prefix, Verdict};

#[cfg(feature = "harness")]
mod child;
#[cfg(feature = "sources")]
pub mod sources;

#[cfg(feature = "harness")]
pub use child::entry_points::{test_main_static, test_main_static_abort};
#[cfg(feature = "harness")]
pub use child::libtest::*;
#[cfg(all(feature = "harness", target_os = "linux", target_env = "gnu"))]
pub use child::program::start_program;
