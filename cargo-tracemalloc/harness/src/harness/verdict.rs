//! What the growth of one run after another comes to.
//!
//! A traceback leaks when it grew in *every* counted run; a test leaks when the sum over such tracebacks is above the
//! limit. Runs go on only as long as that can still come true: one run without growth ends the suspicion.

use std::collections::HashMap;
use std::time::Duration;

use tracemalloc::Change;

use crate::Options;
use crate::harness::growth::{GroupId, Grouper, Grown};
use crate::harness::leak_id::leak_id;
use crate::{GrowthEntry, GrowthKind, Limit, RunEntry, TestEntry, Verdict};

/// However long a run takes, a leak is confirmed by this many.
const LEAST_RUNS: u32 = 3;
/// After [`LEAST_RUNS`], no run is begun when the ones before took longer than this together.
const LONG: Duration = Duration::from_secs(10);

/// Collects runs until they can be judged.
#[derive(Debug)]
pub struct Judge {
    limit: Limit,
    most_runs: u32,
    runs: Vec<RunEntry>,
    took: Duration,
    groups: HashMap<GroupId, History>,
}

/// The growth of one group over the runs.
#[derive(Debug, Clone, Copy)]
struct History {
    least: Grown,
    runs: u32,
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
    verdict: Verdict,
    reason: Option<String>,
    limit: Limit,
    runs: Vec<RunEntry>,
    groups: Vec<(GroupId, GrowthKind, Grown, u32)>,
}

impl Judge {
    /// Judges by these options.
    pub fn new(options: &Options) -> Self {
        Self {
            limit: options.limit,
            most_runs: options.runs.max(LEAST_RUNS),
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
    pub fn least_runs(&self) -> u32 {
        LEAST_RUNS
    }

    /// Takes in what a run that passed has changed.
    pub fn passed(&mut self, changes: &[Change], grouper: &mut Grouper, took: Duration) -> Ruling {
        let first = self.runs.is_empty();
        let gross: Grown = changes.iter().filter(|change| change.bytes > 0).map(Grown::from).sum();
        if first && !gross.exceeds(&self.limit) {
            self.runs.push(RunEntry { bytes: gross.bytes, blocks: gross.blocks });
            return Ruling::Final(self.close(Verdict::Clean, None));
        }
        let groups = grouper.group(changes);
        let judged: Grown =
            groups.iter().filter(|(group, _)| !grouper.is_initialiser(**group)).map(|(_, grown)| *grown).sum();
        self.runs.push(RunEntry { bytes: judged.bytes, blocks: judged.blocks });
        self.took += took;
        for (group, grown) in groups {
            let history = self.groups.entry(group).or_insert(History { least: grown, runs: 0 });
            history.runs += 1;
            if grown.bytes < history.least.bytes {
                history.least = grown;
            }
        }
        let surviving: Grown = self.surviving(grouper).map(|(_, history)| history.least).sum();
        if !surviving.exceeds(&self.limit) {
            let verdict = if first && self.groups.is_empty() { Verdict::Clean } else { Verdict::Once };
            return Ruling::Final(self.close(verdict, None));
        }
        let enough = self.runs() >= LEAST_RUNS && self.took >= LONG;
        if self.runs() >= self.most_runs || enough {
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
        self.close(Verdict::Unconfirmed, Some(why.to_owned()))
    }

    fn surviving<'a>(&'a self, grouper: &'a Grouper) -> impl Iterator<Item = (&'a GroupId, &'a History)> {
        let runs = self.runs();
        self.groups.iter().filter(move |(group, history)| history.runs == runs && !grouper.is_initialiser(**group))
    }

    fn close(&self, verdict: Verdict, reason: Option<String>) -> Judged {
        let runs = self.runs();
        let groups = self
            .groups
            .iter()
            .map(|(group, history)| {
                let kind = match verdict {
                    Verdict::Leak if history.runs == runs => GrowthKind::Leak,
                    Verdict::Unconfirmed if history.runs == runs => GrowthKind::Unconfirmed,
                    _ => GrowthKind::Once,
                };
                (*group, kind, history.least, history.runs)
            })
            .collect();
        Judged { verdict, reason, limit: self.limit, runs: self.runs.clone(), groups }
    }
}

impl Judged {
    /// The test's entry in the report.
    pub fn entry(self, name: &str, grouper: Grouper) -> TestEntry {
        let mut growth: Vec<GrowthEntry> = self
            .groups
            .into_iter()
            .map(|(group, kind, grown, runs)| {
                let group = grouper.get(group);
                GrowthEntry {
                    kind: if group.initialiser.is_some() { GrowthKind::Initialiser } else { kind },
                    bytes: grown.bytes,
                    blocks: grown.blocks,
                    runs,
                    type_name: group.type_name.clone(),
                    initialiser: group.initialiser.map(str::to_owned),
                    traceback: group.traceback.clone(),
                    total_nframe: group.total_nframe,
                }
            })
            .collect();
        growth
            .sort_by(|a, b| (a.kind, b.bytes, b.blocks, &a.traceback).cmp(&(b.kind, a.bytes, a.blocks, &b.traceback)));
        let id = match self.verdict {
            Verdict::Leak | Verdict::Unconfirmed => leak_id(name, &growth),
            Verdict::Clean | Verdict::Once | Verdict::Skipped => String::new(),
        };
        TestEntry {
            verdict: Some(self.verdict),
            verdict_reason: self.reason,
            limit: self.limit,
            runs: self.runs,
            growth,
            id,
            ..TestEntry::new(name)
        }
    }
}
