//! The entries of doctests, completed by what rustdoc prints.
//!
//! Each process has left its verdict. Only rustdoc knows whether a doctest passed, because some
//! have to panic, and some must not compile.

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::Result;
use fs_err as fs;
use serde_json::Value;
use tracemalloc_harness::{
    DoctestNote, Outcome, TARGET_FILE, TestEntry, Verdict, entry_slots, fragment,
};

use crate::wrapper::doctest::listing::{Doctest, includes_ignored};
use crate::wrapper::doctest::options::Options;

/// Why a doctest that passed has left no verdict.
const NOT_ALONE: &str = "it did not run in a process of its own";

/// Writes the entries of all doctests, and the note of their target. `printed` is rustdoc's output
/// without colours.
pub fn write(options: &Options, args: &[OsString], printed: &str) -> Result<()> {
    if !printed.lines().any(is_result) {
        // rustdoc ran no doctests.
        return Ok(fs::remove_dir_all(&options.fragments)?);
    }
    let failed = failed(printed, &options.doctests);
    let runs_ignored = includes_ignored(args);
    let entries = options.doctests.iter().map(|doctest| {
        let path = options.entry_path(&doctest.name);
        // Its process leaves its last entry in the slots.
        let last = entry_slots::read(path.as_std_path()).map(|(entry, _)| entry);
        let first = || Some(fragment::read(path.as_std_path())?.0);
        let entry = last.or_else(first);
        entry_slots::remove(path.as_std_path());
        let is_ignored = doctest.ignored && !runs_ignored;
        completed(&doctest.name, entry, failed.get(doctest.name.as_str()), is_ignored)
    });
    let mut entries: Vec<TestEntry> = entries.collect();
    let path = options.fragments.join(TARGET_FILE);
    let of_child =
        fs::read(&path).ok().and_then(|bytes| tracemalloc_harness::from_bytes(&bytes).ok());
    let mut note = match of_child {
        Some(note) => note,
        None => options.note(DoctestNote::default(), common_reason(&mut entries))?,
    };
    // The binaries are gone.
    note.executable.clear();
    fragment::write(path.as_std_path(), &note)?;
    entries.iter().try_for_each(|entry| options.write_entry(entry))
}

/// The reason why all doctests that ran are untraced, which is then that of the target.
fn common_reason(entries: &mut [TestEntry]) -> Option<String> {
    let mut untraced: Vec<&mut TestEntry> = entries
        .iter_mut()
        .filter(|entry| entry.outcome == Outcome::Passed && entry.verdict.is_none())
        .collect();
    let reason = untraced.first()?.verdict_reason.clone()?;
    if untraced.iter().any(|entry| entry.verdict_reason.as_ref() != Some(&reason)) {
        return None;
    }
    untraced.iter_mut().for_each(|entry| entry.verdict_reason = None);
    Some(reason)
}

/// The entry of a doctest, after what its process has left.
fn completed(
    name: &str,
    entry: Option<TestEntry>,
    failure: Option<&String>,
    is_ignored: bool,
) -> TestEntry {
    let seconds = entry.as_ref().map_or(0.0, |entry| entry.duration_seconds);
    let completed = match (failure, entry) {
        (Some(message), _) => TestEntry::failed(name, message.clone()),
        (None, Some(entry)) if entry.outcome == Outcome::Failed => TestEntry {
            verdict: Some(Verdict::Skipped),
            verdict_reason: entry.message,
            ..TestEntry::new(name)
        },
        (None, Some(entry)) => entry,
        (None, None) if is_ignored => {
            TestEntry { outcome: Outcome::Ignored, ..TestEntry::new(name) }
        }
        (None, None) => {
            TestEntry { verdict_reason: Some(NOT_ALONE.to_owned()), ..TestEntry::new(name) }
        }
    };
    TestEntry { duration_seconds: seconds, ..completed }
}

fn is_result(line: &str) -> bool {
    line.starts_with("test result: ") || json(line).is_some_and(|line| line["type"] == "suite")
}

fn json(line: &str) -> Option<Value> {
    line.starts_with('{').then(|| serde_json::from_str(line).ok()).flatten()
}

/// The failed doctests, each with a line of its message.
fn failed<'a>(printed: &'a str, doctests: &'a [Doctest]) -> BTreeMap<&'a str, String> {
    let known = |name: &str| {
        doctests.iter().find(|doctest| doctest.name == name).map(|doctest| doctest.name.as_str())
    };
    let mut failed = BTreeMap::new();
    let mut messages = BTreeMap::new();
    let mut is_list = false;
    let mut shown = None;
    for line in printed.lines() {
        if let Some(event) = json(line).filter(|event| event["event"] == "failed") {
            failed.extend(event["name"].as_str().and_then(known).map(|name| (name, String::new())));
        }
        let headline =
            line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"));
        if headline.is_some() {
            shown = headline;
        } else if let Some(name) = shown.filter(|_| !line.trim().is_empty()) {
            messages.entry(name).or_insert_with(|| line.trim().to_owned());
            shown = None;
        }
        match line.strip_prefix("    ").filter(|_| is_list).and_then(known) {
            Some(name) => {
                failed.insert(name, String::new());
            }
            None => is_list = line == "failures:",
        }
    }
    for (name, message) in &mut failed {
        *message = messages.remove(name).unwrap_or_else(|| "failed".to_owned());
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_read_with_their_messages() {
        let doctest = |name: &str| Doctest { name: name.to_owned(), ignored: false };
        let doctests = ["a.rs - f (line 1)", "a.rs - g (line 2)"].map(doctest);
        let printed = "running 2 tests\n\nfailures:\n\n---- a.rs - g (line 2) stdout ----\n\n\
                       Test executable failed (exit status: 101).\nx\n\n\n\
                       failures:\n    a.rs - g (line 2)\n\ntest result: FAILED. 1 passed\n";
        let failed = super::failed(printed, &doctests);
        assert_eq!(failed.len(), 1);
        assert_eq!(failed["a.rs - g (line 2)"], "Test executable failed (exit status: 101).");
        assert!(printed.lines().any(is_result));
    }

    #[test]
    fn a_process_that_was_to_die_passes_without_a_verdict() {
        let died = TestEntry::failed("a", "ended by a signal".to_owned());
        let entry = completed("a", Some(died), None, false);
        assert_eq!((entry.outcome, entry.verdict), (Outcome::Passed, Some(Verdict::Skipped)));
        assert_eq!(entry.verdict_reason.as_deref(), Some("ended by a signal"));
        assert_eq!(completed("a", None, None, true).outcome, Outcome::Ignored);
    }

    #[test]
    fn a_reason_that_all_share_is_the_target_s() {
        let untraced = || TestEntry {
            verdict_reason: Some("own allocator".to_owned()),
            ..TestEntry::new("a")
        };
        let mut all = [untraced(), untraced()];
        assert_eq!(common_reason(&mut all).as_deref(), Some("own allocator"));
        assert_eq!(all[0].verdict_reason, None);
    }
}
