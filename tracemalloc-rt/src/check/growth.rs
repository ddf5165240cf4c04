//! The growth of a piece of code, as a value.

use crate::api::Pause;
use crate::bridge::installed;
use crate::check::measurement::Measurement;
use crate::check::spending::Spending;
use crate::error::Error;
use crate::judge::{self, GroupId, Grouper, Grown, Patience, Rules};
use crate::model::frame::Frame;
use crate::model::statistic::Statistic;
use crate::model::traceback::Traceback;
use crate::trace::scope_table::Counts;
use crate::util::sort::sort_by;

/// The blocks that a piece of code has allocated and not freed, for assertions of your own.
///
/// They are counted by the rules of [`check`](crate::check()), in one run. Blocks that are
/// allocated under code that runs once by nature (`OnceLock`, `LazyLock`, `thread_local!`, ...) are
/// left out. Not in Python.
///
/// ```
/// use tracemalloc::{Growth, Tracemalloc};
///
/// #[global_allocator]
/// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
///
/// let (text, growth) = Growth::of(|| {
///     drop(vec![0_u8; 1000]);
///     String::from("kept")
/// })?;
/// assert_eq!((growth.bytes, growth.blocks), (4, 1));
/// assert_eq!(growth.peak, 1000);
/// assert_eq!((growth.total, growth.allocations), (1004, 2));
/// assert_eq!(growth.statistics[0].size, 4);
/// assert_eq!(text, "kept");
/// # Ok::<(), tracemalloc::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Growth {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// The most bytes that were live at once.
    pub peak: u64,
    /// The bytes of all allocations together, freed or not. A reallocation is an allocation of the
    /// new size.
    pub total: u64,
    /// The number of all allocations.
    pub allocations: u64,
    /// The growth of each traceback, the most bytes first. Their sums are the first two numbers.
    pub statistics: Vec<Statistic>,
}

impl Growth {
    /// Runs code once, and returns its value and its growth. The value is live, and counts.
    ///
    /// # Errors
    ///
    /// [`Error::NotInstalled`], [`Error::OtherVersion`] and [`Error::NoMemory`]. The code has not
    /// run then.
    ///
    /// # Panics
    ///
    /// If the code panics.
    ///
    /// ```
    /// # #[global_allocator]
    /// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
    /// let (_, growth) = tracemalloc::Growth::of(|| std::mem::forget(Box::new(7_u64)))?;
    /// assert_eq!((growth.bytes, growth.blocks), (8, 1));
    /// # Ok::<(), tracemalloc::Error>(())
    /// ```
    pub fn of<R>(code: impl FnOnce() -> R) -> Result<(R, Self), Error> {
        let table = installed()?;
        let rules = Rules::default();
        let counts = Counts { peak: true, spending: true };
        let Some(measurement) = Measurement::new(rules.limits.frame_count(), counts)? else {
            return Err(Error::NotInstalled);
        };
        let before = measurement.balances();
        let value =
            measurement.run(code).unwrap_or_else(|payload| std::panic::resume_unwind(payload));
        let peak = measurement.peak();
        let (changes, _) = measurement.changes(&before, Patience::Deciding);
        let spent = Spending::of(&measurement, &rules).sum;
        let mut grouper = Grouper::new(&rules, None);
        let groups: Vec<(GroupId, Grown)> = grouper
            .changes(&changes)
            .into_iter()
            .filter(|change| !change.initialiser)
            .filter_map(|change| Some((change.id, Grown::of(change.bytes, change.blocks)?)))
            .collect();
        let grown: Grown = groups.iter().map(|(_, grown)| *grown).sum();
        drop(measurement);
        // The result is the caller's to keep, and is not traced.
        let _pause = Pause::of(table);
        let mut statistics: Vec<Statistic> = groups
            .iter()
            .map(|(id, grown)| Statistic {
                traceback: Traceback::from(grouper.get(*id)),
                size: grown.bytes,
                count: grown.blocks,
                size_error: 0,
            })
            .collect();
        sort_by(&mut statistics, |a, b| {
            (b.size, b.count, &a.traceback).cmp(&(a.size, a.count, &b.traceback))
        });
        let Grown { bytes, blocks } = grown;
        let (total, allocations) = (spent.bytes, spent.blocks);
        Ok((value, Self { bytes, blocks, peak, total, allocations, statistics }))
    }
}

impl From<&judge::Traceback> for Traceback {
    fn from(found: &judge::Traceback) -> Self {
        let frames = found.traceback.iter().map(|symbol| {
            Frame::new(symbol.file.as_str(), symbol.line)
                .with_function(symbol.function.as_str())
                .with_column(symbol.column)
        });
        Self::new(frames.collect::<Vec<Frame>>(), Some(found.total_nframe))
    }
}
