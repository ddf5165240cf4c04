//! Converts a verdict into the report's entry.

use tracemalloc::internal::{self, Symbol, judge};

use crate::child::holder_entry::{holder_entry, lost_block, step_entry};
use crate::protocol::session::Session;
use crate::protocol::test_entry::{
    FrameEntry, GrowthEntry, HolderEntry, MismatchEntry, Retained, RunEntry, TestEntry,
};

/// The entry of a test that passed and was judged.
pub fn entry(
    name: &str,
    judged: &judge::Judged,
    grouper: &mut judge::Grouper<'_>,
    session: &Session,
) -> TestEntry {
    let mismatches = grouper.mismatches().into_iter().map(mismatch_entry);
    let mismatches = mismatches.collect();
    let grouper = &*grouper;
    let growth: Vec<GrowthEntry> =
        judged.growth(grouper).into_iter().map(|growth| growth_entry(growth, session)).collect();
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
        mismatches,
        heap_note: grouper.heap_note().map(str::to_owned),
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
    let judge::Traceback { traceback, total_nframe, domain, type_name, initialiser, known } =
        growth.traceback;
    let is_known = growth.kind == judge::GrowthKind::Known;
    let steps = |steps: Vec<judge::Step>| steps.into_iter().map(step_entry).collect();
    let mut entry = GrowthEntry {
        kind: growth.kind,
        bytes: growth.least.bytes,
        blocks: growth.least.blocks,
        total_bytes: growth.total.bytes,
        total_blocks: growth.total.blocks,
        runs: growth.runs,
        rate: Some(growth.rate).filter(|rate| *rate != judge::Rate::exactly(growth.least.bytes)),
        domain,
        type_name,
        initialiser: initialiser.map(str::to_owned),
        retained: None,
        holder: None,
        head_traceback: Vec::new(),
        path: Vec::new(),
        path_steps: 0,
        cycle: Vec::new(),
        cycle_steps: 0,
        known: known.filter(|_| is_known).map(|known| session.known_leaks[known].known.clone()),
        traceback: traceback.into_iter().map(frame_entry).collect(),
        total_nframe,
    };
    match growth.finding {
        judge::Finding::Unknown => {}
        judge::Finding::Lost { with, cycle, steps: cycle_steps } => {
            entry.retained = Some(Retained::Lost);
            (entry.cycle, entry.cycle_steps) = (steps(cycle), cycle_steps);
            if let Some(judge::Head { block, traceback }) = with {
                entry.holder = Some(lost_block(block));
                entry.head_traceback = traceback.into_iter().map(frame_entry).collect();
            }
        }
        judge::Finding::Held { by, pointer, path, steps: path_steps } => {
            entry.retained = Some(Retained::Held);
            let pointer = pointer.map(|pointer| pointer as u64);
            entry.holder = Some(HolderEntry { pointer, ..holder_entry(by) });
            (entry.path, entry.path_steps) = (steps(path), path_steps);
        }
    }
    entry
}

fn mismatch_entry(mismatch: judge::Mismatch) -> MismatchEntry {
    let judge::Mismatch { allocated, freed, blocks } = mismatch;
    let frames = |traceback: judge::Traceback| traceback.traceback.into_iter().map(frame_entry);
    MismatchEntry {
        allocated_by: allocated.domain,
        blocks,
        allocated: frames(allocated).collect(),
        freed: frames(freed).collect(),
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
