//! Growth by traceback: changes by physical stack, named, trimmed and put together where they read the same.

use std::collections::HashMap;
use std::iter::Sum;

use crate::handshake;
use crate::judge::rules::{Limit, Rules};
use crate::judge::traceback::{Shortener, Traceback};
use crate::live::Change;
use crate::symbol_name;
use crate::symbolize::Symbolizer;

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

/// What one group has grown by in one run.
#[derive(Debug, Clone, Copy)]
pub struct GroupGrowth {
    /// The group.
    pub id: GroupId,
    /// By how much it grew.
    pub grown: Grown,
    /// It was allocated under an initialiser that runs once by nature.
    pub initialiser: bool,
    /// The configuration knows it.
    pub known: bool,
}

/// Names groups and remembers them over the runs.
#[derive(Debug, Clone)]
pub struct Grouper {
    shortener: Shortener,
    symbolizer: Symbolizer,
    groups: Vec<Traceback>,
    by_traceback: HashMap<Traceback, GroupId>,
}

impl Grown {
    /// Whether either number is above its limit.
    pub fn exceeds(&self, limit: &Limit) -> bool {
        self.bytes > limit.max_growth || limit.max_blocks.is_some_and(|most| self.blocks > most)
    }

    /// What stacks have grown by that grew, together.
    pub fn gross(changes: &[Change]) -> Self {
        let grew = changes.iter().filter(|change| change.bytes > 0);
        grew.map(|change| Self { bytes: change.bytes as u64, blocks: change.blocks.max(0) as u64 }).sum()
    }
}

impl Sum for Grown {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self { bytes: sum.bytes + one.bytes, blocks: sum.blocks + one.blocks })
    }
}

impl Grouper {
    /// Groups as these rules say.
    pub fn new(rules: &Rules) -> Self {
        Self {
            shortener: Shortener::new(rules),
            symbolizer: Symbolizer::default(),
            groups: Vec::new(),
            by_traceback: HashMap::new(),
        }
    }

    /// Those changes that are not of what the standard library's runtime does before `main`.
    pub fn since_main(&mut self, mut changes: Vec<Change>) -> Vec<Change> {
        changes.retain(|change| {
            let (symbols, _) = self.symbolizer.frames(handshake::addresses(change.stack), symbol_name::ends_traceback);
            !symbols.last().is_some_and(|outermost| symbol_name::path(&outermost.function).starts_with("std::rt::"))
        });
        changes
    }

    /// The groups that grew, after filters. A group is all stacks of one traceback, those that shrank too.
    pub fn group(&mut self, changes: &[Change]) -> Vec<GroupGrowth> {
        let mut sums: HashMap<GroupId, (i64, i64)> = HashMap::new();
        for change in changes {
            let (symbols, _) = self.symbolizer.frames(handshake::addresses(change.stack), symbol_name::ends_traceback);
            let traceback = self.shortener.traceback(&symbols);
            if !self.shortener.keeps(&traceback) {
                continue;
            }
            let group = *self.by_traceback.entry(self.shortener.key(traceback)).or_insert_with_key(|traceback| {
                self.groups.push(traceback.clone());
                GroupId(self.groups.len() - 1)
            });
            let sum = sums.entry(group).or_default();
            sum.0 += change.bytes;
            sum.1 += change.blocks;
        }
        let grew = sums.into_iter().filter(|(_, (bytes, _))| *bytes > 0);
        grew.map(|(id, (bytes, blocks))| GroupGrowth {
            id,
            grown: Grown { bytes: bytes as u64, blocks: u64::try_from(blocks).unwrap_or(0) },
            initialiser: self.get(id).initialiser.is_some(),
            known: self.get(id).known.is_some(),
        })
        .collect()
    }

    /// A group's traceback.
    pub fn get(&self, group: GroupId) -> &Traceback {
        &self.groups[group.0]
    }
}
