//! The details of all leaks, for the page's script: each text and each frame once.

use std::collections::BTreeMap;

use indexmap::IndexSet;
use serde::Serialize;
use tracemalloc_harness::{FrameEntry, StepEntry};

use crate::output::text;
use crate::output::text::growth::{amount_of, holder, step};
use crate::report::{Leak, LeakKind, LeakTest, Site, is_of_workspace};

/// An index into a table.
type Index = usize;

/// The details of all leaks.
#[derive(Debug, Default, Serialize)]
pub struct Details<'a> {
    texts: IndexSet<String>,
    /// Function, place, whether it is the workspace's own.
    frames: IndexSet<(Index, Index, bool)>,
    /// Name, target.
    tests: IndexSet<(Index, Index)>,
    /// By id.
    leaks: BTreeMap<&'a str, LeakDetails>,
}

/// The details of one leak. Without names for its parts, a page of many leaks is smaller.
#[derive(Debug, Serialize)]
struct LeakDetails(
    /// Sentences.
    Vec<Index>,
    /// The way to the growing part, or round the cycle.
    Vec<Index>,
    /// Whether the way is a circle.
    bool,
    Vec<SiteDetails>,
    /// The tests that show it.
    Vec<Index>,
    /// Bytes, for the order.
    u64,
    /// Blocks, for the order.
    u64,
);

/// The details of a place that allocates.
#[derive(Debug, Serialize)]
struct SiteDetails(
    /// The type and the amount.
    Index,
    /// The source line.
    Option<Index>,
    /// The most recent frame first.
    Vec<Index>,
    /// The number of older frames that were cut.
    u32,
);

/// The details of these leaks.
pub fn details<'a>(leaks: &[&'a Leak]) -> Details<'a> {
    let mut details = Details::default();
    for leak in leaks {
        let leak_details = LeakDetails(
            text::facts(leak).into_iter().map(|note| details.text(note)).collect(),
            details.way(leak),
            leak.kind == LeakKind::Cycle,
            leak.sites.iter().map(|site| details.site(site)).collect(),
            leak.tests.iter().map(|test| details.test(test)).collect(),
            leak.bytes,
            leak.blocks,
        );
        details.leaks.insert(&leak.id, leak_details);
    }
    details
}

impl Details<'_> {
    fn text(&mut self, text: String) -> Index {
        self.texts.insert_full(text).0
    }

    /// The holder and the steps from it.
    fn way(&mut self, leak: &Leak) -> Vec<Index> {
        let (steps, whole) = match leak.kind {
            LeakKind::Cycle => (&leak.cycle, leak.cycle_steps),
            _ => (&leak.path, leak.path_steps),
        };
        let mut way: Vec<String> = leak.holder.iter().map(holder).collect();
        let (first, last) = steps.split_at(steps.len().saturating_sub(1));
        let named = |steps: &[StepEntry]| -> Vec<String> {
            steps.iter().map(|one| step(one, true)).collect()
        };
        way.extend(named(first));
        let left_out = u64::from(whole).saturating_sub(steps.len() as u64);
        if left_out > 0 {
            way.push(text::line::count(left_out, "more block"));
        }
        way.extend(named(last));
        way.into_iter().map(|one| self.text(one)).collect()
    }

    fn site(&mut self, site: &Site) -> SiteDetails {
        let type_name = site.type_name.as_deref().unwrap_or("memory of unknown type");
        let title = format!("{type_name}: {} a run", amount_of(site.bytes, site.blocks));
        let shown = u32::try_from(site.traceback.len()).unwrap_or(u32::MAX);
        SiteDetails(
            self.text(title),
            site.source.clone().map(|source| self.text(source)),
            site.traceback.iter().rev().map(|frame| self.frame(frame)).collect(),
            site.total_nframe.saturating_sub(shown),
        )
    }

    fn frame(&mut self, frame: &FrameEntry) -> Index {
        let function = match frame.function.as_str() {
            "" => "<unknown>",
            function => function,
        };
        let (function, place) = (self.text(function.to_owned()), self.text(text::place(frame)));
        self.frames.insert_full((function, place, is_of_workspace(frame))).0
    }

    fn test(&mut self, test: &LeakTest) -> Index {
        let target = text::leak_label(&test.package, test.kind, &test.target);
        let test = (self.text(test.name.clone()), self.text(target));
        self.tests.insert_full(test).0
    }
}
