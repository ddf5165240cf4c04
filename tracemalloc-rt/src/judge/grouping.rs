//! Growth by traceback: changes by physical stack, named, trimmed and put together where they read
//! the same; and cut into shares by what the heap says has become of it.

use std::collections::HashMap;
use std::iter::Sum;
use std::ops::Add;

use crate::heap;
use crate::heap::{Fate, Found};
use crate::judge::finding::{Finding, Teller};
use crate::judge::heap_search::Heap;
use crate::judge::rules::{Limit, Rules};
use crate::judge::stack_symbolizer::StackSymbolizer;
use crate::judge::traceback::Traceback;
use crate::judge::traceback_rules::TracebackRules;
use crate::trace::live::Change;
use crate::trace::stack_id::StackId;
use crate::util::sort::sort_by_key;

/// What a group has grown by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grown {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

/// The name of a group within one [`Grouper`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupId(pub usize);

/// What one group has grown by in one run, as far as it has become of the same.
#[derive(Debug, Clone)]
pub struct GroupGrowth {
    /// The group.
    pub id: GroupId,
    /// What it has become, for a verdict.
    pub share: Share,
    /// By how much it grew.
    pub grown: Grown,
    /// What the heap says of it.
    pub finding: Finding,
    /// The configuration knows it.
    pub known: bool,
}

/// What growth has become, as far as a verdict is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Share {
    /// Nothing points to it: a leak, whatever later runs do.
    Lost,
    /// Something holds it, or the heap could not tell: later runs have to.
    Open,
    /// Only something that is known to free later, or to fill once, holds it.
    Excused,
    /// It was allocated under an initialiser that runs once by nature.
    Initialiser,
}

/// Names groups and remembers them over the runs.
#[derive(Debug, Clone)]
pub struct Grouper<'a> {
    limit: Limit,
    traceback_rules: TracebackRules,
    symbolizer: StackSymbolizer,
    groups: Vec<Traceback>,
    by_traceback: HashMap<Traceback, GroupId>,
    heap: Option<Heap<'a>>,
    heap_note: Option<&'static str>,
}

/// One group's changes in one run.
#[derive(Debug, Default)]
struct Changed {
    bytes: i64,
    blocks: i64,
    stacks: Vec<StackId>,
}

impl Grown {
    /// Whether either number is above its limit.
    pub fn exceeds(&self, limit: &Limit) -> bool {
        self.bytes > limit.max_growth || limit.max_blocks.is_some_and(|most| self.blocks > most)
    }

    /// What stacks have grown by that grew, together.
    pub fn gross(changes: &[Change]) -> Self {
        let grew = changes.iter().filter(|change| change.bytes > 0);
        grew.map(|change| Self { bytes: change.bytes as u64, blocks: change.blocks.max(0) as u64 })
            .sum()
    }

    fn less(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            blocks: self.blocks.saturating_sub(other.blocks),
        }
    }

    fn at_most(self, other: Self) -> Self {
        Self { bytes: self.bytes.min(other.bytes), blocks: self.blocks.min(other.blocks) }
    }
}

impl Changed {
    fn grown(&self) -> Grown {
        Grown {
            bytes: u64::try_from(self.bytes).unwrap_or(0),
            blocks: u64::try_from(self.blocks).unwrap_or(0),
        }
    }
}

impl Add for Grown {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, blocks: self.blocks + other.blocks }
    }
}

impl Sum for Grown {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

impl<'a> Grouper<'a> {
    /// Groups as these rules say. Without a heap to ask, later runs alone decide what leaks.
    pub fn new(rules: &Rules, heap: Option<Heap<'a>>) -> Self {
        Self {
            limit: rules.limit,
            traceback_rules: TracebackRules::new(rules),
            symbolizer: StackSymbolizer::default(),
            groups: Vec::new(),
            by_traceback: HashMap::new(),
            heap,
            heap_note: None,
        }
    }

    /// Those changes that are not of what the standard library's runtime does before `main`.
    pub fn since_main(&mut self, mut changes: Vec<Change>) -> Vec<Change> {
        self.symbolizer.prepare(changes.iter().map(|change| change.stack));
        changes.retain(|change| {
            let frames = self.symbolizer.frames(change.stack);
            !frames.last().is_some_and(|outermost| outermost.path().starts_with("std::rt::"))
        });
        changes
    }

    /// The groups that grew, after filters, cut into shares. A group is all stacks of one
    /// traceback, those that shrank too. The heap is asked only where the growth is above the
    /// limit.
    pub fn group(&mut self, changes: &[Change]) -> Vec<GroupGrowth> {
        self.symbolizer.prepare(changes.iter().map(|change| change.stack));
        let mut by_group: HashMap<GroupId, Changed> = HashMap::new();
        for change in changes {
            let traceback = self.traceback_rules.traceback(&self.symbolizer.frames(change.stack));
            if !self.traceback_rules.keeps(&traceback) {
                continue;
            }
            let group = *self
                .by_traceback
                .entry(self.traceback_rules.key(traceback))
                .or_insert_with_key(|traceback| {
                    self.groups.push(traceback.clone());
                    GroupId(self.groups.len() - 1)
                });
            let changed = by_group.entry(group).or_default();
            changed.bytes += change.bytes;
            changed.blocks += change.blocks;
            changed.stacks.push(change.stack);
        }
        by_group.retain(|_, changed| changed.bytes > 0);
        let is_open = |id: &GroupId| self.get(*id).initialiser.is_none();
        let open: Grown =
            by_group.iter().filter(|(id, _)| is_open(id)).map(|(_, changed)| changed.grown()).sum();
        let stacks = by_group
            .iter()
            .filter(|(id, _)| is_open(id))
            .flat_map(|(_, changed)| changed.stacks.iter().copied());
        let heap = self.heap.as_ref().filter(|_| open.exceeds(&self.limit));
        let found = heap.map(|heap| heap.ask(&stacks.collect::<Vec<_>>()));
        self.heap_note = match &found {
            None => None,
            Some(Ok(found)) => found.doubt,
            Some(Err(why)) => Some(why),
        };
        let found = found.and_then(Result::ok);
        self.symbolizer.prepare(
            found.iter().flat_map(|found| &found.entries).flat_map(heap::Retained::stacks),
        );
        let mut growth = Vec::new();
        for (id, changed) in by_group {
            let known = self.get(id).known.is_some();
            if self.get(id).initialiser.is_some() {
                let finding = Finding::default();
                growth.push(GroupGrowth {
                    id,
                    share: Share::Initialiser,
                    grown: changed.grown(),
                    finding,
                    known,
                });
            } else if let Some(found) = &found {
                self.cut(id, &changed, found, &mut growth);
            } else {
                growth.push(GroupGrowth {
                    id,
                    share: Share::Open,
                    grown: changed.grown(),
                    finding: Finding::default(),
                    known,
                });
            }
        }
        growth
    }

    /// Why the heap could not be asked of the last growth, or not in full.
    pub fn heap_note(&self) -> Option<&'static str> {
        self.heap_note
    }

    /// Cuts a group's growth into shares.
    ///
    /// The heap tells of all live blocks, not of new ones alone. So what is lost may be older than
    /// this run, as far as there are older blocks; and of the rest, as much as can be is taken
    /// for held by what is not known.
    fn cut(
        &mut self,
        id: GroupId,
        changed: &Changed,
        found: &Found,
        growth: &mut Vec<GroupGrowth>,
    ) {
        let of_group: Vec<&heap::Retained> =
            found.entries.iter().filter(|entry| changed.stacks.contains(&entry.stack)).collect();
        let share_of = |entry: &heap::Retained| match entry.fate {
            Fate::Lost | Fate::LostWith if found.doubt.is_none() => Share::Lost,
            Fate::Lost | Fate::LostWith => Share::Open,
            Fate::Held if entry.holder.as_ref().is_some_and(|holder| holder.known) => {
                Share::Excused
            }
            Fate::Held => Share::Open,
        };
        let live = |share: Option<Share>| -> Grown {
            let entries =
                of_group.iter().filter(|entry| share.is_none_or(|share| share_of(entry) == share));
            entries.map(|entry| Grown { bytes: entry.bytes, blocks: entry.blocks }).sum()
        };
        let grown = changed.grown();
        let older = live(None).less(grown);
        let lost = live(Some(Share::Lost)).less(older).at_most(grown);
        let rest = grown.less(lost);
        let excused = if live(Some(Share::Open)).bytes == 0 {
            live(Some(Share::Excused)).at_most(rest)
        } else {
            Grown::default()
        };
        for (share, grown) in
            [(Share::Lost, lost), (Share::Excused, excused), (Share::Open, rest.less(excused))]
        {
            if grown.bytes == 0 {
                continue;
            }
            let mut entries: Vec<&&heap::Retained> =
                of_group.iter().filter(|entry| share_of(entry) == share).collect();
            // A block that leads to others says more than they do.
            sort_by_key(&mut entries, |entry| (entry.fate, core::cmp::Reverse(entry.bytes)));
            let mut teller =
                Teller { traceback_rules: &self.traceback_rules, symbolizer: &mut self.symbolizer };
            let finding = entries.first().map(|entry| teller.finding(entry)).unwrap_or_default();
            let known = self.get(id).known.is_some();
            growth.push(GroupGrowth { id, share, grown, finding, known });
        }
    }

    /// A group's traceback.
    pub fn get(&self, group: GroupId) -> &Traceback {
        &self.groups[group.0]
    }
}
