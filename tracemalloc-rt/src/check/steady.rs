//! A loop: code that runs round after round, until its growth stops or goes on for too long.

use std::fmt;
use std::hint::black_box;
use std::panic::{Location, resume_unwind};

use crate::api::Pause;
use crate::api::holder::Holder;
use crate::bridge::held::Held;
use crate::bridge::{installed, known_holders};
use crate::check::measurement::Measurement;
use crate::check::{CheckMeter, counted_blocks, measured_code, rules};
use crate::error::Error;
use crate::heap::HolderSum;
use crate::judge::{
    self, Grouper, GrowthKind, Headline, HeapSearch, Judged, Leak, Trial, Verdict, finding_text,
    many, way,
};
use crate::limits::{Limit, Limits};
use crate::model::traceback::Traceback;
use crate::trace::scope_table::Counts;

/// Findings that a text shows at most.
const SHOWN: usize = 5;

/// The result of a loop: the verdict on its growth, and the holder of each growth. Made by
/// [`steady`] and [`Steady::of`]. Not in Python.
///
/// `Display` is the verdict in a line. For a leak, each growth follows with its holder, the path to
/// it, and its traceback, the most recent frame first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Steady {
    /// [`Verdict::Clean`] if no round grew, [`Verdict::Once`] if the growth stopped, as that of a
    /// cache that fills, or [`Verdict::Leak`] if memory was lost, or if the growth goes on.
    pub verdict: Verdict,
    /// The number of rounds.
    pub rounds: u32,
    /// The number of rounds that grew, without growth that is expected once.
    pub growing_rounds: u32,
    /// All growth by traceback and holder: leaks first, then the most bytes first.
    pub findings: Vec<Finding>,
    /// Why the heap was not searched, or not as a whole. `None` if it was, or if nothing grew.
    pub heap_note: Option<String>,
    limit: Limit,
    counted: String,
    /// Whether the number of rounds was given.
    is_fixed: bool,
}

/// The growth of one traceback, as far as its blocks have one holder. Part of [`Steady`].
///
/// `Display` is its paragraph in the text of the loop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Whether it leaks. Other growth has stopped, or a known holder holds it.
    pub is_leak: bool,
    /// Bytes a round: in the round that grew least, or the mean if some rounds did not grow.
    pub bytes: u64,
    /// Blocks a round.
    pub blocks: u64,
    /// Bytes of all rounds that are still live.
    pub total_bytes: u64,
    /// Blocks of all rounds that are still live.
    pub total_blocks: u64,
    /// The number of rounds in which it grew.
    pub rounds: u32,
    /// The type of the blocks, if the symbols tell it.
    pub type_name: Option<String>,
    /// The holder; [`Holder::Lost`] if nothing points to the blocks. `None` if the heap was not
    /// searched.
    pub holder: Option<Holder>,
    /// The path from the holder to one of the blocks, which is the last: types, with the places
    /// that allocated them. Of long paths, the middle is missing.
    pub path: Vec<String>,
    /// The frames that allocated the blocks, oldest first.
    pub traceback: Traceback,
    text: String,
}

/// Runs code round after round, until its growth stops or goes on for too long, and judges it as
/// `cargo tracemalloc test` judges the runs of a test.
///
/// The loop has at least 1000 rounds, or 100 if they take a second. It ends when the growth has
/// stopped for three quarters of them. Growth that goes on may be that of a cache, so the loop does
/// not end before 50,000 rounds, ten seconds or 64 MiB. So a cache of up to 20,000 entries is
/// steady, if it fills within four seconds. [`Steady::of`] sets the number of rounds, and limits.
///
/// It counts the blocks that [`check`](crate::check()) counts: those of this thread, and on Linux
/// with the GNU C library those of threads that the code starts. Under `cargo tracemalloc test`, it
/// counts those of all threads of the process. The value of each round is dropped.
///
/// # Errors
///
/// The code has not run then.
///
/// - [`Error::NotInstalled`] if the program's global allocator does not trace,
/// - [`Error::OtherVersion`] if it is one of a version that this one cannot talk to,
/// - [`Error::NoMemory`] if the tracer found no memory.
///
/// # Panics
///
/// If a round panics.
///
/// ```
/// use std::sync::Mutex;
///
/// use tracemalloc::{Tracemalloc, Verdict};
///
/// #[global_allocator]
/// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
/// static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
///
/// fn handle(request: &str) {
///     SEEN.lock().unwrap().push(request.to_owned());
/// }
///
/// let steady = tracemalloc::steady(|| handle("GET /"))?;
/// assert_eq!(steady.verdict, Verdict::Leak, "{steady}");
/// # if !cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) { return Ok(()) }
/// let holder = steady.findings[0].holder.as_ref().unwrap();
/// assert!(holder.to_string().ends_with("SEEN"), "{steady}");
/// # Ok::<(), tracemalloc::Error>(())
/// ```
#[track_caller]
pub fn steady<R>(code: impl FnMut() -> R) -> Result<Steady, Error> {
    Steady::of(Limits::new(), code)
}

impl Steady {
    /// [`steady`] under limits. With [`Limits::runs`], the loop has exactly so many rounds, and at
    /// least two: growth may go on until the last fifths of them. `max_growth` and `max_blocks` are
    /// limits a round. `max_peak` and the budgets have no effect.
    ///
    /// # Errors
    ///
    /// As [`steady`].
    ///
    /// # Panics
    ///
    /// If a round panics.
    ///
    /// ```
    /// # #[global_allocator]
    /// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
    /// use tracemalloc::{Limits, Steady};
    ///
    /// let mut cache = vec![0; 20];
    /// let mut round = 0;
    /// let steady = Steady::of(Limits::new().runs(200), || {
    ///     round += 1;
    ///     cache[round % 20] = round;
    /// })?;
    /// assert!(steady.is_steady(), "{steady}");
    /// assert_eq!(steady.rounds, 200);
    /// # Ok::<(), tracemalloc::Error>(())
    /// ```
    #[track_caller]
    pub fn of<R>(limits: Limits, mut code: impl FnMut() -> R) -> Result<Self, Error> {
        // This frame has what the code owns, and lies above that of the judge.
        run(limits, &mut || drop(measured_code(&mut code)), Location::caller())
    }

    /// Whether it does not leak.
    pub fn is_steady(&self) -> bool {
        self.verdict != Verdict::Leak
    }

    fn leaks(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_leak)
    }
}

/// Fails if a loop leaks, or cannot be measured.
#[track_caller]
pub fn assert_steady<R>(limits: Limits, code: impl FnMut() -> R) {
    match Steady::of(limits, code) {
        Ok(steady) if steady.is_steady() => {}
        Ok(steady) => panic!("{steady}"),
        Err(error) => panic!(
            "assert_steady! measured nothing: {error}; or run the tests with `cargo tracemalloc test`"
        ),
    }
}

/// Runs the loop. Below the frame of this function, the stack belongs to the judge.
#[inline(never)]
fn run(limits: Limits, code: &mut dyn FnMut(), place: &Location) -> Result<Steady, Error> {
    let here = black_box(0_u8);
    let table = installed()?;
    let rules = rules(&limits, place);
    let Some(measurement) = Measurement::new(rules.limits.frame_count(), Counts::default())? else {
        return Err(Error::NotInstalled);
    };
    let heap = HeapSearch::new(known_holders(table), (&raw const here).addr()).across(table);
    let mut trial = Trial::new(&rules, Some(heap), CheckMeter::new(measurement.of_process()));
    trial.case.begin_loop();
    let judged = loop {
        trial.meter.begin_run();
        let measurement = &trial.meter.measurement;
        for _ in 0..trial.case.next_runs() {
            measurement.run(&mut *code).unwrap_or_else(|payload| resume_unwind(payload));
        }
        if let Some(judged) = trial.passed() {
            break judged;
        }
    };
    let counted = counted_blocks(&trial.meter.measurement);
    let rounds = trial.case.runs();
    // The result is the caller's to keep, and is not traced.
    let _pause = Pause::of(table);
    let is_fixed = rules.limits.runs.is_some();
    Ok(Steady { is_fixed, ..result(&judged, rounds, &trial.grouper, counted) })
}

fn result(judged: &Judged, rounds: u32, grouper: &Grouper<'_>, counted: String) -> Steady {
    let is_clean = judged.verdict == Verdict::Clean;
    let growth = if is_clean { Vec::new() } else { judged.growth(grouper) };
    Steady {
        verdict: judged.verdict,
        rounds,
        growing_rounds: judged.runs.iter().filter(|run| run.bytes > 0).count() as u32,
        findings: growth.into_iter().map(Finding::of).collect(),
        heap_note: grouper.heap_note().map(str::to_owned),
        limit: judged.limit,
        counted,
        is_fixed: false,
    }
}

impl Finding {
    fn of(growth: judge::Growth) -> Self {
        let (holder, path) = match &growth.finding {
            judge::Finding::Unknown => (None, Vec::new()),
            judge::Finding::Lost { cycle, steps, .. } => {
                (Some(Holder::Lost), way(cycle, *steps, true))
            }
            judge::Finding::Held { by, path, steps, .. } => {
                let sum = HolderSum { holder: by.clone(), bytes: 0, blocks: 0, steps: Vec::new() };
                (Some(Holder::of(&Held::of(&sum))), way(path, *steps, true))
            }
        };
        let leak = Leak::new(growth.least, &growth.traceback);
        let leak = Leak { retained: finding_text(&growth.finding), ..leak };
        Self {
            is_leak: growth.kind == GrowthKind::Leak,
            bytes: growth.least.bytes,
            blocks: growth.least.blocks,
            total_bytes: growth.total.bytes,
            total_blocks: growth.total.blocks,
            rounds: growth.runs,
            holder,
            path,
            text: leak.paragraph("block"),
            traceback: Traceback::from(&growth.traceback),
            type_name: growth.traceback.type_name,
        }
    }
}

impl fmt::Display for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds = many(u64::from(self.rounds), "round");
        match self.verdict {
            Verdict::Leak => {}
            Verdict::Once => {
                let last = many(u64::from(self.growing_rounds), "round");
                return write!(f, "steady: {last} of {rounds} grew, and the growth stopped");
            }
            _ => return write!(f, "steady: no growth in {rounds}"),
        }
        let headline = Headline {
            what: "leaked",
            unit: "round",
            grew: self.growing_rounds as usize,
            runs: self.rounds as usize,
            limit: self.limit,
            reason: self.heap_note.as_deref(),
        };
        let leaks = self.leaks();
        let (bytes, blocks) =
            leaks.fold((0, 0), |sum, leak| (sum.0 + leak.bytes, sum.1 + leak.blocks));
        f.write_str(&headline.text(bytes, blocks))?;
        for leak in self.leaks().take(SHOWN) {
            write!(f, "\n\n{}", leak.text)?;
        }
        let rest = self.leaks().count().saturating_sub(SHOWN);
        if rest > 0 {
            write!(f, "\n\n  and {}", many(rest as u64, "more growth"))?;
        }
        write!(f, "\n\n{}", self.counted)?;
        let is_held = |leak: &Finding| leak.holder != Some(Holder::Lost);
        if !self.is_fixed && self.leaks().any(is_held) {
            let more = self.rounds.saturating_mul(5);
            write!(f, "\na cache that holds more needs more rounds: assert_steady!({more}, ...)")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
