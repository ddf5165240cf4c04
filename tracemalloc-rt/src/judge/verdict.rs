//! The verdict on a body, and on each of its growths.

use crate::judge::evidence::{GroupId, Share};
use crate::judge::finding::Finding;
use crate::judge::grouping::Grouper;
use crate::judge::grown::Grown;
use crate::judge::rate::Rate;
use crate::judge::traceback::Traceback;
use crate::limits::Limit;
use crate::util::sort::sort_by;
#[cfg(feature = "_wire")]
use crate::util::wire::{WireValue, wire};

/// The verdict on a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "_json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "_json", serde(rename_all = "snake_case"))]
pub enum Verdict {
    /// Growth of the first run was within the limit, and no later run showed a leak.
    Clean,
    /// It grew in the first run, but its growth did not go on.
    Once,
    /// Lost memory, or growth that went on, was above the limit.
    Leak,
    /// All that would make it leak, or be unconfirmed, is known.
    Known,
    /// It grew in the first run, and the body could not run again.
    Unconfirmed,
    /// It opted out, with a reason. The harness says so; the judge never does.
    Skipped,
}

#[cfg(feature = "_wire")]
wire!(
    enum Verdict {
        Clean,
        Once,
        Leak,
        Known,
        Unconfirmed,
        Skipped,
    }
);

/// The verdict on the growth of one share of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "_json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "_json", serde(rename_all = "snake_case"))]
pub enum GrowthKind {
    /// Nothing points to it any more, or it went on growing.
    Leak,
    /// It grew in every run, and the body could not run again.
    Unconfirmed,
    /// One of the two, and it is known.
    Known,
    /// Its growth did not go on.
    Once,
    /// It grew under an initialiser that runs once by nature.
    Initialiser,
}

#[cfg(feature = "_wire")]
wire!(
    enum GrowthKind {
        Leak,
        Unconfirmed,
        Known,
        Once,
        Initialiser,
    }
);

/// The growth of one share of a group over all runs.
#[derive(Debug, Clone)]
pub struct Growth {
    /// The verdict on it.
    pub kind: GrowthKind,
    /// Its growth a run: in the run in which it grew least, or the mean where it paused.
    pub least: Grown,
    /// Its bytes a run, as far as any number of runs proves the same.
    pub rate: Rate,
    /// Its growth over all runs that is still there.
    pub total: Grown,
    /// The number of runs in which it grew.
    pub runs: u32,
    /// The last answer of the heap.
    pub finding: Finding,
    /// The place of its allocation.
    pub traceback: Traceback,
}

/// A closed case.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason, where one is needed.
    pub reason: Option<String>,
    /// The limit that growth had.
    pub limit: Limit,
    /// The growth of each run, after filters.
    pub runs: Vec<Grown>,
    pub(super) groups: Vec<JudgedShare>,
}

/// One share of a group in a closed case.
#[derive(Debug, Clone)]
pub(super) struct JudgedShare {
    pub id: GroupId,
    pub share: Share,
    pub kind: GrowthKind,
    pub per_run: Grown,
    pub rate: Rate,
    pub total: Grown,
    pub runs: u32,
    pub finding: Finding,
}

impl Judged {
    /// The growth of each share of each group: leaks first, then by size.
    pub fn growth(&self, grouper: &Grouper<'_>) -> Vec<Growth> {
        self.ordered(|id| grouper.get(id))
            .map(|share| Growth {
                kind: share.kind,
                least: share.per_run,
                rate: share.rate,
                total: share.total,
                runs: share.runs,
                finding: share.finding.clone(),
                traceback: grouper.get(share.id).clone(),
            })
            .collect()
    }

    /// All shares in the order of the report, which depends on visible values only. Of one
    /// traceback and one size, lost memory comes before held memory.
    pub(super) fn ordered<'t>(
        &self,
        traceback: impl Fn(GroupId) -> &'t Traceback,
    ) -> impl Iterator<Item = &JudgedShare> {
        let mut shares: Vec<&JudgedShare> = self.groups.iter().collect();
        sort_by(&mut shares, |a, b| {
            let (of_a, of_b) = (traceback(a.id), traceback(b.id));
            let size = |share: &JudgedShare| (share.per_run.bytes, share.per_run.blocks);
            let rest =
                |of: &Traceback| (of.domain, of.type_name.clone(), of.initialiser, of.total_nframe);
            (a.kind, size(b), &of_a.traceback, a.share, rest(of_a)).cmp(&(
                b.kind,
                size(a),
                &of_b.traceback,
                b.share,
                rest(of_b),
            ))
        });
        shares.into_iter()
    }
}
