//! Groups changes by traceback, and cuts the growth of each group into shares by the result of the
//! heap search.
//!
//! Changes come by physical stack. Stacks that are the same once they are named and trimmed are one
//! group.

use std::collections::{HashMap, HashSet};

use crate::bridge;
use crate::heap;
use crate::heap::{Fate, Found};
use crate::judge::evidence::{Evidence, GroupChange, GroupGrowth, GroupId, Share};
use crate::judge::finding::{Finding, FindingNamer};
use crate::judge::grown::Grown;
use crate::judge::heap_search::HeapSearch;
use crate::judge::initialiser::is_cache_of_std;
use crate::judge::mismatch::Mismatch;
use crate::judge::rules::Rules;
use crate::judge::stack_symbolizer::StackSymbolizer;
use crate::judge::traceback::Traceback;
use crate::judge::traceback_rules::TracebackRules;
use crate::model::domain::Domain;
use crate::trace::live::Change;
use crate::trace::mismatches::{self, Mismatched};
use crate::trace::stack_id::StackId;
use crate::util::sort::{sort_by, sort_by_key};

/// Names groups and remembers them, and all that they have changed by, over the runs.
#[derive(Debug, Clone)]
pub struct Grouper<'a> {
    domain: Domain,
    traceback_rules: TracebackRules,
    symbolizer: StackSymbolizer,
    groups: Vec<Group>,
    by_traceback: HashMap<Traceback, GroupId>,
    /// `None` for stacks that the filters leave out.
    by_stack: HashMap<StackId, Option<GroupId>>,
    heap: Option<HeapSearch<'a>>,
    heap_note: Option<&'static str>,
    /// The stacks that have lost blocks, by the last search.
    lost: HashMap<StackId, Lost>,
    freed_though_lost: HashSet<GroupId>,
}

/// The blocks of a stack that has lost some.
#[derive(Debug, Clone, Copy)]
struct Lost {
    lost: u64,
    live: u64,
}

/// All stacks of one traceback, and the sum of their changes.
#[derive(Debug, Clone)]
struct Group {
    traceback: Traceback,
    stacks: Vec<StackId>,
    bytes: i64,
    blocks: i64,
    /// The part that C is known to have freed after the last search, and all growth at that time.
    freed: Grown,
    grown_then: Grown,
}

/// The changes of one run, and the heap after it.
#[derive(Debug)]
pub struct RunEvidence<'a, 'b> {
    grouper: &'a mut Grouper<'b>,
    changes: &'a [Change],
}

impl<'a> Grouper<'a> {
    /// Groups by these rules. Without a heap to search, later runs alone decide.
    pub fn new(rules: &Rules, heap: Option<HeapSearch<'a>>) -> Self {
        Self {
            domain: rules.limits.counted(),
            traceback_rules: TracebackRules::new(rules),
            symbolizer: StackSymbolizer::default(),
            groups: Vec::new(),
            by_traceback: HashMap::new(),
            by_stack: HashMap::new(),
            heap,
            heap_note: None,
            lost: HashMap::new(),
            freed_though_lost: HashSet::new(),
        }
    }

    /// The evidence of a run that has changed this much since the one before it.
    pub fn evidence<'e>(&'e mut self, changes: &'e [Change]) -> RunEvidence<'e, 'a> {
        RunEvidence { grouper: self, changes }
    }

    /// The changes of blocks whose language counts.
    pub fn counted(&self, mut changes: Vec<Change>) -> Vec<Change> {
        if self.domain != Domain::All {
            changes.retain(|change| self.domain.counts(bridge::domain(change.stack)));
        }
        changes
    }

    /// The changes without those of std's runtime before `main`.
    pub fn since_main(&mut self, mut changes: Vec<Change>) -> Vec<Change> {
        self.symbolizer.prepare(changes.iter().map(|change| change.stack));
        changes.retain(|change| {
            let frames = self.symbolizer.frames(change.stack);
            !frames.last().is_some_and(|outermost| outermost.path().starts_with("std::rt::"))
        });
        changes
    }

    /// The changes by group, in the order of groups, after filters.
    pub fn changes(&mut self, changes: &[Change]) -> Vec<GroupChange> {
        let new = changes.iter().map(|change| change.stack);
        self.symbolizer.prepare(new.filter(|stack| !self.by_stack.contains_key(stack)));
        let mut by_group: HashMap<GroupId, (i64, i64)> = HashMap::new();
        for change in changes {
            let Some(id) = self.group_of(change.stack) else { continue };
            let sum = by_group.entry(id).or_default();
            *sum = (sum.0 + change.bytes, sum.1 + change.blocks);
            if let Some(stack) = self.lost.get_mut(&change.stack) {
                stack.live = stack.live.saturating_add_signed(change.bytes);
                if stack.live < stack.lost {
                    self.freed_though_lost.insert(id);
                }
            }
            let group = &mut self.groups[id.0];
            group.bytes += change.bytes;
            group.blocks += change.blocks;
        }
        let mut changes: Vec<GroupChange> = by_group
            .into_iter()
            .map(|(id, (bytes, blocks))| {
                let traceback = self.get(id);
                let known = traceback.known.is_some();
                GroupChange {
                    id,
                    bytes,
                    blocks,
                    initialiser: traceback.initialiser.is_some(),
                    cache_of_std: traceback.initialiser.is_some_and(is_cache_of_std),
                    known,
                }
            })
            .collect();
        sort_by_key(&mut changes, |change| change.id);
        changes
    }

    /// The group of a stack; `None` where the filters leave it out.
    fn group_of(&mut self, stack: StackId) -> Option<GroupId> {
        if let Some(known) = self.by_stack.get(&stack) {
            return *known;
        }
        let frames = self.symbolizer.frames(stack);
        let traceback = self.traceback_rules.traceback(bridge::domain(stack), &frames);
        let id = self.traceback_rules.keeps(&traceback).then(|| {
            let key = self.traceback_rules.key(traceback);
            let id = *self.by_traceback.entry(key).or_insert_with_key(|traceback| {
                let traceback = traceback.clone();
                self.groups.push(Group {
                    traceback,
                    stacks: Vec::new(),
                    bytes: 0,
                    blocks: 0,
                    freed: Grown::default(),
                    grown_then: Grown::default(),
                });
                GroupId(self.groups.len() - 1)
            });
            self.groups[id.0].stacks.push(stack);
            id
        });
        self.by_stack.insert(stack, id);
        id
    }

    /// The blocks so far that one language allocated and the other one freed, by both places. The
    /// filters look at the place that allocated.
    pub fn mismatches(&mut self) -> Vec<Mismatch> {
        let all: Vec<Mismatched> = mismatches::all().collect();
        self.symbolizer.prepare(all.iter().flat_map(|one| [one.allocated, one.freed]));
        let mut found: Vec<Mismatch> = Vec::new();
        for Mismatched { allocated, freed, blocks } in all {
            let [allocated, freed] = [allocated, freed].map(|stack| {
                let frames = self.symbolizer.frames(stack);
                self.traceback_rules.traceback(bridge::domain(stack), &frames)
            });
            if !self.traceback_rules.keeps(&allocated) {
                continue;
            }
            match found.iter_mut().find(|one| (&one.allocated, &one.freed) == (&allocated, &freed))
            {
                Some(one) => one.blocks += blocks,
                None => found.push(Mismatch { allocated, freed, blocks }),
            }
        }
        sort_by(&mut found, |a, b| {
            (&a.allocated.traceback, &a.freed.traceback)
                .cmp(&(&b.allocated.traceback, &b.freed.traceback))
        });
        found
    }

    /// The fate of all growth since the first run.
    pub fn look(&mut self) -> Vec<GroupGrowth> {
        let grown: Vec<(GroupId, Grown)> = self
            .groups
            .iter()
            .enumerate()
            .filter_map(|(id, group)| Some((GroupId(id), Grown::of(group.bytes, group.blocks)?)))
            .collect();
        let stacks = grown.iter().flat_map(|(id, _)| self.groups[id.0].stacks.iter().copied());
        let stacks: Vec<StackId> = stacks.collect();
        let found = self.heap.as_ref().map(|heap| heap.ask(&stacks, &mut self.symbolizer));
        self.heap_note = match &found {
            None => None,
            Some(Ok(found)) => found.doubt.or(found.note),
            Some(Err(why)) => Some(why),
        };
        let found = found.and_then(Result::ok);
        self.symbolizer.prepare(
            found.iter().flat_map(|found| &found.entries).flat_map(heap::Retained::stacks),
        );
        if let Some(found) = &found {
            self.note_lost(found);
        }
        let mut growth = Vec::new();
        for (id, grown) in grown {
            match &found {
                Some(found) => self.cut(id, grown, found, &mut growth),
                None => growth.push(GroupGrowth {
                    id,
                    share: Share::Open,
                    grown,
                    finding: Finding::default(),
                }),
            }
        }
        growth
    }

    /// Notes the stacks with lost blocks. Later changes tell if any are freed after all.
    fn note_lost(&mut self, found: &Found) {
        self.lost.clear();
        for entry in &found.entries {
            let stack = self.lost.entry(entry.stack).or_insert(Lost { lost: 0, live: 0 });
            stack.live += entry.bytes;
            if matches!(entry.fate, Fate::Lost | Fate::LostWith) {
                stack.lost += entry.bytes;
            }
        }
        self.lost.retain(|_, stack| stack.lost > 0);
    }

    /// Why the heap could not be searched for the last growth, or not in full.
    pub fn heap_note(&self) -> Option<&'static str> {
        self.heap_note
    }

    /// Cuts a group's growth into shares.
    ///
    /// The search finds all live blocks, and not only new ones. So lost blocks may be older than
    /// this run, as far as there are older blocks. Of the rest, as much as possible counts as held
    /// by an unknown holder.
    fn cut(&mut self, id: GroupId, grown: Grown, found: &Found, growth: &mut Vec<GroupGrowth>) {
        let stacks = &self.groups[id.0].stacks;
        let of_group: Vec<&heap::Retained> =
            found.entries.iter().filter(|entry| stacks.contains(&entry.stack)).collect();
        let share_of = |entry: &heap::Retained| match entry.fate {
            Fate::Lost | Fate::LostWith if found.doubt.is_none() => Share::Lost,
            Fate::Lost | Fate::LostWith => Share::Open,
            Fate::Held if entry.holder.as_ref().is_some_and(|holder| holder.known) => {
                Share::Excused
            }
            Fate::Held => Share::Open,
            Fate::Freed => Share::Excused,
        };
        let freed: Grown = {
            let entries = of_group.iter().filter(|entry| entry.fate == Fate::Freed);
            entries.map(|entry| amount(entry)).sum()
        };
        let live = |share: Option<Share>| -> Grown {
            let entries =
                of_group.iter().filter(|entry| share.is_none_or(|share| share_of(entry) == share));
            entries.map(|entry| amount(entry)).sum()
        };
        let older = live(None).less(grown);
        let looks_lost = live(Some(Share::Lost)).less(older).at_most(grown);
        // C may use memory again that an earlier search has found to be free. New growth may be
        // free too.
        let group = &mut self.groups[id.0];
        let still_free = freed.less(grown.less(group.grown_then));
        let used_again = group.freed.less(still_free).at_most(looks_lost);
        group.freed = freed + used_again;
        group.grown_then = grown;
        let lost = looks_lost.less(used_again);
        let rest = grown.less(lost);
        let excused = if live(Some(Share::Open)).bytes == 0 {
            (live(Some(Share::Excused)) + used_again).at_most(rest)
        } else {
            (freed.less(older) + used_again).at_most(rest)
        };
        for (share, grown) in
            [(Share::Lost, lost), (Share::Excused, excused), (Share::Open, rest.less(excused))]
        {
            if grown.bytes == 0 {
                continue;
            }
            let mut entries: Vec<&&heap::Retained> =
                of_group.iter().filter(|entry| share_of(entry) == share).collect();
            // A block that leads to others comes before them.
            sort_by_key(&mut entries, |entry| (entry.fate, core::cmp::Reverse(entry.bytes)));
            let mut namer = FindingNamer {
                traceback_rules: &self.traceback_rules,
                symbolizer: &mut self.symbolizer,
            };
            if share != Share::Lost {
                let finding = entries.first().map(|entry| namer.finding(entry)).unwrap_or_default();
                growth.push(GroupGrowth { id, share, grown, finding });
                continue;
            }
            // Each lost block goes with its own head.
            let mut by_finding: Vec<(Finding, Grown)> = Vec::new();
            for entry in entries {
                let (finding, amount) = (namer.finding(entry), amount(entry));
                match by_finding.iter_mut().find(|(other, _)| *other == finding) {
                    Some((_, sum)) => *sum = *sum + amount,
                    None => by_finding.push((finding, amount)),
                }
            }
            let whole = by_finding.iter().map(|(_, amount)| *amount).sum();
            let mut left = grown;
            for (finding, amount) in by_finding {
                let grown = grown.part(amount, whole).at_most(left);
                left = left.less(grown);
                if grown.bytes > 0 {
                    growth.push(GroupGrowth { id, share, grown, finding });
                }
            }
        }
    }

    /// A group's traceback.
    pub fn get(&self, group: GroupId) -> &Traceback {
        &self.groups[group.0].traceback
    }
}

/// Bytes and blocks of an entry.
fn amount(entry: &heap::Retained) -> Grown {
    Grown { bytes: entry.bytes, blocks: entry.blocks }
}

impl Evidence for RunEvidence<'_, '_> {
    fn changes(&mut self) -> Vec<GroupChange> {
        self.grouper.changes(self.changes)
    }

    fn look(&mut self) -> Vec<GroupGrowth> {
        self.grouper.look()
    }

    fn freed_though_lost(&self) -> &HashSet<GroupId> {
        &self.grouper.freed_though_lost
    }
}
