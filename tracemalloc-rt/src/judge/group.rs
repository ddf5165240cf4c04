//! One group of a case: its growth over the runs, and the last answer of the heap about it.

use crate::judge::evidence::{HolderKey, Share};
use crate::judge::finding::Finding;
use crate::judge::grown::Grown;
use crate::judge::series::Series;

/// One group over the runs.
#[derive(Debug, Default)]
pub struct Group {
    /// Its growth, run by run.
    pub series: Series,
    /// An initialiser allocates its blocks.
    pub initialiser: bool,
    /// That is a cache of the standard library.
    pub cache_of_std: bool,
    /// A holder that programs set once holds its blocks.
    pub set_once: bool,
    /// The configuration knows it.
    pub known: bool,
    /// The heap search does not recognise pointers to its blocks.
    pub hidden: bool,
    /// The last answer of the heap; empty before it was searched.
    pub shares: Vec<(Share, Grown, Finding)>,
}

impl Group {
    /// Whether growth in one run is expected.
    pub fn is_expected_once(&self) -> bool {
        self.initialiser || self.set_once
    }

    /// Whether it grew after the first run, or after the first run in which it grew.
    pub fn grew_again(&self) -> bool {
        self.series.growing_runs() > 1
    }

    /// Whether all that is left of it is excused.
    pub fn is_excused(&self) -> bool {
        let all_excused = || self.shares.iter().all(|(share, ..)| *share == Share::Excused);
        self.cache_of_std || !self.shares.is_empty() && all_excused()
    }

    /// Takes in an answer of the heap about a part of it.
    pub fn add_share(&mut self, share: Share, grown: Grown, finding: Finding) {
        self.shares.push(match share {
            Share::Lost if self.hidden => (Share::Open, grown, Finding::default()),
            _ => (share, grown, finding),
        });
    }

    /// From now on, nothing of it counts as lost.
    pub fn hide(&mut self) {
        self.hidden = true;
        for (share, grown, finding) in std::mem::take(&mut self.shares) {
            self.add_share(share, grown, finding);
        }
    }

    /// Whether it grew in this run, lost, held or excused.
    pub fn grew_at_all(&self, run: u32) -> bool {
        self.series.grew_in(run) && !self.cache_of_std
    }

    /// Whether it grew in this run, and not only by lost or excused memory.
    pub fn grew_openly(&self, run: u32) -> bool {
        self.series.grew_in(run)
            && !self.cache_of_std
            && (self.shares.is_empty()
                || self.shares.iter().any(|(share, ..)| *share == Share::Open))
    }

    /// Its growth up to this run.
    pub fn grown(&self, runs: u32) -> Grown {
        self.series.size(runs)
    }

    /// The part that later runs have to explain.
    pub fn open(&self, runs: u32) -> Grown {
        if self.shares.is_empty() { self.grown(runs) } else { self.share(Share::Open) }
    }

    /// The growth of this share.
    pub fn share(&self, wanted: Share) -> Grown {
        let shares = self.shares.iter().filter(|(share, ..)| *share == wanted);
        shares.map(|(_, grown, _)| *grown).sum()
    }

    /// The growth a run of lost blocks. Where most are lost, a word somewhere may still point to
    /// the rest.
    pub fn lost_per_run(&self, lost: Grown, runs: u32) -> Grown {
        if 2 * lost.bytes >= self.grown(runs).bytes {
            self.series.per_run(runs)
        } else {
            lost.per_run(self.series.growing_runs())
        }
    }

    /// Its shares; before the heap was searched, all that it has grown by is open.
    pub fn shares(&self, runs: u32) -> Vec<(Share, Grown, Finding)> {
        let grown = self.grown(runs);
        if self.shares.is_empty() && grown.bytes > 0 {
            return vec![(Share::Open, grown, Finding::default())];
        }
        self.shares.clone()
    }

    /// The holder of its open part.
    pub fn holder(&self) -> Option<HolderKey> {
        let open = self.shares.iter().find(|(share, ..)| *share == Share::Open)?;
        HolderKey::of(&open.2)
    }
}
