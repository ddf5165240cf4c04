//! The doctest of this process, and its entry.

use tracemalloc::internal::judge::{GrowthKind, Verdict};

use crate::child::test_binary;
use crate::protocol::doctest_note::DoctestNote;
use crate::protocol::test_entry::{GrowthEntry, Retained, RunEntry, TestEntry};

/// Holds the number of the doctest that a process of a merged binary runs. rustdoc sets it.
const NUMBER_VAR: &str = "RUSTDOC_DOCTEST_RUN_NB_TEST";
/// The part of this process in running doctests.
pub enum Doctest {
    /// Starts a process for each.
    Starter,
    /// Runs the one of this name.
    Test(&'static str),
}

/// The note about the doctests in this binary; `None` if rustdoc did not build it.
pub fn note() -> Option<&'static DoctestNote> {
    test_binary::target().doctests.as_ref()
}

/// The part of this process; `None` if rustdoc did not build its binary.
pub fn of_this_process() -> Option<Doctest> {
    let note = note()?;
    let number = match note.is_merged {
        true => std::env::var(NUMBER_VAR).ok().and_then(|number| number.parse().ok()),
        false => Some(0),
    };
    let name = number.and_then(|number: usize| note.names.get(number));
    Some(name.map_or(Doctest::Starter, |name| Doctest::Test(name)))
}

/// The entry without held memory. A doctest runs once, and what it holds at its end says nothing.
pub fn without_held(mut entry: TestEntry) -> TestEntry {
    let is_open = |growth: &GrowthEntry| growth.kind == GrowthKind::Unconfirmed;
    let all = entry.growth.len();
    entry.growth.retain(|growth| !is_open(growth) || growth.retained != Some(Retained::Held));
    if entry.growth.len() == all {
        return entry;
    }
    let sum = |of: fn(&GrowthEntry) -> u64| entry.growth.iter().map(of).sum();
    entry.runs = vec![RunEntry { bytes: sum(|one| one.bytes), blocks: sum(|one| one.blocks) }];
    if !entry.growth.iter().any(is_open) {
        if entry.verdict == Some(Verdict::Unconfirmed) {
            entry.verdict = Some(Verdict::Clean);
        }
        if entry.verdict != Some(Verdict::Known) {
            entry.verdict_reason = None;
        }
    }
    entry
}
