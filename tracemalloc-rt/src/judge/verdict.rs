//! What the growth of one run after another comes to.
//!
//! What nothing points to any more is a leak, after one run already. What only a known holder holds
//! is none. Of everything else, a traceback leaks when it grew in *every* counted run. A test leaks
//! when the sum of what leaks is above the limit. Runs go on only as long as they can still say
//! something: one run without growth ends the suspicion.

use std::collections::HashMap;
use std::time::Duration;

use crate::judge::finding::Finding;
use crate::judge::grouping::{GroupGrowth, GroupId, Grouper, Grown, Share};
use crate::judge::quiescence::Patience;
use crate::judge::rules::{Limit, Rules};
use crate::judge::traceback::Traceback;
use crate::util::sort::sort_by;

/// However long a run takes, a leak is confirmed by this many, unless fewer are asked for.
pub const LEAST_RUNS: u32 = 3;
/// After [`LEAST_RUNS`], no run is begun when the ones before took longer than this together.
const LONG: Duration = Duration::from_secs(10);

/// What a test's growth comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Growth of the first run was within the limit.
    Clean,
    /// It grew in the first run but not in every later one, or only under an initialiser that runs
    /// once by nature.
    Once,
    /// What nothing points to any more, or what grew in every counted run, was above the limit.
    Leak,
    /// What would make it leak, or be unconfirmed, is known.
    Known,
    /// It grew in the first run, and the body could not run again.
    Unconfirmed,
}

/// What became of the growth of one share of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrowthKind {
    /// Nothing points to it any more, or it grew in every counted run.
    Leak,
    /// Grew in every run, and the body could not run again.
    Unconfirmed,
    /// One of the two, and it is known.
    Known,
    /// Grew in some run, not in all.
    Once,
    /// Grew under an initialiser that runs once by nature.
    Initialiser,
}

/// The growth of one share of a group over all runs.
#[derive(Debug, Clone)]
pub struct Growth {
    /// What became of it.
    pub kind: GrowthKind,
    /// What it has grown by in the run in which it grew least.
    pub least: Grown,
    /// In how many runs it grew.
    pub runs: u32,
    /// What the heap says of it, after the last of them.
    pub finding: Finding,
    /// Where it was allocated.
    pub traceback: Traceback,
}

/// Collects runs until they can be judged.
#[derive(Debug)]
pub struct Judge {
    limit: Limit,
    most_runs: u32,
    runs: Vec<Grown>,
    took: Duration,
    groups: HashMap<(GroupId, Share), History>,
}

/// The growth of one share of a group over the runs, and what the last one found out about it.
#[derive(Debug, Clone)]
struct History {
    least: Grown,
    runs: u32,
    finding: Finding,
    known: bool,
}

/// What is to be done after a run.
#[derive(Debug)]
pub enum Ruling {
    /// Nothing can be said yet.
    RunAgain,
    /// The case is closed.
    Final(Judged),
}

/// A closed case.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What it comes to.
    pub verdict: Verdict,
    /// Why, where that needs saying.
    pub reason: Option<String>,
    /// What growth was allowed to reach.
    pub limit: Limit,
    /// What each run has grown by, after filters.
    pub runs: Vec<Grown>,
    groups: Vec<(GroupId, Share, GrowthKind, History)>,
}

impl Judge {
    /// Judges by these rules.
    pub fn new(rules: &Rules) -> Self {
        Self {
            limit: rules.limit,
            most_runs: rules.runs.max(1),
            runs: Vec::new(),
            took: Duration::ZERO,
            groups: HashMap::new(),
        }
    }

    /// Runs that passed so far.
    pub fn runs(&self) -> u32 {
        self.runs.len() as u32
    }

    /// How many runs a leak takes at least.
    fn least_runs(&self) -> u32 {
        self.most_runs.min(LEAST_RUNS)
    }

    /// How long to wait for the threads of the next run.
    pub fn patience(&self) -> Patience {
        match self.runs() + 1 {
            run if run > 1 && run == self.most_runs => Patience::Last,
            run if run >= self.least_runs() => Patience::Deciding,
            1 => Patience::First,
            _ => Patience::Later,
        }
    }

    /// Takes in a run that passed: what it has grown by before filters, and, asked for only where
    /// that is too much, by group and after filters.
    pub fn passed(
        &mut self,
        gross: Grown,
        groups: impl FnOnce() -> Vec<GroupGrowth>,
        took: Duration,
    ) -> Ruling {
        let first = self.runs.is_empty();
        if first && !gross.exceeds(&self.limit) {
            self.runs.push(gross);
            return Ruling::Final(self.close(Verdict::Clean, None));
        }
        let groups = groups();
        let all: Grown = groups.iter().map(|group| group.grown).sum();
        let judged = groups.iter().filter(|group| group.share != Share::Initialiser);
        let judged: Grown = judged.map(|group| group.grown).sum();
        self.runs.push(judged);
        self.took += took;
        for GroupGrowth { id, share, grown, finding, known } in groups {
            let new = History { least: grown, runs: 0, finding: Finding::default(), known };
            let history = self.groups.entry((id, share)).or_insert(new);
            history.runs += 1;
            history.finding = finding;
            if grown.bytes < history.least.bytes {
                history.least = grown;
            }
        }
        if first && !all.exceeds(&self.limit) {
            return Ruling::Final(self.close(Verdict::Clean, None));
        }
        let runs = self.runs();
        let may_leak = |wanted: Share| {
            self.sum(move |share, history| share == wanted && history.leaks(share, runs))
        };
        let (lost, surviving) = (may_leak(Share::Lost), may_leak(Share::Open));
        let enough = runs >= self.least_runs() && self.took >= LONG;
        if !(lost + surviving).exceeds(&self.limit) {
            Ruling::Final(self.close(Verdict::Once, None))
        } else if runs >= self.most_runs
            || enough
            || lost.exceeds(&self.limit) && !surviving.exceeds(&self.limit)
        {
            Ruling::Final(self.close(Verdict::Leak, None))
        } else {
            Ruling::RunAgain
        }
    }

    /// Ends the case because the body cannot run again.
    pub fn cannot_repeat(&self, why: &str) -> Ruling {
        Ruling::Final(self.unconfirmed(why))
    }

    /// What would be said if no further run came.
    pub fn unconfirmed(&self, why: &str) -> Judged {
        // What is lost needs no second run.
        let is_leak = self.sum(|share, _| share == Share::Lost).exceeds(&self.limit);
        self.close(if is_leak { Verdict::Leak } else { Verdict::Unconfirmed }, Some(why.to_owned()))
    }

    fn close(&self, verdict: Verdict, reason: Option<String>) -> Judged {
        let runs = self.runs();
        let cut_off = reason.is_some();
        let groups = self.groups.iter().map(|((id, share), history)| {
            let leaks = history.leaks(*share, runs);
            let kind = match (verdict, share) {
                (_, Share::Initialiser) => GrowthKind::Initialiser,
                (Verdict::Leak | Verdict::Unconfirmed, _) if leaks && history.known => {
                    GrowthKind::Known
                }
                (Verdict::Leak, Share::Lost) => GrowthKind::Leak,
                (Verdict::Leak | Verdict::Unconfirmed, Share::Open) if cut_off && leaks => {
                    GrowthKind::Unconfirmed
                }
                (Verdict::Leak, Share::Open) if leaks => GrowthKind::Leak,
                (Verdict::Unconfirmed, Share::Lost) => GrowthKind::Unconfirmed,
                _ => GrowthKind::Once,
            };
            (*id, *share, kind, history.clone())
        });
        let unknown = self.sum(|share, history| history.leaks(share, runs) && !history.known);
        let verdict = match verdict {
            Verdict::Leak | Verdict::Unconfirmed if !unknown.exceeds(&self.limit) => Verdict::Known,
            verdict => verdict,
        };
        Judged {
            verdict,
            reason,
            limit: self.limit,
            runs: self.runs.clone(),
            groups: groups.collect(),
        }
    }

    /// The least that such groups have grown by, together.
    fn sum(&self, which: impl Fn(Share, &History) -> bool) -> Grown {
        let groups = self.groups.iter().filter(|((_, share), history)| which(*share, history));
        groups.map(|(_, history)| history.least).sum()
    }
}

impl History {
    /// Whether it leaks after so many runs, or may still turn out to.
    fn leaks(&self, share: Share, runs: u32) -> bool {
        match share {
            Share::Lost => true,
            Share::Open => self.runs == runs,
            Share::Excused | Share::Initialiser => false,
        }
    }
}

impl Judged {
    /// The growth of each share of each group: what the verdict is about first, then by size.
    pub fn growth(&self, grouper: &Grouper<'_>) -> Vec<Growth> {
        self.ordered(|id| grouper.get(id))
            .map(|(id, kind, history)| Growth {
                kind,
                least: history.least,
                runs: history.runs,
                finding: history.finding.clone(),
                traceback: grouper.get(id).clone(),
            })
            .collect()
    }

    /// All shares in the order of the report, which depends on nothing but what is shown: of one
    /// traceback and one size, what is lost comes before what is held.
    fn ordered<'t>(
        &self,
        traceback: impl Fn(GroupId) -> &'t Traceback,
    ) -> impl Iterator<Item = (GroupId, GrowthKind, &History)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        sort_by(&mut groups, |a, b| {
            let (of_a, of_b) = (traceback(a.0), traceback(b.0));
            let size = |history: &History| (history.least.bytes, history.least.blocks);
            let rest = |of: &Traceback| (of.type_name.clone(), of.initialiser, of.total_nframe);
            (a.2, size(&b.3), &of_a.traceback, a.1, rest(of_a)).cmp(&(
                b.2,
                size(&a.3),
                &of_b.traceback,
                b.1,
                rest(of_b),
            ))
        });
        groups.into_iter().map(|(id, _, kind, history)| (*id, *kind, history))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(limit: u64, max_blocks: Option<u64>) -> Judge {
        Judge::new(&Rules {
            limit: Limit { max_growth: limit, max_blocks },
            runs: 4,
            ..Rules::default()
        })
    }

    /// A run in which groups, by number, grew by so many bytes in a block each.
    fn run(judge: &mut Judge, groups: &[(usize, u64)]) -> Option<Judged> {
        let grown = |bytes| Grown { bytes, blocks: 1 };
        let gross = groups.iter().map(|(_, bytes)| grown(*bytes)).sum();
        let groups = groups.iter().map(|(id, bytes)| GroupGrowth {
            id: GroupId(*id),
            share: match *id {
                LOST.. => Share::Lost,
                EXCUSED.. => Share::Excused,
                INITIALISERS.. => Share::Initialiser,
                _ => Share::Open,
            },
            grown: grown(*bytes),
            finding: Finding::default(),
            known: KNOWN.contains(id),
        });
        match judge.passed(gross, || groups.collect(), Duration::ZERO) {
            Ruling::RunAgain => None,
            Ruling::Final(judged) => Some(judged),
        }
    }

    /// Groups from these numbers on are under initialisers, held by known holders, lost.
    const INITIALISERS: usize = 100;
    const EXCUSED: usize = 200;
    const LOST: usize = 300;
    /// These are known.
    const KNOWN: std::ops::Range<usize> = 50..INITIALISERS;

    fn verdict(limit: u64, runs: &[&[(usize, u64)]]) -> Option<Verdict> {
        let mut judge = judge(limit, None);
        runs.iter()
            .map(|groups| run(&mut judge, groups))
            .last()
            .flatten()
            .map(|judged| judged.verdict)
    }

    #[test]
    fn what_stays_within_the_limit_is_clean_after_one_run() {
        assert_eq!(verdict(0, &[&[]]), Some(Verdict::Clean));
        assert_eq!(verdict(100, &[&[(1, 60), (2, 40)]]), Some(Verdict::Clean));
        assert_eq!(verdict(100, &[&[(1, 60), (2, 41)]]), None);
    }

    #[test]
    fn only_what_grows_in_every_run_leaks() {
        assert_eq!(verdict(0, &[&[(1, 8)], &[(1, 8)], &[(1, 8)]]), None);
        assert_eq!(verdict(0, &[&[(1, 8)], &[(1, 8)], &[(1, 8)], &[(1, 8)]]), Some(Verdict::Leak));
        assert_eq!(verdict(0, &[&[(1, 8)], &[(2, 8)]]), Some(Verdict::Once));
        assert_eq!(verdict(0, &[&[(1, 8)], &[(1, 8)], &[]]), Some(Verdict::Once));
    }

    #[test]
    fn the_limit_is_for_the_sum_of_what_leaks() {
        assert_eq!(
            verdict(15, &[&[(1, 8), (2, 8), (3, 900)], &[(1, 8), (2, 7)]]),
            Some(Verdict::Once)
        );
        assert_eq!(verdict(15, &[&[(1, 8), (2, 8)], &[(1, 8), (2, 8)]]), None);
    }

    #[test]
    fn what_is_known_is_no_leak_and_hides_none() {
        let four = |groups: &'static [(usize, u64)]| verdict(15, &[groups; 4]);
        assert_eq!(four(&[(50, 900)]), Some(Verdict::Known));
        assert_eq!(four(&[(50, 900), (1, 15)]), Some(Verdict::Known));
        assert_eq!(four(&[(50, 900), (1, 16)]), Some(Verdict::Leak));
        assert_eq!(verdict(15, &[&[(50, 900)], &[]]), Some(Verdict::Once));
        let mut judge = judge(0, None);
        assert!(run(&mut judge, &[(50, 900)]).is_none());
        assert_eq!(judge.unconfirmed("taken").verdict, Verdict::Known);
    }

    #[test]
    fn initialisers_need_no_second_run_and_never_leak() {
        assert_eq!(verdict(0, &[&[(INITIALISERS, 4096)]]), Some(Verdict::Once));
        let mut judge = judge(0, None);
        for _ in 0..3 {
            assert!(run(&mut judge, &[(1, 8), (INITIALISERS, 4096)]).is_none());
        }
        let judged =
            run(&mut judge, &[(1, 8), (INITIALISERS, 4096)]).expect("four runs are enough");
        assert_eq!(judged.verdict, Verdict::Leak);
        assert_eq!(judged.runs[0], Grown { bytes: 8, blocks: 1 });
        for (id, _, kind, _) in judged.groups {
            assert_eq!(
                kind,
                if id == GroupId(1) { GrowthKind::Leak } else { GrowthKind::Initialiser }
            );
        }
    }

    #[test]
    fn what_is_lost_needs_no_second_run() {
        assert_eq!(verdict(0, &[&[(LOST, 8)]]), Some(Verdict::Leak));
        assert_eq!(verdict(8, &[&[(LOST, 8)]]), Some(Verdict::Clean));
        assert_eq!(verdict(0, &[&[(1, 8)], &[(LOST, 8)]]), Some(Verdict::Leak));
        assert_eq!(verdict(0, &[&[(LOST, 8), (1, 8)]]), None, "the other may leak too");
        assert_eq!(verdict(0, &[&[(LOST, 8), (1, 8)], &[]]), Some(Verdict::Leak));
        let mut judge = judge(0, None);
        assert!(run(&mut judge, &[(LOST, 8), (1, 8)]).is_none());
        let Ruling::Final(judged) = judge.cannot_repeat("run 2 failed") else { panic!("final") };
        assert_eq!(judged.verdict, Verdict::Leak);
        for (id, _, kind, _) in judged.groups {
            assert_eq!(
                kind,
                if id == GroupId(LOST) { GrowthKind::Leak } else { GrowthKind::Unconfirmed }
            );
        }
    }

    #[test]
    fn lost_and_held_growth_of_one_line_and_size_keep_their_order() {
        let group = |share| GroupGrowth {
            id: GroupId(1),
            share,
            grown: Grown { bytes: 8, blocks: 1 },
            finding: Finding::default(),
            known: false,
        };
        let traceback = Traceback {
            traceback: Vec::new(),
            total_nframe: 0,
            type_name: None,
            initialiser: None,
            known: None,
        };
        // The shares are kept in a map, whose order differs from one to the next.
        for _ in 0..50 {
            let mut judge = judge(0, None);
            let gross = Grown { bytes: 16, blocks: 2 };
            let groups = || vec![group(Share::Open), group(Share::Lost)];
            while let Ruling::RunAgain = judge.passed(gross, groups, Duration::ZERO) {}
            let mut judged = judge.close(Verdict::Leak, None);
            for (_, share, _, history) in &mut judged.groups {
                history.runs = *share as u32;
            }
            let shares: Vec<u32> =
                judged.ordered(|_| &traceback).map(|(_, _, history)| history.runs).collect();
            assert_eq!(shares, [Share::Lost as u32, Share::Open as u32]);
        }
    }

    #[test]
    fn what_known_holders_hold_is_no_leak() {
        assert_eq!(verdict(0, &[&[(EXCUSED, 8)]]), Some(Verdict::Once));
        assert_eq!(verdict(0, &[&[(EXCUSED, 8), (1, 8)], &[(EXCUSED, 8)]]), Some(Verdict::Once));
    }

    #[test]
    fn blocks_have_a_limit_of_their_own() {
        let mut judge = judge(1_000, Some(1));
        assert!(run(&mut judge, &[(1, 8), (2, 8)]).is_none());
        assert_eq!(run(&mut judge, &[(1, 8)]).map(|judged| judged.verdict), Some(Verdict::Once));
    }

    #[test]
    fn long_runs_are_few() {
        let mut judge = judge(0, None);
        let groups = || {
            let grown = Grown { bytes: 8, blocks: 1 };
            vec![GroupGrowth {
                id: GroupId(1),
                share: Share::Open,
                grown,
                finding: Finding::default(),
                known: false,
            }]
        };
        let mut runs = 0;
        while let Ruling::RunAgain = judge.passed(Grown { bytes: 8, blocks: 1 }, groups, LONG) {
            runs += 1;
        }
        assert_eq!(runs + 1, LEAST_RUNS);
    }

    #[test]
    fn a_body_that_cannot_run_again_is_unconfirmed() {
        let mut judge = judge(0, None);
        assert!(run(&mut judge, &[(1, 8)]).is_none());
        let Ruling::Final(judged) = judge.cannot_repeat("run 2 failed: taken") else {
            panic!("final")
        };
        assert_eq!(judged.verdict, Verdict::Unconfirmed);
        assert_eq!(judged.reason.as_deref(), Some("run 2 failed: taken"));
        assert_eq!(judged.groups[0].2, GrowthKind::Unconfirmed);
    }
}
