//! The trial of one body: each run is measured and goes to the case, until a verdict is reached.
//!
//! The caller runs the body. Harness and checks measure it, each with a [`Meter`] of their own.

use std::time::{Duration, Instant};

use crate::judge::case::{Case, Ruling, Run};
use crate::judge::grouping::Grouper;
use crate::judge::grown::Grown;
use crate::judge::heap_search::HeapSearch;
use crate::judge::quiescence::Patience;
use crate::judge::rules::Rules;
use crate::judge::stopwatch::Elapsed;
use crate::judge::verdict::Judged;
use crate::trace::live::Change;

/// The measurement of the runs of a body.
pub trait Meter {
    /// The changes since the last call, once the threads of the run have had time to end.
    fn changes(&mut self, patience: Patience) -> Vec<Change>;

    /// The time since the run began.
    fn time(&self) -> Elapsed;

    /// The processor time since the run began.
    fn cpu(&self) -> Duration;

    /// The threads that all runs have left.
    fn threads(&self) -> u32;
}

/// A body that runs until it is judged.
#[derive(Debug)]
pub struct Trial<'a, M> {
    /// Measures the runs.
    pub meter: M,
    /// Collects them.
    pub case: Case,
    /// Names their growth.
    pub grouper: Grouper<'a>,
}

impl<'a, M: Meter> Trial<'a, M> {
    /// A trial by these rules. Without a heap to search, later runs alone decide.
    pub fn new(rules: &Rules, heap: Option<HeapSearch<'a>>, meter: M) -> Self {
        Self { case: Case::new(rules), grouper: Grouper::new(rules, heap), meter }
    }

    /// Replaces the rules before the first run is taken in.
    pub fn set_rules(&mut self, rules: &Rules, heap: Option<HeapSearch<'a>>) {
        self.case = Case::new(rules);
        self.grouper = Grouper::new(rules, heap);
    }

    /// Takes in a run that passed. `None` if the body has to run again.
    pub fn passed(&mut self) -> Option<Judged> {
        let changes = self.grouper.counted(self.meter.changes(self.case.patience()));
        let run = Run {
            gross: Grown::gross(&changes),
            time: self.meter.time(),
            cpu: self.meter.cpu(),
            threads: self.meter.threads(),
        };
        match self.case.passed(run, &mut self.grouper.evidence(&changes)) {
            Ruling::RunAgain => None,
            Ruling::Final(judged) => Some(judged),
            Ruling::Wait => self.wait(),
        }
    }

    /// Gives the threads of the last run time to end, before it is called a leak.
    fn wait(&mut self) -> Option<Judged> {
        let started = Instant::now();
        let changes = self.grouper.counted(self.meter.changes(Patience::Last));
        let (time, threads) = (started.elapsed(), self.meter.threads());
        self.case.waited(time, threads, &mut self.grouper.evidence(&changes))
    }

    /// Ends the trial because the next run did not pass. `why` continues the words "run 2".
    pub fn cannot_repeat(&mut self, why: &str) -> Judged {
        let why = format!("run {} {why}", self.case.runs() + 1);
        self.case.cannot_repeat(&why, &mut self.grouper.evidence(&[]))
    }
}
