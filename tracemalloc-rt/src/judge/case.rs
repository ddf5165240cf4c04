//! The runs of one body, and the verdict on their growth.
//!
//! - Blocks that nothing points to are a leak, after one run already.
//! - Blocks that only a known holder holds are none.
//! - Everything else leaks if its growth goes on: see [`Series::rises`]. A case looks at the growth
//!   of each traceback, of each holder, and of all together. So a registry leaks whose lines
//!   alternate, and a cache does not whose entries change places.
//! - Growth under an initialiser is expected once. If later runs repeat it, it counts.
//!
//! A case leaks if the growth a run of all that leaks is above the limit. Runs go on as long as
//! they can still say something, and as the [`Budget`] lasts.

use std::collections::HashMap;
use std::iter::repeat_n;
use std::time::Duration;

use crate::judge::budget::{Budget, Spent};
use crate::judge::evidence::{Evidence, GroupChange, GroupGrowth, GroupId, HolderKey, Share};
use crate::judge::finding::Finding;
use crate::judge::group::Group;
use crate::judge::grown::Grown;
use crate::judge::quiescence::Patience;
use crate::judge::rate::Rate;
use crate::judge::rules::Rules;
use crate::judge::series::{SHAPE_RUNS, Series};
use crate::judge::set_once::is_set_once;
use crate::judge::stopwatch::Elapsed;
use crate::judge::stride::Stride;
use crate::judge::verdict::{GrowthKind, Judged, JudgedShare, Verdict};
use crate::limits::Limit;

/// After this many runs, of which most grew by the same, more say nothing new.
const PROVED: u32 = 256;

/// The times of so many runs tell how long a run takes.
const TIMES: usize = 1024;

/// A word of the thread that runs the body may still point to blocks that a run has lost. After
/// this many runs, such words are overwritten.
const RUNS_TO_FORGET: u32 = 4;

/// Collects runs until they can be judged.
#[derive(Debug)]
pub struct Case {
    limit: Limit,
    budget: Budget,
    spent: Spent,
    /// The times of the first runs on a machine that has nothing else to do, sorted.
    times: Vec<Duration>,
    /// The stride of a loop.
    stride: Option<Stride>,
    /// The runs that the last measurement was of: 1, or the rounds of a stride.
    measured: u32,
    /// Growth of each run, without growth that is expected once.
    runs: Vec<Grown>,
    groups: HashMap<GroupId, Group>,
    state: State,
    /// The verdict on a first run that has lost blocks, until a second one was seen.
    lost: Option<Judged>,
}

/// The growth above the limit that the runs so far have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// None.
    Clean,
    /// The first run grew, by blocks that are expected once, excused or lost.
    Explained,
    /// The first run was clean. A later one grew, and the next ones have to explain that.
    GrewLater,
    /// The first run grew, and later ones have to explain that.
    Grew,
}

/// The threads that the last run has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threads {
    /// They may be about to end.
    MayEnd,
    /// They had the time to end.
    HadTime,
}

/// A run that passed.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Its growth before filters.
    pub gross: Grown,
    /// The time that it took.
    pub time: Elapsed,
    /// The processor time that it took. On a busy machine, the time says little.
    pub cpu: Duration,
    /// The threads that are left of all repeats.
    pub threads: u32,
}

/// The next step after a run.
#[derive(Debug)]
pub enum Ruling {
    /// The body runs again.
    RunAgain,
    /// The case would leak. The threads of the last run get time to end, then [`Case::waited`]
    /// takes in their frees.
    Wait,
    /// The case is closed.
    Final(Judged),
}

impl Case {
    /// A case under these rules.
    pub fn new(rules: &Rules) -> Self {
        Self {
            limit: rules.limits.limit(),
            budget: Budget {
                fixed: rules.limits.runs.map(|runs| runs.max(1)),
                probes: true,
                is_loop: false,
            },
            spent: Spent::default(),
            times: Vec::new(),
            stride: None,
            measured: 1,
            runs: Vec::new(),
            groups: HashMap::new(),
            state: State::Clean,
            lost: None,
        }
    }

    /// Lets the body run again only if it has grown.
    #[cfg(feature = "symbolize")]
    pub fn never_probes(&mut self) {
        self.budget.probes = false;
    }

    /// Allows no more than so many runs, unless the rules give a number.
    #[cfg(feature = "symbolize")]
    pub fn limit_runs(&mut self, most: u32) {
        self.budget.fixed.get_or_insert(most);
    }

    /// Takes the runs for the rounds of a loop. If the rules give a number of runs, it makes
    /// exactly so many, and at least two.
    #[cfg(feature = "symbolize")]
    pub fn begin_loop(&mut self) {
        self.budget.fixed = self.budget.fixed.map(|fixed| fixed.max(2));
        self.budget.is_loop = true;
        self.stride = Some(Stride::new());
    }

    /// The number of runs before the next measurement.
    pub fn next_runs(&self) -> u32 {
        let stride = self.stride.map_or(1, |stride| stride.rounds);
        stride.min(self.budget.most().saturating_sub(self.runs())).max(1)
    }

    /// Runs that passed so far.
    pub fn runs(&self) -> u32 {
        self.spent.runs
    }

    /// The number of runs that the body probably gets at most. `None` if its runs have taken too
    /// little time to tell.
    pub fn likely_runs(&self) -> Option<u32> {
        self.budget.likely_runs(self.spent)
    }

    /// How long to wait for the threads of the next run.
    pub fn patience(&self) -> Patience {
        if self.spent.runs == 0 { Patience::First } else { Patience::Later }
    }

    /// Takes in a run that passed, or as many as [`Case::next_runs`] told. Reads evidence only
    /// where it is needed.
    pub fn passed(&mut self, run: Run, evidence: &mut impl Evidence) -> Ruling {
        self.measured = self.next_runs();
        self.spent.runs += self.measured;
        self.spent.time += run.time.wall;
        self.spent.delay += run.time.delay;
        if self.times.len() < TIMES {
            let quiet = run.time.quiet() / self.measured;
            self.times.insert(self.times.partition_point(|time| *time < quiet), quiet);
        }
        let quiet = self.times[self.times.len() / 4] * self.spent.runs;
        self.spent.quiet_time = quiet.min(self.spent.time);
        self.spent.cpu += run.cpu;
        self.spent.threads = run.threads;
        self.take(run, evidence)
    }

    /// Takes in the changes since the last run, whose threads had time to end. `None` if the body
    /// has to run again.
    pub fn waited(
        &mut self,
        time: Duration,
        threads: u32,
        evidence: &mut impl Evidence,
    ) -> Option<Judged> {
        self.spent.time += time;
        self.spent.threads = threads;
        self.runs.truncate(self.runs.len() - self.measured as usize);
        self.add(&evidence.changes());
        let ruling = if self.budget.is_loop {
            self.after_rounds(Threads::HadTime, evidence)
        } else {
            self.after_repeat(Threads::HadTime, evidence)
        };
        match ruling {
            Ruling::Final(judged) => Some(judged),
            Ruling::RunAgain | Ruling::Wait => None,
        }
    }

    /// Ends the case because the body cannot run again.
    pub fn cannot_repeat(&mut self, why: &str, evidence: &mut impl Evidence) -> Judged {
        if self.is_probe() {
            self.close(None)
        } else if self.spent.runs >= SHAPE_RUNS {
            self.look(evidence);
            self.close(None)
        } else {
            self.unconfirmed(why)
        }
    }

    /// The verdict if no further run comes.
    pub fn unconfirmed(&self, why: &str) -> Judged {
        self.close(Some(why))
    }

    /// Whether the last run, or the next one, is there only to see whether a body without suspicion
    /// grows in its second run.
    fn is_probe(&self) -> bool {
        self.spent.runs == 1 && !self.state.is_suspicious()
    }

    fn take(&mut self, run: Run, evidence: &mut impl Evidence) -> Ruling {
        let first = self.spent.runs == 1;
        if self.budget.is_loop {
            return self.take_rounds(evidence);
        }
        if first && !run.gross.exceeds(&self.limit) {
            self.runs.push(run.gross);
            return self.probe_or_close();
        }
        if self.spent.runs == 2 && self.state == State::Clean && !run.gross.exceeds(&self.limit) {
            return Ruling::Final(self.close(None));
        }
        self.add(&evidence.changes());
        self.spent.bytes = self.bytes_left();
        if first {
            self.after_first(evidence)
        } else {
            self.after_repeat(Threads::MayEnd, evidence)
        }
    }

    /// Rounds of a loop. Most are only taken in.
    fn take_rounds(&mut self, evidence: &mut impl Evidence) -> Ruling {
        self.add(&evidence.changes());
        self.spent.bytes = self.bytes_left();
        let runs = self.spent.runs;
        if self.spent.runs > 1 && self.grew_openly() {
            self.state = self.state.suspicious();
        } else if self.spent.runs == 1 && self.is_open_above_limit() {
            self.state = State::Grew;
        } else if self.spent.runs == 1 && self.spent.bytes > 0 {
            self.state = State::Explained;
        }
        let stride = self.stride.get_or_insert_with(Stride::new);
        if self.budget.is_spent(self.spent)
            || self.budget.has_enough_rounds(self.spent) && stride.is_judgement_due(runs)
        {
            return self.after_rounds(Threads::MayEnd, evidence);
        }
        self.widen();
        Ruling::RunAgain
    }

    /// Doubles the stride of a loop, where it is time for that.
    fn widen(&mut self) {
        let Some(stride) = &mut self.stride else { return };
        if stride.widen(self.spent.runs) {
            self.groups.values_mut().for_each(|group| group.series.thin(stride.rounds));
        }
    }

    /// Judges the growth of a loop. If it goes on, that may be a cache that fills, so the loop goes
    /// on as well until the budget is spent. The heap is searched the first time, and at the end.
    fn after_rounds(&mut self, threads: Threads, evidence: &mut impl Evidence) -> Ruling {
        self.hide_freed(evidence);
        let is_first = self.groups.values().all(|group| group.shares.is_empty());
        if self.bytes_left() > 0 && (is_first || self.is_loop_over()) {
            self.look(evidence);
        }
        if !self.is_loop_over() {
            self.widen();
            return Ruling::RunAgain;
        }
        self.close_or_wait(threads, !self.suspects().is_empty(), None)
    }

    fn is_loop_over(&self) -> bool {
        let has_stopped = || self.spent.runs >= 4 * self.total().last_record();
        self.budget.is_spent(self.spent)
            || self.sum_of(Share::Lost).exceeds(&self.limit)
            || self.suspects().is_empty() && has_stopped()
    }

    /// Growth of which later runs have freed blocks that seemed to be lost was not lost.
    fn hide_freed(&mut self, evidence: &impl Evidence) {
        let freed = evidence.freed_though_lost();
        let hidden =
            self.groups.iter_mut().filter(|(id, group)| freed.contains(id) && !group.hidden);
        hidden.for_each(|(_, group)| group.hide());
    }

    /// Closes the case, unless threads of the last run may still free memory.
    fn close_or_wait(&self, threads: Threads, leaks: bool, why: Option<&str>) -> Ruling {
        let judged = self.close(why);
        let waits = threads == Threads::MayEnd
            && judged.verdict == Verdict::Leak
            && leaks
            && self.spent.threads > 0;
        if waits { Ruling::Wait } else { Ruling::Final(judged) }
    }

    /// Bytes that all runs have left.
    fn bytes_left(&self) -> u64 {
        self.groups.values().map(|group| group.grown(self.spent.runs).bytes).sum()
    }

    fn after_first(&mut self, evidence: &mut impl Evidence) -> Ruling {
        if !self.groups.values().map(|group| group.grown(1)).sum::<Grown>().exceeds(&self.limit) {
            return self.probe_or_close();
        }
        self.state = State::Explained;
        // Where only initialisers grew, a second run that is quick says as much as the heap.
        if !self.is_open_above_limit() && self.budget.allows_probe(self.spent) {
            return Ruling::RunAgain;
        }
        self.look(evidence);
        let lost_once = self
            .groups
            .values()
            .any(|group| group.is_expected_once() && group.share(Share::Lost).bytes > 0);
        if self.budget.is_spent(self.spent) {
            Ruling::Final(self.close(None))
        } else if self.is_open_above_limit() || lost_once {
            self.state = State::Grew;
            Ruling::RunAgain
        } else if self.groups.values().any(|group| group.set_once) {
            // A second run shows whether a static that is set once also grows. It may fail: the
            // static is set.
            Ruling::RunAgain
        } else if self.sum_of(Share::Lost).exceeds(&self.limit) {
            let judged = self.close(None);
            if !self.budget.allows_probe(self.spent) {
                return Ruling::Final(judged);
            }
            // If the second run frees blocks of the first, they were not lost.
            self.lost = Some(judged);
            Ruling::RunAgain
        } else {
            self.probe_or_close()
        }
    }

    fn probe_or_close(&self) -> Ruling {
        if self.budget.allows_probe(self.spent) {
            Ruling::RunAgain
        } else {
            Ruling::Final(self.close(None))
        }
    }

    fn after_repeat(&mut self, threads: Threads, evidence: &mut impl Evidence) -> Ruling {
        self.hide_freed(evidence);
        if let Some(judged) = self.lost.take() {
            if evidence.freed_though_lost().is_empty() {
                return Ruling::Final(judged);
            }
            self.state = State::Grew;
        }
        let runs = self.spent.runs;
        let spent = self.budget.is_spent(self.spent) || self.is_proved();
        let mut looked = false;
        let grew_at_all = self.groups.values().any(|group| group.grew_at_all(runs));
        if grew_at_all && (runs.is_power_of_two() || spent) {
            self.look(evidence);
            looked = true;
        }
        let grew = self.grew_openly();
        if grew {
            self.state = self.state.suspicious();
        }
        let is_over = if spent {
            true
        } else if grew {
            // A group that grows may only replace one that shrinks.
            runs >= 16 && runs >= 4 * self.total().last_record()
        } else {
            let is_explained = || !grew_at_all || runs >= RUNS_TO_FORGET;
            !self.state.is_suspicious() && is_explained()
                || self.sum_of(Share::Lost).exceeds(&self.limit)
                || !self.budget.is_hardly_used(self.spent) && runs >= self.runs_to_close()
        };
        if !is_over {
            return Ruling::RunAgain;
        }
        let leaks = !self.suspects().is_empty();
        if leaks && !looked {
            self.look(evidence);
        }
        let why = (!leaks && self.was_cut_short())
            .then(|| format!("run {} did not begin: the machine is too busy", runs + 1));
        self.close_or_wait(threads, leaks, why.as_deref())
    }

    /// Whether some group has grown in the last run whose growth later runs have to explain.
    fn grew_openly(&self) -> bool {
        self.groups.values().any(|group| group.grew_openly(self.spent.runs))
    }

    /// Whether a busy machine has kept away runs that growth without a shape needs.
    fn was_cut_short(&self) -> bool {
        self.budget.was_cut_short(self.spent) && self.spent.runs < self.runs_to_close()
    }

    /// The number of runs after which a run without growth closes the case. A cache may stop to
    /// grow while the shape of its growth is still that of a leak.
    fn runs_to_close(&self) -> u32 {
        let open = || self.groups.values().filter(|group| !group.is_excused());
        let last = open().map(|group| group.series.last_record()).max().unwrap_or(0);
        let fades = open().all(|group| group.series.fades()) && self.suspects().is_empty();
        if !fades {
            4 * last
        } else if self.budget.may_wait_for_growth(self.spent) {
            u32::MAX
        } else {
            last + 1
        }
    }

    /// Whether so many runs grew by the same that no cache would.
    fn is_proved(&self) -> bool {
        let runs = self.runs.len();
        let last = self.runs.last().copied().unwrap_or_default();
        runs >= PROVED as usize
            && last.bytes > 0
            && self.runs[runs - PROVED as usize * 3 / 4..].iter().all(|run| *run == last)
    }

    fn add(&mut self, changes: &[GroupChange]) {
        let run = self.spent.runs;
        for change in changes {
            let group = self.groups.entry(change.id).or_default();
            group.initialiser = change.initialiser;
            group.cache_of_std = change.cache_of_std;
            group.known = change.known;
            group.series.add_window(run, self.measured, change.bytes, change.blocks);
        }
        let groups = self.groups.values();
        let judged =
            groups.filter(|group| !(group.is_excused() || run == 1 && group.is_expected_once()));
        let grown: Grown = judged.filter_map(|group| group.series.growth_in(run)).sum();
        // Of the rounds of a stride, as many have grown as there are blocks.
        let growing = grown.runs_that_grew(self.measured);
        self.runs.extend(repeat_n(grown.per_run(growing), growing as usize));
        self.runs.extend(repeat_n(Grown::default(), (self.measured - growing) as usize));
    }

    /// Searches the heap for the fate of all growth.
    fn look(&mut self, evidence: &mut impl Evidence) {
        for group in self.groups.values_mut() {
            group.shares.clear();
        }
        for GroupGrowth { id, share, grown, finding } in evidence.look() {
            let group = self.groups.entry(id).or_default();
            if let (Share::Open, Finding::Held { by, .. }) = (share, &finding) {
                group.set_once = is_set_once(by);
            }
            group.add_share(share, grown, finding);
        }
    }

    /// Whether growth of the first run that later runs have to explain is above the limit.
    fn is_open_above_limit(&self) -> bool {
        let open = self.groups.values().filter(|group| !group.is_expected_once());
        let open: Grown = open.map(|group| group.open(1)).sum();
        open.exceeds(&self.limit)
    }

    /// All open growth together.
    fn total(&self) -> Series {
        Series::sum(
            self.groups.values().filter(|group| !group.is_excused()).map(|group| &group.series),
        )
    }

    fn sum_of(&self, share: Share) -> Grown {
        self.groups.values().map(|group| group.share(share)).sum()
    }

    /// The groups whose open growth goes on.
    fn suspects(&self) -> Vec<GroupId> {
        let runs = self.spent.runs;
        let total = self.total();
        let mut by_holder: HashMap<HolderKey, Vec<&Series>> = HashMap::new();
        for group in self.groups.values() {
            if let Some(holder) = group.holder() {
                by_holder.entry(holder).or_default().push(&group.series);
            }
        }
        let by_holder: HashMap<HolderKey, Series> = by_holder
            .into_iter()
            .map(|(holder, series)| (holder, Series::sum(series.into_iter())))
            .collect();
        let middle = if runs < SHAPE_RUNS { 1 } else { runs * 2 / 5 };
        let suspects = self.groups.iter().filter_map(|(id, group)| {
            let open = group.open(runs).bytes;
            // Where more was lost than is held, it is the loss that goes on.
            if group.is_excused() || open == 0 || group.share(Share::Lost).bytes > open {
                return None;
            }
            let holder = group.holder().and_then(|holder| by_holder.get(&holder)).unwrap_or(&total);
            // A line may only have taken over the entries of another. After few runs, growth that
            // came in the first run and has gone since says nothing about that.
            let takes_over = !(holder.rose_after(middle, runs)
                || runs < SHAPE_RUNS && holder.grew_as_much(&group.series, runs));
            let goes_on = group.series.rises(runs) && !takes_over;
            let takes_part =
                group.series.rose_after(middle, runs) && !group.series.is_mostly_freed(runs);
            (goes_on || takes_part && (holder.rises(runs) || total.rises(runs))).then_some(*id)
        });
        let suspects: Vec<GroupId> = suspects.collect();
        // A vector that grows because of its entries says no more than they do. If the entries go
        // and come again, it is full.
        let (often, seldom): (Vec<GroupId>, Vec<GroupId>) =
            suspects.into_iter().partition(|id| self.groups[id].series.records_are_many(runs));
        let holders: Vec<_> = often.iter().map(|id| self.groups[id].holder()).collect();
        let alone = seldom.into_iter().filter(|id| {
            let holder = self.groups[id].holder();
            let rises = || {
                let sum = holder.as_ref().and_then(|holder| by_holder.get(holder));
                sum.is_none_or(|sum| sum.rises(runs))
            };
            !holders.contains(&holder) && rises()
        });
        often.iter().copied().chain(alone).collect()
    }

    /// Closes the case. `why` says why no further run was possible, where one was wanted.
    fn close(&self, why: Option<&str>) -> Judged {
        let runs = self.spent.runs;
        // With one run, growth is all that there is to judge by.
        let single = runs == 1 && self.budget.fixed == Some(1);
        let suspects: Vec<GroupId> = if single || why.is_some() {
            let open = self.groups.iter().filter(|(_, group)| {
                !group.is_expected_once() && !group.is_excused() && group.open(runs).bytes > 0
            });
            open.map(|(id, _)| *id).collect()
        } else {
            self.suspects()
        };
        let mut shares = Vec::new();
        for (id, group) in &self.groups {
            let is_suspect = suspects.contains(id);
            for (share, grown, finding) in group.shares(runs) {
                let leaks = match share {
                    _ if group.cache_of_std => false,
                    Share::Lost => !group.is_expected_once() || group.grew_again(),
                    Share::Open => is_suspect,
                    Share::Excused => false,
                };
                let kind = match share {
                    _ if !leaks && group.initialiser => GrowthKind::Initialiser,
                    _ if !leaks => GrowthKind::Once,
                    _ if group.known => GrowthKind::Known,
                    Share::Open if why.is_some() => GrowthKind::Unconfirmed,
                    _ => GrowthKind::Leak,
                };
                let growing = group.series.growing_runs();
                let per_run = match share {
                    _ if growing <= 1 => grown,
                    Share::Lost => {
                        let lost = group.share(Share::Lost);
                        group.lost_per_run(lost, runs).part(grown, lost)
                    }
                    _ if leaks => group.series.per_run(runs),
                    _ => group.series.least(),
                };
                let rate = if growing <= 1 {
                    Rate::exactly(per_run.bytes)
                } else {
                    Rate::of(&group.series, runs).part(grown.bytes, group.grown(runs).bytes)
                };
                let rate = Rate { least: rate.least.min(per_run.bytes), ..rate };
                let (id, total) = (*id, grown);
                shares.push(JudgedShare {
                    id,
                    share,
                    kind,
                    per_run,
                    rate,
                    total,
                    runs: growing,
                    finding,
                });
            }
        }
        let verdict = self.verdict(&shares);
        if !matches!(verdict, Verdict::Leak | Verdict::Known | Verdict::Unconfirmed) {
            for share in &mut shares {
                if share.kind != GrowthKind::Initialiser {
                    share.kind = GrowthKind::Once;
                }
            }
        }
        let is_cut_off = shares.iter().any(|share| share.kind == GrowthKind::Unconfirmed)
            || verdict == Verdict::Known;
        // Runs that only confirmed the first one are not worth a word.
        let confirmed =
            !self.state.is_suspicious() && matches!(verdict, Verdict::Clean | Verdict::Once);
        let kept = if confirmed { 1 } else { self.runs.len() };
        let is_clean = verdict == Verdict::Clean;
        if is_clean {
            // The report of a clean test is about its first run.
            shares.retain(|share| self.groups[&share.id].series.grew_in(1));
        }
        let mut runs: Vec<Grown> =
            self.runs.iter().copied().take(if is_clean { 1 } else { kept }).collect();
        let repeated = shares.iter().any(|share| {
            share.kind == GrowthKind::Leak && self.groups[&share.id].is_expected_once()
        });
        if let Some(first) = runs.first_mut().filter(|_| repeated) {
            // Growth that seemed to be expected once was the first of many.
            let open = self.groups.values().filter(|group| !group.is_excused());
            *first = open.filter_map(|group| group.series.growth_in(1)).sum();
        }
        Judged {
            verdict,
            reason: why.filter(|_| is_cut_off).map(str::to_owned),
            limit: self.limit,
            runs,
            groups: shares,
        }
    }

    fn verdict(&self, shares: &[JudgedShare]) -> Verdict {
        let sum = |kinds: &[GrowthKind]| -> Grown {
            let of_kind = shares.iter().filter(|share| kinds.contains(&share.kind));
            of_kind.map(|share| share.per_run).sum()
        };
        let exceeds = |kinds: &[GrowthKind]| sum(kinds).exceeds(&self.limit);
        use GrowthKind::{Known, Leak, Unconfirmed};
        if exceeds(&[Leak]) {
            Verdict::Leak
        } else if exceeds(&[Leak, Unconfirmed]) {
            Verdict::Unconfirmed
        } else if exceeds(&[Leak, Unconfirmed, Known]) {
            Verdict::Known
        } else {
            self.state.verdict_without_leak()
        }
    }
}

impl State {
    /// Whether later runs have to explain growth.
    fn is_suspicious(self) -> bool {
        matches!(self, Self::GrewLater | Self::Grew)
    }

    /// The state after growth that later runs have to explain.
    fn suspicious(self) -> Self {
        match self {
            Self::Clean | Self::GrewLater => Self::GrewLater,
            Self::Explained | Self::Grew => Self::Grew,
        }
    }

    /// The verdict if no growth goes on.
    fn verdict_without_leak(self) -> Verdict {
        match self {
            Self::Clean | Self::GrewLater => Verdict::Clean,
            Self::Explained | Self::Grew => Verdict::Once,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::heap::{Holder, HolderKind};
    use crate::limits::Limits;

    /// Groups from these numbers on are under initialisers, held by known holders, lost.
    const INITIALISERS: usize = 100;
    const EXCUSED: usize = 200;
    const LOST: usize = 300;
    /// Groups in this range are known.
    const KNOWN: std::ops::Range<usize> = 50..INITIALISERS;

    /// A test whose groups change as a script says. Each has blocks of its own.
    struct Trial {
        case: Case,
        /// Bytes of each group since the first run.
        sizes: HashMap<usize, i64>,
        /// The static that holds a group.
        holder: fn(usize) -> &'static str,
        /// Processor time of a run, and its wait for a processor.
        each: Duration,
        delay: Duration,
        looks: u32,
        freed: HashSet<GroupId>,
    }

    struct Now<'a> {
        changes: Vec<GroupChange>,
        sizes: &'a HashMap<usize, i64>,
        holder: fn(usize) -> &'static str,
        looks: &'a mut u32,
        freed: &'a HashSet<GroupId>,
    }

    impl Evidence for Now<'_> {
        fn freed_though_lost(&self) -> &HashSet<GroupId> {
            self.freed
        }

        fn changes(&mut self) -> Vec<GroupChange> {
            self.changes.clone()
        }

        fn look(&mut self) -> Vec<GroupGrowth> {
            *self.looks += 1;
            let grown = self.sizes.iter().filter(|(_, bytes)| **bytes > 0);
            grown
                .map(|(id, bytes)| {
                    let share = match *id {
                        LOST.. => Share::Lost,
                        EXCUSED.. => Share::Excused,
                        _ => Share::Open,
                    };
                    let by = Holder {
                        kind: HolderKind::Static,
                        name: (self.holder)(*id).to_owned(),
                        thread: None,
                        start: None,
                        known: false,
                        known_number: None,
                    };
                    let finding = match share {
                        Share::Lost => Finding::Lost { with: None, cycle: Vec::new(), steps: 0 },
                        _ if by.name.is_empty() => Finding::Unknown,
                        _ => Finding::Held { by, pointer: None, path: Vec::new(), steps: 1 },
                    };
                    let grown = Grown { bytes: *bytes as u64, blocks: 1 };
                    GroupGrowth { id: GroupId(*id), share, grown, finding }
                })
                .collect()
        }
    }

    impl Trial {
        fn new(limit: u64, runs: Option<u32>) -> Self {
            let limits = Limits { runs, ..Limits::new().max_growth(limit) };
            Self {
                case: Case::new(&Rules { limits, ..Rules::default() }),
                sizes: HashMap::new(),
                holder: |_| "demo::STORE",
                each: Duration::from_millis(20),
                delay: Duration::ZERO,
                looks: 0,
                freed: HashSet::new(),
            }
        }

        /// A run in which groups changed by so many bytes. `None` where the body is to run again.
        fn run(&mut self, groups: &[(usize, i64)]) -> Option<Judged> {
            let changes = groups.iter().map(|(id, bytes)| {
                *self.sizes.entry(*id).or_default() += bytes;
                GroupChange {
                    id: GroupId(*id),
                    bytes: *bytes,
                    blocks: bytes.signum(),
                    initialiser: (INITIALISERS..EXCUSED).contains(id),
                    cache_of_std: false,
                    known: KNOWN.contains(id),
                }
            });
            let changes: Vec<GroupChange> = changes.collect();
            let grown = changes.iter().filter_map(|change| Grown::of(change.bytes, change.blocks));
            let time = Elapsed { wall: self.each + self.delay, delay: self.delay };
            let cpu = self.each;
            let run = Run { gross: grown.sum(), time, cpu, threads: 0 };
            let mut now = Now {
                changes,
                sizes: &self.sizes,
                holder: self.holder,
                looks: &mut self.looks,
                freed: &self.freed,
            };
            match self.case.passed(run, &mut now) {
                Ruling::RunAgain => None,
                Ruling::Wait => panic!("no thread is left"),
                Ruling::Final(judged) => Some(judged),
            }
        }

        /// Runs until the case is closed, each run as `change` says by its number.
        fn run_all(&mut self, change: impl Fn(u32) -> Vec<(usize, i64)>) -> Judged {
            (1..).find_map(|run| self.run(&change(run))).expect("a case ends")
        }
    }

    #[test]
    fn growth_that_ends_with_the_first_run_hides_no_leak_of_few_runs() {
        // As in a check, which has no heap to search.
        let few = |runs: [&[(usize, i64)]; 3]| {
            let mut trial = Trial { holder: |_| "", ..Trial::new(0, Some(3)) };
            let last = runs.iter().map(|groups| trial.run(groups)).last();
            last.flatten().map(|judged| judged.verdict)
        };
        assert_eq!(few([&[(1, 8)], &[(1, 8)], &[(1, 8)]]), Some(Verdict::Leak));
        let leak: [&[_]; 3] = [&[(1, 8), (2, 1000)], &[(1, 8), (2, -1000)], &[(1, 8)]];
        assert_eq!(few(leak), Some(Verdict::Leak));
        let takeover: [&[_]; 3] = [&[(1, 8), (2, 16)], &[(1, 8), (2, -8)], &[(1, 8), (2, -8)]];
        assert_eq!(few(takeover), Some(Verdict::Once));
    }

    fn verdict(limit: u64, runs: &[&[(usize, i64)]]) -> Option<Verdict> {
        let mut trial = Trial::new(limit, Some(4));
        let last = runs.iter().map(|groups| trial.run(groups)).last();
        last.flatten().map(|judged| judged.verdict)
    }

    fn verdict_of(change: impl Fn(u32) -> Vec<(usize, i64)>) -> Verdict {
        Trial { each: Duration::from_micros(100), ..Trial::new(0, None) }.run_all(change).verdict
    }

    #[test]
    fn growth_within_the_limit_is_clean_after_one_run() {
        assert_eq!(verdict(0, &[&[]]), Some(Verdict::Clean));
        assert_eq!(verdict(100, &[&[(1, 60), (2, 40)]]), Some(Verdict::Clean));
        assert_eq!(verdict(100, &[&[(1, 60), (2, 41)]]), None);
    }

    #[test]
    fn a_quick_test_runs_twice_so_that_a_leak_of_the_second_run_is_seen() {
        let mut trial = Trial { each: Duration::from_millis(1), ..Trial::new(0, None) };
        assert!(trial.run(&[]).is_none());
        let judged = trial.run(&[]).expect("nothing is suspicious");
        assert_eq!((judged.verdict, judged.runs.len()), (Verdict::Clean, 1));
        let lost = |run| if run == 1 { vec![] } else { vec![(LOST, 300)] };
        assert_eq!(verdict_of(lost), Verdict::Leak);
        assert_eq!(verdict_of(|run| vec![(1, if run == 1 { 0 } else { 300 })]), Verdict::Leak);
        assert_eq!(verdict_of(|run| vec![(1, if run == 2 { 300 } else { 0 })]), Verdict::Clean);
    }

    #[test]
    fn a_busy_machine_hides_no_leak() {
        // Each run waits longer for a processor than a quiet body may take.
        let busy = |delay, change: fn(u32) -> Vec<(usize, i64)>| {
            let (each, delay) = (Duration::from_micros(100), Duration::from_millis(delay));
            Trial { each, delay, ..Trial::new(0, None) }.run_all(change)
        };
        let second_run = |run| vec![(1, if run == 1 { 0 } else { 300 })];
        let initialiser = |_| vec![(INITIALISERS, 300)];
        let pages =
            |run: u32| if run.is_power_of_two() { vec![(1, i64::from(run) * 8)] } else { vec![] };
        for change in [second_run, initialiser, pages] {
            assert_eq!(busy(0, change).verdict, Verdict::Leak);
            assert_eq!(busy(150, change).verdict, Verdict::Leak);
        }
        // Where the runs do not suffice, the verdict says so.
        let pauses = |run| if matches!(run, 1 | 3) { vec![(1, 300)] } else { vec![] };
        assert_eq!(busy(0, pauses).verdict, Verdict::Once);
        let judged = busy(3000, pauses);
        let reason = "run 9 did not begin: the machine is too busy";
        assert_eq!(
            (judged.verdict, judged.reason.as_deref()),
            (Verdict::Unconfirmed, Some(reason))
        );
        let fills = |run| if run < 4 { vec![(1, 400 - 100 * i64::from(run))] } else { vec![] };
        assert_eq!(busy(3000, fills).verdict, Verdict::Once);
    }

    #[test]
    fn blocks_that_the_second_run_frees_were_not_lost() {
        let quick = || Trial { each: Duration::from_millis(1), ..Trial::new(0, None) };
        let mut lost = quick();
        assert!(lost.run(&[(LOST, 64)]).is_none());
        let judged = lost.run(&[(LOST, 64)]).expect("it is lost");
        assert_eq!((judged.verdict, judged.runs.len()), (Verdict::Leak, 1));
        let mut replaced = quick();
        assert!(replaced.run(&[(LOST, 64)]).is_none());
        replaced.freed.insert(GroupId(LOST));
        assert_eq!(replaced.run_all(|_| vec![]).verdict, Verdict::Once);
        // A hidden list still leaks.
        let mut list = quick();
        assert!(list.run(&[(LOST, 64), (LOST + 1, 64)]).is_none());
        list.freed.insert(GroupId(LOST + 1));
        assert_eq!(list.run_all(|_| vec![(LOST + 1, 64)]).verdict, Verdict::Leak);
        let mut failing = quick();
        assert!(failing.run(&[(LOST, 64)]).is_none());
        assert_eq!(failing.case.unconfirmed("it failed").verdict, Verdict::Leak);
    }

    #[test]
    fn only_what_grows_in_every_run_leaks_after_few_runs() {
        assert_eq!(verdict(0, &[&[(1, 8)], &[(1, 8)], &[(1, 8)]]), None);
        assert_eq!(verdict(0, &[&[(1, 8)], &[(1, 8)], &[(1, 8)], &[(1, 8)]]), Some(Verdict::Leak));
        assert_eq!(verdict(0, &[&[(1, 8)], &[]]), Some(Verdict::Once));
        assert_eq!(verdict(0, &[&[(1, 8)], &[(1, 8)], &[], &[]]), Some(Verdict::Once));
    }

    #[test]
    fn the_limit_is_for_the_sum_of_what_leaks() {
        let runs = |third| [vec![(1, 8), (2, 8), (3, 900)], vec![(1, 8), (2, third)]];
        for (limit, expected) in [(15, Verdict::Leak), (16, Verdict::Once)] {
            let mut trial = Trial::new(limit, Some(4));
            let judged = trial.run_all(|run| runs(8)[usize::from(run > 1)].clone());
            assert_eq!(judged.verdict, expected, "{limit}");
        }
    }

    #[test]
    fn known_growth_is_no_leak_and_hides_none() {
        let four = |groups: &'static [(usize, i64)]| verdict(15, &[groups; 4]);
        assert_eq!(four(&[(50, 900)]), Some(Verdict::Known));
        assert_eq!(four(&[(50, 900), (1, 15)]), Some(Verdict::Known));
        assert_eq!(four(&[(50, 900), (1, 16)]), Some(Verdict::Leak));
        assert_eq!(verdict(15, &[&[(50, 900)], &[]]), Some(Verdict::Once));
        let mut trial = Trial::new(0, Some(4));
        assert!(trial.run(&[(50, 900)]).is_none());
        assert_eq!(trial.case.unconfirmed("taken").verdict, Verdict::Known);
    }

    #[test]
    fn initialisers_need_no_second_run_unless_it_is_quick() {
        assert_eq!(verdict(0, &[&[(INITIALISERS, 4096)]]), Some(Verdict::Once));
        let mut trial = Trial { each: Duration::from_millis(1), ..Trial::new(0, None) };
        assert!(trial.run(&[(INITIALISERS, 4096)]).is_none());
        let judged = trial.run(&[]).expect("it did not grow again");
        assert_eq!((judged.verdict, judged.runs.len()), (Verdict::Once, 1));
        assert_eq!(judged.groups[0].kind, GrowthKind::Initialiser);
        assert_eq!(trial.looks, 0, "nothing had to be explained");
    }

    #[test]
    fn growth_under_an_initialiser_that_goes_on_is_a_leak() {
        assert_eq!(verdict_of(|_| vec![(INITIALISERS, 64)]), Verdict::Leak);
        let once = |run| vec![(INITIALISERS, if run < 3 { 64 } else { 0 })];
        assert_eq!(verdict_of(once), Verdict::Once);
    }

    #[test]
    fn lost_memory_needs_no_second_run() {
        assert_eq!(verdict(0, &[&[(LOST, 8)]]), Some(Verdict::Leak));
        assert_eq!(verdict(8, &[&[(LOST, 8)]]), Some(Verdict::Clean));
        assert_eq!(verdict(0, &[&[(1, 8)], &[(LOST, 8)]]), Some(Verdict::Leak));
        assert_eq!(verdict(0, &[&[(LOST, 8), (1, 8)]]), None, "the other may leak too");
        assert_eq!(verdict(0, &[&[(LOST, 8), (1, 8)], &[]]), Some(Verdict::Leak));
        let mut trial = Trial::new(0, Some(4));
        assert!(trial.run(&[(LOST, 8), (1, 8)]).is_none());
        let judged = trial.case.unconfirmed("run 2 failed");
        assert_eq!(judged.verdict, Verdict::Leak);
        for share in judged.groups {
            let lost = share.id == GroupId(LOST);
            assert_eq!(share.kind, if lost { GrowthKind::Leak } else { GrowthKind::Unconfirmed });
        }
    }

    #[test]
    fn a_leak_whose_line_first_allocates_in_a_later_run_is_found() {
        assert_eq!(verdict_of(|run| vec![(usize::from(run > 1), 100)]), Verdict::Leak);
        let log = |run| if run == 1 { vec![(1, 700)] } else { vec![(2, 60), (3, 16)] };
        assert_eq!(verdict_of(log), Verdict::Leak);
    }

    #[test]
    fn a_registry_leaks_whose_lines_alternate_and_pause() {
        // Two blocks from two lines, and an older one of either goes.
        let lines = |run: u32| {
            let gone = if run % 3 == 0 { 1 } else { 2 };
            vec![(1, if gone == 1 { 0 } else { 48 }), (2, if gone == 2 { 0 } else { 48 })]
        };
        assert_eq!(verdict_of(lines), Verdict::Leak);
    }

    #[test]
    fn blocks_that_are_nearly_all_gone_in_the_end_take_no_part_in_a_leak_of_their_holder() {
        // The threads of many runs end late, and nearly all of them before the last look. A table
        // of the same holder has become larger meanwhile.
        let threads = |run: u32| {
            let table = match run {
                1 => 2000,
                20 | 40 | 50 | 60 => 4000,
                _ => 0,
            };
            let blocks = if run == 64 { -61 * 48 } else { 48 };
            vec![(1, blocks), (INITIALISERS, table)]
        };
        let judged = Trial::new(0, Some(64)).run_all(threads);
        let blocks = judged.groups.iter().find(|share| share.id == GroupId(1)).unwrap();
        assert_eq!(blocks.kind, GrowthKind::Once);
    }

    #[test]
    fn a_full_cache_whose_lines_take_turns_is_no_leak() {
        for seed in 0..40_u64 {
            let cache = |run: u32| {
                // The number of entries of line 1; the others are of line 2, and there are 20.
                let of_line = |run: u32| {
                    let steps = (1..=run).map(|step| {
                        let bits = (seed + 1)
                            .wrapping_mul(u64::from(step))
                            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
                        (bits >> 60) as i64 % 3 - 1
                    });
                    steps.fold(10_i64, |entries, step| (entries + step).clamp(0, 20))
                };
                let (before, now) = (if run > 1 { of_line(run - 1) } else { 0 }, of_line(run));
                let other = if run > 1 { before - now } else { 20 - now };
                vec![(1, 64 * (now - before)), (2, 64 * other)]
            };
            assert_eq!(verdict_of(cache), Verdict::Once, "{seed}");
        }
    }

    #[test]
    fn bounded_caches_are_run_until_they_are_full() {
        for entries in 1..=40 {
            let filled = |run| vec![(1, if run <= entries { 96 } else { 0 })];
            assert_eq!(verdict_of(filled), Verdict::Once, "{entries}");
        }
    }

    #[test]
    fn a_cache_that_is_full_after_few_large_entries_is_no_leak() {
        // Each entry is smaller than the one before, so growth fades from run to run.
        for entries in 3..=12 {
            let filled =
                |run: u32| vec![(1, if run <= entries { 1000 - 20 * i64::from(run) } else { 0 })];
            assert_eq!(verdict_of(filled), Verdict::Once, "{entries}");
        }
    }

    /// The vector still looks as if it doubled for ever. Each run takes so long that few are made.
    #[test]
    fn a_batch_that_is_emptied_now_and_then_is_no_leak_because_its_vector_doubled() {
        let mut capacity = 0;
        let mut trial = Trial { each: Duration::from_millis(35), ..Trial::new(0, None) };
        let judged = (1..).find_map(|run| {
            let entries = i64::from((run - 1) % 35);
            let entry = if run > 1 && entries == 0 { -34 * 446 } else { 446 };
            let before = capacity;
            capacity = before.max(entries + 1);
            let room = |entries: i64| {
                if entries == 0 {
                    0
                } else {
                    24 * (entries as u64).next_power_of_two().max(4) as i64
                }
            };
            trial.run(&[(1, entry), (2, room(capacity) - room(before))])
        });
        assert_eq!(judged.expect("it ends").verdict, Verdict::Once);
    }

    #[test]
    fn a_leak_whose_buffer_has_room_for_many_runs_is_found() {
        // A text of one byte a run, which begins with room for 8.
        let text = |run: u32| {
            let room = |bytes: u32| i64::from(bytes.next_power_of_two().max(8));
            vec![(1, if run == 1 { 8 } else { room(run) - room(run - 1) })]
        };
        assert_eq!(verdict_of(text), Verdict::Leak);
        // Nodes of a tree: the first one has room for 11 entries, each later one gets 6.
        let tree = |run: u32| {
            let is_new = run == 1 || run >= 12 && (run - 12) % 6 == 0;
            vec![(1, if is_new { 200 } else { 0 })]
        };
        assert_eq!(verdict_of(tree), Verdict::Leak);
        // A channel that allocates for 31 messages at once.
        let channel = |run: u32| vec![(1, if run % 31 == 1 { 2000 } else { 0 })];
        assert_eq!(verdict_of(channel), Verdict::Leak);
    }

    #[test]
    fn pages_that_double_and_are_never_freed_are_a_leak() {
        let pages = |slots: u32| {
            (0..)
                .take_while(move |page| 32 * ((1 << page) - 1) < slots)
                .map(|page| 256 << page)
                .sum::<i64>()
        };
        assert_eq!(
            verdict_of(|run| vec![(1, pages(20 * run) - pages(20 * (run - 1)))]),
            Verdict::Leak
        );
    }

    #[test]
    fn memory_of_known_holders_is_no_leak() {
        assert_eq!(verdict(0, &[&[(EXCUSED, 8)]]), Some(Verdict::Once));
        assert_eq!(verdict_of(|_| vec![(EXCUSED, 8)]), Verdict::Once);
    }

    #[test]
    fn memory_of_a_logger_may_be_set_once_but_must_not_grow() {
        let logger = || Trial { holder: |_| "log::LOGGER", ..Trial::new(0, None) };
        let mut trial = logger();
        assert!(trial.run(&[(1, 80)]).is_none());
        assert_eq!(trial.case.unconfirmed("it is set").verdict, Verdict::Once);
        assert_eq!(trial.run(&[]).map(|judged| judged.verdict), Some(Verdict::Once));
        assert_eq!(logger().run_all(|_| vec![(1, 80)]).verdict, Verdict::Leak);
    }

    #[test]
    fn blocks_have_a_limit_of_their_own() {
        let limits = Limits::new().max_growth(1_000).max_blocks(1).runs(4);
        let mut trial = Trial::new(0, Some(4));
        trial.case = Case::new(&Rules { limits, ..Rules::default() });
        assert!(trial.run(&[(1, 8), (2, 8)]).is_none());
        assert!(trial.run(&[(1, 8)]).is_none());
        assert!(trial.run(&[(1, 8)]).is_none());
        assert_eq!(trial.run(&[(1, 8)]).map(|judged| judged.verdict), Some(Verdict::Once));
    }

    #[test]
    fn long_runs_are_few() {
        let mut trial = Trial { each: Duration::from_secs(10), ..Trial::new(0, None) };
        assert_eq!(trial.run_all(|_| vec![(1, 8)]).runs.len(), 3);
    }

    #[test]
    fn a_body_that_cannot_run_again_is_unconfirmed() {
        let mut trial = Trial::new(0, None);
        assert!(trial.run(&[(1, 8)]).is_none());
        let judged = trial.case.unconfirmed("run 2 failed: taken");
        assert_eq!(judged.verdict, Verdict::Unconfirmed);
        assert_eq!(judged.reason.as_deref(), Some("run 2 failed: taken"));
        assert_eq!(judged.groups[0].kind, GrowthKind::Unconfirmed);
    }
}
