//! Converts a verdict into the report's entry.

use tracemalloc::internal::{self, Symbol, judge};

use crate::child::holder_entry::{holder_entry, lost_block, step_entry};
use crate::child::leak_id::leak_id;
use crate::protocol::session::Session;
use crate::protocol::test_entry::{FrameEntry, GrowthEntry, Retained, RunEntry, TestEntry};

/// The entry of a test that passed and was judged.
pub fn entry(
    name: &str,
    judged: &judge::Judged,
    grouper: &judge::Grouper<'_>,
    session: &Session,
) -> TestEntry {
    let growth: Vec<GrowthEntry> =
        judged.growth(grouper).into_iter().map(|growth| growth_entry(growth, session)).collect();
    let id = if growth.is_empty() { String::new() } else { leak_id(name, &growth) };
    let runs = judged.runs.iter().map(|run| RunEntry { bytes: run.bytes, blocks: run.blocks });
    let is_known = judged.verdict == judge::Verdict::Known;
    TestEntry {
        verdict: Some(judged.verdict),
        verdict_reason: with_missing_names(if is_known {
            Some(reasons(&growth))
        } else {
            judged.reason.clone()
        }),
        limit: judged.limit,
        runs: runs.collect(),
        growth,
        heap_note: grouper.heap_note().map(str::to_owned),
        id,
        ..TestEntry::new(name)
    }
}

/// Adds to a verdict's reason why frames have no names, if the command did not reply.
fn with_missing_names(reason: Option<String>) -> Option<String> {
    let Some(why) = internal::names::missing() else { return reason };
    let reason = reason.map_or(String::new(), |reason| format!("{reason}; "));
    Some(format!("{reason}its frames could not be named: {why}"))
}

/// The reasons of all known leaks, each once.
fn reasons(growth: &[GrowthEntry]) -> String {
    let mut reasons: Vec<&str> = growth
        .iter()
        .filter_map(|growth| growth.known.as_ref())
        .map(|known| known.reason.as_str())
        .collect();
    reasons.sort();
    reasons.dedup();
    reasons.join("; ")
}

fn growth_entry(growth: judge::Growth, session: &Session) -> GrowthEntry {
    let judge::Traceback { traceback, total_nframe, type_name, initialiser, known } =
        growth.traceback;
    let is_known = growth.kind == judge::GrowthKind::Known;
    let (retained, holder, path, path_steps) = match growth.finding {
        judge::Finding::Unknown => (None, None, Vec::new(), 0),
        judge::Finding::Lost { with } => {
            (Some(Retained::Lost), with.map(lost_block), Vec::new(), 0)
        }
        judge::Finding::Held { by, path, steps } => (
            Some(Retained::Held),
            Some(holder_entry(by)),
            path.into_iter().map(step_entry).collect(),
            steps,
        ),
    };
    GrowthEntry {
        kind: growth.kind,
        bytes: growth.least.bytes,
        blocks: growth.least.blocks,
        runs: growth.runs,
        type_name,
        initialiser: initialiser.map(str::to_owned),
        retained,
        holder,
        path,
        path_steps,
        known: known.filter(|_| is_known).map(|known| session.known_leaks[known].known.clone()),
        traceback: traceback.into_iter().map(frame_entry).collect(),
        total_nframe,
    }
}

/// The report's entry of a frame.
pub fn frame_entry(frame: Symbol) -> FrameEntry {
    FrameEntry {
        function: frame.function,
        file: frame.file,
        line: frame.line,
        column: frame.column,
    }
}
