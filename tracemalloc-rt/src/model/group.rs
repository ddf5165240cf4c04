//! Sums up the blocks of one or two snapshots by key. `statistic` orders the sums.
//!
//! A million blocks come from few stacks. So blocks are first summed up by the address of their
//! frames, and only the sums are grouped frame by frame.

use rustc_hash::FxHashMap;

use crate::model::frame::Frame;
use crate::model::intern::Interner;
use crate::model::key_type::{KeyType, KeyTypeError};
use crate::model::trace::Trace;
use crate::model::traceback::Traceback;

/// Sums over blocks. A sum that does not fit stays at the maximum.
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) size: u64,
    pub(crate) count: u64,
}

impl Totals {
    fn add(&mut self, other: Totals) {
        self.size = self.size.saturating_add(other.size);
        self.count = self.count.saturating_add(other.count);
    }
}

/// Blocks with one key. A snapshot without such blocks has zeroes.
pub(crate) struct Group {
    /// The frames of the key, as those of the group's first block.
    pub(crate) traceback: Traceback,
    pub(crate) new: Totals,
    pub(crate) old: Totals,
}

/// The groups, while blocks are added.
pub(crate) struct Grouping<'a> {
    key_type: KeyType,
    cumulative: bool,
    names: Interner<&'a str>,
    /// Groups by key: the numbers of file name and line of each frame.
    indexes: FxHashMap<Box<[u64]>, usize>,
    groups: Vec<Group>,
}

impl<'a> Grouping<'a> {
    pub(crate) fn new(key_type: KeyType, cumulative: bool) -> Result<Grouping<'a>, KeyTypeError> {
        if cumulative && key_type == KeyType::Traceback {
            return Err(KeyTypeError::CumulativeTraceback);
        }
        Ok(Grouping {
            key_type,
            cumulative,
            names: Interner::new(),
            indexes: FxHashMap::default(),
            groups: Vec::new(),
        })
    }

    /// Adds blocks to the side of their groups that `side` picks.
    pub(crate) fn add(&mut self, traces: &'a [Trace], side: fn(&mut Group) -> &mut Totals) {
        for (traceback, totals) in by_stack(traces) {
            if self.cumulative {
                // Once for each occurrence: Python counts recursion repeatedly too.
                for frame in traceback {
                    side(self.group_of_frame(frame)).add(totals);
                }
            } else if self.key_type == KeyType::Traceback {
                side(self.group_of_stack(traceback)).add(totals);
            } else {
                side(self.group_of_frame(traceback.most_recent())).add(totals);
            }
        }
    }

    pub(crate) fn into_groups(self) -> Vec<Group> {
        self.groups
    }

    fn group_of_frame(&mut self, frame: &'a Frame) -> &mut Group {
        let name = self.names.id(frame.filename());
        match self.key_type {
            KeyType::Filename => {
                self.group(&[pack(name, 0)], || Traceback::new([frame.file_only()], None))
            }
            _ => {
                self.group(&[pack(name, frame.lineno())], || Traceback::new([frame.clone()], None))
            }
        }
    }

    fn group_of_stack(&mut self, traceback: &'a Traceback) -> &mut Group {
        let key: Vec<u64> = traceback
            .iter()
            .map(|frame| pack(self.names.id(frame.filename()), frame.lineno()))
            .collect();
        self.group(&key, || traceback.without_total())
    }

    fn group(&mut self, key: &[u64], traceback: impl FnOnce() -> Traceback) -> &mut Group {
        let index = match self.indexes.get(key) {
            Some(&index) => index,
            None => {
                let index = self.groups.len();
                self.indexes.insert(key.into(), index);
                self.groups.push(Group {
                    traceback: traceback(),
                    new: Totals::default(),
                    old: Totals::default(),
                });
                index
            }
        };
        &mut self.groups[index]
    }
}

fn pack(name: u32, lineno: u32) -> u64 {
    u64::from(name) << 32 | u64::from(lineno)
}

/// Sums by the address of the frames, in the order of first appearance. Blocks that lie side by
/// side often have one stack.
fn by_stack(traces: &[Trace]) -> Vec<(&Traceback, Totals)> {
    let mut indexes = FxHashMap::default();
    let mut stacks: Vec<(&Traceback, Totals)> = Vec::new();
    for alike in traces.chunk_by(|a, b| a.traceback().is_clone_of(b.traceback())) {
        let traceback = alike[0].traceback();
        let index = *indexes.entry(traceback.address()).or_insert_with(|| {
            stacks.push((traceback, Totals::default()));
            stacks.len() - 1
        });
        let mut totals = Totals::default();
        for trace in alike {
            totals.add(Totals { size: trace.size(), count: 1 });
        }
        stacks[index].1.add(totals);
    }
    stacks
}
