//! From what was judged to the test's entry in the report, and from there to the failure of a leaking test.

use tracemalloc::raw::{Symbol, judge};

use crate::harness::leak_id::leak_id;
use crate::{FrameEntry, GrowthEntry, GrowthKind, Limit, RunEntry, TestEntry, Verdict};

/// The entry of a test that passed and was judged.
pub fn entry(name: &str, judged: &judge::Judged, grouper: &judge::Grouper) -> TestEntry {
    let growth: Vec<GrowthEntry> = judged.growth(grouper).into_iter().map(growth_entry).collect();
    let id = if growth.is_empty() { String::new() } else { leak_id(name, &growth) };
    let runs = judged.runs.iter().map(|run| RunEntry { bytes: run.bytes, blocks: run.blocks });
    TestEntry {
        verdict: Some(verdict(judged.verdict)),
        verdict_reason: judged.reason.clone(),
        limit: Limit { max_growth: judged.limit.max_growth, max_blocks: judged.limit.max_blocks },
        runs: runs.collect(),
        growth,
        id,
        ..TestEntry::new(name)
    }
}

/// What the failure of a leaking test says, where no command reports it.
pub fn leak_text(entry: &TestEntry) -> String {
    let leaks = entry.growth.iter().filter(|growth| growth.kind == GrowthKind::Leak).map(|growth| judge::Leak {
        bytes: growth.bytes,
        blocks: growth.blocks,
        type_name: growth.type_name.as_deref(),
        traceback: growth
            .traceback
            .iter()
            .map(|frame| (frame.function.as_str(), frame.file.as_str(), frame.line, frame.column))
            .collect(),
    });
    let limit = judge::Limit { max_growth: entry.limit.max_growth, max_blocks: entry.limit.max_blocks };
    judge::leak_text(&leaks.collect::<Vec<_>>(), entry.runs.len(), &limit, Some(&entry.id)) + "\n"
}

fn growth_entry(growth: judge::Growth) -> GrowthEntry {
    let judge::Traceback { traceback, total_nframe, type_name, initialiser } = growth.traceback;
    GrowthEntry {
        kind: match growth.kind {
            judge::GrowthKind::Leak => GrowthKind::Leak,
            judge::GrowthKind::Unconfirmed => GrowthKind::Unconfirmed,
            judge::GrowthKind::Once => GrowthKind::Once,
            judge::GrowthKind::Initialiser => GrowthKind::Initialiser,
        },
        bytes: growth.least.bytes,
        blocks: growth.least.blocks,
        runs: growth.runs,
        type_name,
        initialiser: initialiser.map(str::to_owned),
        traceback: traceback.into_iter().map(frame_entry).collect(),
        total_nframe,
    }
}

fn frame_entry(frame: Symbol) -> FrameEntry {
    FrameEntry { function: frame.function, file: frame.file, line: frame.line, column: frame.column }
}

fn verdict(verdict: judge::Verdict) -> Verdict {
    match verdict {
        judge::Verdict::Clean => Verdict::Clean,
        judge::Verdict::Once => Verdict::Once,
        judge::Verdict::Leak => Verdict::Leak,
        judge::Verdict::Unconfirmed => Verdict::Unconfirmed,
    }
}
