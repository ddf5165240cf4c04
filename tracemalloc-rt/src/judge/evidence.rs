//! The evidence of a run: growth by group, and its fate in the heap.

use std::collections::HashSet;

use crate::heap::HolderKind;
use crate::judge::finding::Finding;
use crate::judge::grown::Grown;

/// The number of a group, which has one traceback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub usize);

/// The change of one group in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupChange {
    /// The group.
    pub id: GroupId,
    /// Bytes, negative where there are fewer now.
    pub bytes: i64,
    /// Blocks, negative where there are fewer now.
    pub blocks: i64,
    /// Whether an initialiser allocates its blocks.
    pub initialiser: bool,
    /// Whether that is a cache of the standard library, whose growth never counts.
    pub cache_of_std: bool,
    /// Whether the configuration knows it.
    pub known: bool,
}

/// The part of a group's growth since the first run that has met one fate.
#[derive(Debug, Clone)]
pub struct GroupGrowth {
    /// The group.
    pub id: GroupId,
    /// The fate, as a verdict needs it.
    pub share: Share,
    /// How much.
    pub grown: Grown,
    /// The answer of the heap.
    pub finding: Finding,
}

/// The fate of growth, as far as a verdict needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Share {
    /// Nothing points to it: a leak, even if later runs do not grow.
    Lost,
    /// Something holds it, or the heap could not tell: later runs decide.
    Open,
    /// Only a holder that is known to free later, or to fill once, holds it.
    Excused,
}

/// The holder of growth, as far as two runs have the same one: without the thread, which may be
/// another in each run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HolderKey {
    kind: HolderKind,
    name: String,
}

impl HolderKey {
    /// The holder of a finding; `None` where the heap did not name any.
    pub fn of(finding: &Finding) -> Option<Self> {
        let Finding::Held { by, .. } = finding else { return None };
        Some(match by.kind {
            HolderKind::Stack | HolderKind::Register => {
                let name = by.start.as_ref().or(by.thread.as_ref()).unwrap_or(&by.name).clone();
                Self { kind: HolderKind::Stack, name }
            }
            kind => Self { kind, name: by.name.clone() },
        })
    }
}

/// A source of evidence, which a case asks only where it has to.
pub trait Evidence {
    /// The changes of the last run by group, after filters; groups that shrank too.
    fn changes(&mut self) -> Vec<GroupChange>;

    /// The fate of all that has grown since the first run and is still there.
    fn look(&mut self) -> Vec<GroupGrowth>;

    /// The groups whose blocks the program has freed after the heap search called them lost. So it
    /// knew their addresses in some form that the search does not recognise.
    fn freed_though_lost(&self) -> &HashSet<GroupId>;
}
