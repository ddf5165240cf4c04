//! The blocks that were live at one moment, with their statistics, comparisons and filters.

use std::fmt;

use rustc_hash::FxHashMap;

use crate::model::filter::BaseFilter;
use crate::model::filter::keeps;
use crate::model::frame::Frame;
#[cfg(feature = "symbolize")]
use crate::model::group::Side;
use crate::model::held_memory::HeldMemory;
#[cfg(feature = "symbolize")]
use crate::model::key_type::{KeyType, KeyTypeError};
#[cfg(feature = "pprof")]
use crate::model::pprof;
#[cfg(feature = "symbolize")]
use crate::model::statistic::{self, Statistic, StatisticDiff};
use crate::model::trace::Trace;
use crate::model::traceback::Traceback;

/// The traces of all blocks that were live at one moment.
///
/// Python: `tracemalloc.Snapshot`.
///
/// ```
/// use tracemalloc::{Frame, KeyType, Snapshot, Trace, Traceback};
///
/// let traceback = Traceback::new([Frame::new("src/cache.rs", 12)], None);
/// let old = Snapshot::new(vec![Trace::new(0, 10, traceback.clone())], 1);
/// let new = Snapshot::new(vec![Trace::new(0, 10, traceback.clone()), Trace::new(0, 30, traceback)], 1);
///
/// let statistics = new.statistics(KeyType::Lineno, false)?;
/// assert_eq!(statistics[0].to_string(), "src/cache.rs:12: size=40 B, count=2, average=20 B");
///
/// let differences = new.compare_to(&old, KeyType::Lineno, false)?;
/// assert_eq!(differences[0].to_string(), "src/cache.rs:12: size=40 B (+30 B), count=2 (+1), average=20 B");
/// # Ok::<(), tracemalloc::KeyTypeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    traces: Vec<Trace>,
    traceback_limit: u32,
    /// The interval of sampling, or 0.
    interval: u64,
    held: Option<HeldMemory>,
}

impl Snapshot {
    /// A snapshot of these traces, whose tracebacks were cut to `traceback_limit` frames.
    ///
    /// ```
    /// assert!(tracemalloc::Snapshot::new(vec![], 25).traces().is_empty());
    /// ```
    pub fn new(traces: Vec<Trace>, traceback_limit: u32) -> Snapshot {
        Snapshot { traces, traceback_limit, interval: 0, held: None }
    }

    /// The same traces, as sampled ones; 0 is not sampled.
    pub(crate) fn with_sample_interval(self, interval: u64) -> Snapshot {
        Snapshot { interval, ..self }
    }

    /// The same traces, with the memory by holder. For `cargo tracemalloc` alone.
    #[doc(hidden)]
    pub fn with_held_memory(self, held: Option<HeldMemory>) -> Snapshot {
        Snapshot { held, ..self }
    }

    /// The memory by holder. For `cargo tracemalloc` alone.
    #[doc(hidden)]
    pub fn held_memory(&self) -> Option<&HeldMemory> {
        self.held.as_ref()
    }

    /// The interval of [`start_sampled`](crate::start_sampled), if the snapshot has only sampled
    /// blocks. Then [`traces`](Self::traces) has these, and statistics are estimates of all blocks.
    /// Not in Python.
    ///
    /// ```
    /// assert_eq!(tracemalloc::Snapshot::new(vec![], 25).sample_interval(), None);
    /// ```
    pub fn sample_interval(&self) -> Option<u64> {
        (self.interval != 0).then_some(self.interval)
    }

    /// The blocks, in no particular order.
    ///
    /// Python: `Snapshot.traces`.
    ///
    /// ```
    /// use tracemalloc::{Snapshot, Trace, Traceback};
    ///
    /// let snapshot = Snapshot::new(vec![Trace::new(0, 10, Traceback::new([], None))], 1);
    /// assert_eq!(snapshot.traces().iter().map(Trace::size).sum::<u64>(), 10);
    /// ```
    pub fn traces(&self) -> &[Trace] {
        &self.traces
    }

    /// The most frames of a traceback when the snapshot was taken.
    ///
    /// Python: `Snapshot.traceback_limit`.
    ///
    /// ```
    /// assert_eq!(tracemalloc::Snapshot::new(vec![], 25).traceback_limit(), 25);
    /// ```
    pub fn traceback_limit(&self) -> u32 {
        self.traceback_limit
    }

    /// The blocks in groups, the largest first: by size, then count, then traceback, all three
    /// descending. Domains are merged.
    ///
    /// With `cumulative`, a block counts for every frame of its traceback and not only for the most
    /// recent one. As in Python, it counts for every *occurrence*, so that the blocks of a
    /// recursive function count repeatedly.
    ///
    /// Python: `Snapshot.statistics`.
    ///
    /// # Errors
    ///
    /// [`KeyTypeError::CumulativeTraceback`] for `cumulative` and [`KeyType::Traceback`] together.
    ///
    /// ```
    /// use tracemalloc::{Frame, KeyType, Snapshot, Trace, Traceback};
    ///
    /// let traceback = Traceback::new([Frame::new("main.rs", 9), Frame::new("cache.rs", 12)], None);
    /// let snapshot = Snapshot::new(vec![Trace::new(0, 10, traceback)], 2);
    /// let lines = |cumulative| -> Result<Vec<String>, _> {
    ///     let statistics = snapshot.statistics(KeyType::Filename, cumulative)?;
    ///     Ok(statistics.iter().map(|statistic| statistic.to_string()).collect())
    /// };
    /// assert_eq!(lines(false)?, ["cache.rs:0: size=10 B, count=1, average=10 B"]);
    /// assert_eq!(lines(true)?, [
    ///     "main.rs:0: size=10 B, count=1, average=10 B",
    ///     "cache.rs:0: size=10 B, count=1, average=10 B",
    /// ]);
    /// # Ok::<(), tracemalloc::KeyTypeError>(())
    /// ```
    #[cfg(feature = "symbolize")]
    pub fn statistics(
        &self,
        key_type: KeyType,
        cumulative: bool,
    ) -> Result<Vec<Statistic>, KeyTypeError> {
        statistic::statistics(self.side(), key_type, cumulative)
    }

    /// The groups of this snapshot and of an older one, the largest change first. The order is by
    /// the change of size whatever its sign, then size, then change of count, then count, then
    /// traceback, all descending. Groups without a change are included.
    ///
    /// Python: `Snapshot.compare_to`.
    ///
    /// # Errors
    ///
    /// [`KeyTypeError::CumulativeTraceback`] for `cumulative` and [`KeyType::Traceback`] together.
    ///
    /// ```
    /// use tracemalloc::{Frame, KeyType, Snapshot, Trace, Traceback};
    ///
    /// let traceback = Traceback::new([Frame::new("cache.rs", 12)], None);
    /// let old = Snapshot::new(vec![Trace::new(0, 17, traceback)], 1);
    /// let new = Snapshot::new(vec![], 1);
    /// let differences = new.compare_to(&old, KeyType::Lineno, false)?;
    /// assert_eq!(differences[0].to_string(), "cache.rs:12: size=0 B (-17 B), count=0 (-1)");
    /// # Ok::<(), tracemalloc::KeyTypeError>(())
    /// ```
    #[cfg(feature = "symbolize")]
    pub fn compare_to(
        &self,
        old: &Snapshot,
        key_type: KeyType,
        cumulative: bool,
    ) -> Result<Vec<StatisticDiff>, KeyTypeError> {
        statistic::differences(self.side(), old.side(), key_type, cumulative)
    }

    /// The blocks by traceback as a profile for pprof: objects and bytes in use, as in the heap
    /// profiles of Go. Sampled blocks count for all that they stand for. The bytes are a `Profile`
    /// of pprof's `profile.proto`, not compressed; `go tool pprof` reads them as they are. Not in
    /// Python.
    ///
    /// ```no_run
    /// let snapshot = tracemalloc::take_snapshot()?;
    /// std::fs::write("heap.pb", snapshot.pprof())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "pprof")]
    pub fn pprof(&self) -> Vec<u8> {
        // Only cumulative statistics fail.
        let statistics = self.statistics(KeyType::Traceback, false).unwrap_or_default();
        let stacks = statistics.iter().map(|statistic| pprof::Stack {
            frames: statistic.traceback.iter().map(pprof::StackFrame::from).collect(),
            blocks: statistic.count,
            bytes: statistic.size,
        });
        pprof::profile(stacks, self.interval)
    }

    /// A snapshot of the traces that the filters keep, in the same order. A trace is kept if some
    /// inclusive filter matches it, or there is no inclusive filter, and no exclusive filter
    /// matches it. [`Filter`](crate::Filter) and [`DomainFilter`](crate::DomainFilter) may be
    /// mixed.
    ///
    /// Python: `Snapshot.filter_traces`.
    ///
    /// ```
    /// use tracemalloc::{DomainFilter, Filter, Frame, Snapshot, Trace, Traceback};
    ///
    /// let traceback = |filename: &str| Traceback::new([Frame::new(filename, 1)], None);
    /// let snapshot = Snapshot::new(
    ///     vec![
    ///         Trace::new(0, 10, traceback("src/cache.rs")),
    ///         Trace::new(0, 20, traceback("<unknown>")),
    ///         Trace::new(7, 30, traceback("src/cache.rs")),
    ///     ],
    ///     1,
    /// );
    /// let kept = snapshot.filter_traces(&[&Filter::new(false, "<unknown>"), &DomainFilter::new(true, 0)]);
    /// assert_eq!(kept.traces(), &snapshot.traces()[..1]);
    /// ```
    pub fn filter_traces(&self, filters: &[&dyn BaseFilter]) -> Snapshot {
        // Blocks of one stack share their frames, though not `total_nframe`. So the filters run
        // only a few times.
        let mut answers = FxHashMap::default();
        let kept = self.traces.iter().filter(|trace| {
            let (domain, traceback) = (trace.domain(), trace.traceback());
            let question = (domain, traceback.address(), traceback.total_nframe());
            *answers.entry(question).or_insert_with(|| keeps(filters, domain, traceback))
        });
        Snapshot::new(kept.cloned().collect(), self.traceback_limit)
            .with_sample_interval(self.interval)
    }

    /// The same blocks. Each is allocated in a file that is named after its domain: `<rust>`, `<c>`
    /// or `<domain 7>`.
    #[doc(hidden)]
    pub fn with_domains_for_files(&self) -> Snapshot {
        let mut by_domain = FxHashMap::default();
        let traces = self.traces.iter().map(|trace| {
            let domain = trace.domain();
            let traceback = by_domain.entry(domain).or_insert_with(|| {
                let file = match domain {
                    0 => "<rust>".to_owned(),
                    1 => "<c>".to_owned(),
                    other => format!("<domain {other}>"),
                };
                Traceback::new([Frame::new(file, 0)], None)
            });
            Trace::new(domain, trace.size(), traceback.clone())
        });
        Snapshot::new(traces.collect(), 1).with_sample_interval(self.interval)
    }

    #[cfg(feature = "symbolize")]
    fn side(&self) -> Side<'_> {
        Side { traces: &self.traces, interval: self.interval }
    }
}

impl fmt::Debug for Snapshot {
    /// Shows the number of traces, as Python's `repr()` of `Snapshot.traces`: there may be
    /// millions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, traceback_limit) = (self.traces.len(), self.traceback_limit);
        write!(f, "<Snapshot traces=<Traces len={len}> traceback_limit={traceback_limit}>")
    }
}
