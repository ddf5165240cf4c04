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
use crate::util::sample_probability::sample_probability;

/// The last of the allocators' domains. The program itself tracks the blocks of all others. None of
/// them is left out.
const C: u32 = 1;

/// The blocks of one snapshot.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) traces: &'a [Trace],
    /// The interval of sampling, or 0.
    pub(crate) interval: u64,
}

/// Sums over blocks. A sum that does not fit stays at the maximum.
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    size: u64,
    count: u64,
    estimates: Estimates,
}

/// Sums that sampled blocks stand for.
#[derive(Clone, Copy, Default)]
struct Estimates {
    size: f64,
    count: f64,
    variance: f64,
}

impl Totals {
    fn add(&mut self, other: Totals) {
        self.size = self.size.saturating_add(other.size);
        self.count = self.count.saturating_add(other.count);
        self.estimates.size += other.estimates.size;
        self.estimates.count += other.estimates.count;
        self.estimates.variance += other.estimates.variance;
    }

    fn add_block(&mut self, size: u64) {
        self.size = self.size.saturating_add(size);
        self.count = self.count.saturating_add(1);
    }

    /// Adds a sampled block. It stands for as many as make the sum right on average (Horvitz and
    /// Thompson, 1952), which also tells the variance.
    fn add_sampled(&mut self, size: u64, interval: u64) {
        let size = size as f64;
        let probability = sample_probability(size, interval);
        if probability > 0.0 {
            self.estimates.size += size / probability;
            self.estimates.count += 1.0 / probability;
            self.estimates.variance += (1.0 - probability) * (size / probability).powi(2);
        }
    }

    /// Bytes of all blocks.
    pub(crate) fn size(&self) -> u64 {
        self.size.saturating_add(self.estimates.size.round() as u64)
    }

    /// The number of blocks.
    pub(crate) fn count(&self) -> u64 {
        self.count.saturating_add(self.estimates.count.round() as u64)
    }

    /// The standard error of the size.
    pub(crate) fn size_error(&self) -> u64 {
        self.estimates.variance.sqrt().round() as u64
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
    pub(crate) fn add(&mut self, blocks: Side<'a>, side: fn(&mut Group) -> &mut Totals) {
        for (traceback, totals) in by_stack(blocks) {
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
fn by_stack(blocks: Side<'_>) -> Vec<(&Traceback, Totals)> {
    let Side { traces, interval } = blocks;
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
            if interval == 0 || trace.domain() > C {
                totals.add_block(trace.size());
            } else {
                totals.add_sampled(trace.size(), interval);
            }
        }
        stacks[index].1.add(totals);
    }
    stacks
}
