//! The failure message of a leaking test, made from its entry.

use tracemalloc::internal::judge::{self, GrowthKind, Verdict};

use crate::protocol::test_entry::TestEntry;

/// The message for a test whose verdict fails it, when no command reports it.
pub fn leak_text(entry: &TestEntry) -> String {
    let leaks = entry.verdict == Some(Verdict::Leak);
    let shown = entry.growth.iter().filter(|growth| !leaks || growth.kind == GrowthKind::Leak).map(
        |growth| judge::Leak {
            bytes: growth.bytes,
            blocks: growth.blocks,
            domain: growth.domain,
            retained: None,
            type_name: growth.type_name.as_deref(),
            traceback: growth
                .traceback
                .iter()
                .map(|frame| {
                    (frame.function.as_str(), frame.file.as_str(), frame.line, frame.column)
                })
                .collect(),
        },
    );
    let headline = judge::Headline {
        what: if leaks { "leaked" } else { "grew by" },
        unit: "run",
        grew: entry.runs.iter().filter(|run| run.bytes > 0).count(),
        runs: entry.runs.len(),
        limit: entry.limit,
        reason: entry.verdict_reason.as_deref(),
    };
    judge::leak_text(&headline, &shown.collect::<Vec<_>>()) + "\n"
}
