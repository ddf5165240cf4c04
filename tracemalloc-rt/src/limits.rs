//! The limits and filters by which growth is measured and judged, for all interfaces.
//!
//! This is the one type for them. The attribute, the command line, the configuration and the
//! overrides for single tests all become [`Limits`]. One merge puts them over each other. It is
//! plain data: the judge compares growth with it.

use crate::model::domain::Domain;
use crate::model::key_type::KeyType;
#[cfg(feature = "_wire")]
use crate::util::wire::{WireValue, wire};

/// The frames that a traceback keeps by default.
const FRAMES: u32 = 16;

/// How much memory code may keep, and how this is measured. The options of `#[tracemalloc::check]`,
/// as a value.
///
/// By default, the code may keep nothing.
///
/// ```
/// use tracemalloc::Limits;
///
/// let mut names = Vec::new();
/// let limits = Limits::new().max_growth(1024).max_blocks(1);
/// tracemalloc::check(limits, || names.reserve_exact(10));
/// # names.push(1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "_json", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Limits {
    #[doc(hidden)]
    pub max_growth: Option<u64>,
    #[doc(hidden)]
    pub max_blocks: Option<u64>,
    #[doc(hidden)]
    pub max_peak: Option<u64>,
    #[doc(hidden)]
    pub max_allocations: Option<u64>,
    #[doc(hidden)]
    pub max_total: Option<u64>,
    /// Patterns of which one has to match; an empty list is any file.
    #[doc(hidden)]
    #[cfg_attr(feature = "_json", serde(serialize_with = "list"))]
    pub include: Option<Vec<String>>,
    /// Patterns of which none may match.
    #[doc(hidden)]
    #[cfg_attr(feature = "_json", serde(serialize_with = "list"))]
    pub exclude: Option<Vec<String>>,
    /// The languages whose blocks count.
    #[doc(hidden)]
    pub domain: Option<Domain>,
    #[doc(hidden)]
    pub frames: Option<u32>,
    #[doc(hidden)]
    pub runs: Option<u32>,
    #[doc(hidden)]
    pub key: Option<KeyType>,
    /// Why there is no verdict; `None` if there is one.
    #[doc(hidden)]
    pub skip: Option<String>,
}

#[cfg(feature = "_wire")]
wire!(struct Limits {
    max_growth, max_blocks, max_peak, max_allocations, max_total, include, exclude, domain,
    frames, runs, key, skip,
});

/// The growth that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "_json", derive(serde::Serialize, serde::Deserialize))]
pub struct Limit {
    /// Bytes a run.
    pub max_growth: u64,
    /// Blocks a run; `None` is without limit.
    pub max_blocks: Option<u64>,
}

#[cfg(feature = "_wire")]
wire!(struct Limit { max_growth, max_blocks });

/// A list that is not given is empty in JSON.
#[cfg(feature = "_json")]
fn list<S: serde::Serializer>(
    patterns: &Option<Vec<String>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(patterns.iter().flatten())
}

impl Limits {
    /// Limits that allow nothing to be kept.
    ///
    /// ```
    /// tracemalloc::check(tracemalloc::Limits::new(), || drop(vec![0_u8; 100]));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The most bytes that the code may keep; 0 if neither this nor
    /// [`max_blocks`](Self::max_blocks) is given.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().max_growth(64 * 1024);
    /// # let _ = limits;
    /// ```
    pub fn max_growth(mut self, bytes: u64) -> Self {
        self.max_growth = Some(bytes);
        self
    }

    /// The most blocks that the code may keep. Given alone, the blocks may be of any size.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().max_blocks(3);
    /// # let _ = limits;
    /// ```
    pub fn max_blocks(mut self, blocks: u64) -> Self {
        self.max_blocks = Some(blocks);
        self
    }

    /// The most bytes that may be live at once; without limit if it is not given.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().max_peak(10 * 1024 * 1024);
    /// # let _ = limits;
    /// ```
    pub fn max_peak(mut self, bytes: u64) -> Self {
        self.max_peak = Some(bytes);
        self
    }

    /// A budget: the most allocations that the code may make in its first run, freed or not;
    /// without limit if it is not given. A reallocation is an allocation of the new size.
    ///
    /// Allocations under code that runs once by nature (`OnceLock`, `LazyLock`, `thread_local!`,
    /// ...) do not count.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().max_allocations(2);
    /// let sum = tracemalloc::check(limits, || {
    ///     let numbers: Vec<u32> = (1..=4).collect();
    ///     numbers.iter().map(|number| number * 10).sum::<u32>()
    /// });
    /// assert_eq!(sum, 100);
    /// ```
    pub fn max_allocations(mut self, allocations: u64) -> Self {
        self.max_allocations = Some(allocations);
        self
    }

    /// A budget: the most bytes that all allocations of the first run may have together, freed or
    /// not; without limit if it is not given. It counts what
    /// [`max_allocations`](Self::max_allocations) counts.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().max_total(1024 * 1024);
    /// # let _ = limits;
    /// ```
    pub fn max_total(mut self, bytes: u64) -> Self {
        self.max_total = Some(bytes);
        self
    }

    /// Adds a pattern for files. Only blocks count whose most recent frame is in a file that
    /// matches one of the patterns. Patterns are Python's `fnmatch` and match the whole name:
    /// `src/lib.rs` in the workspace, `serde_json-1.0.154/src/de.rs` in a dependency.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().include("src/*").include("tests/*");
    /// # let _ = limits;
    /// ```
    pub fn include(mut self, pattern: &str) -> Self {
        self.include.get_or_insert_default().push(pattern.to_owned());
        self
    }

    /// Adds a pattern for files. Blocks whose most recent frame is in a file that matches it do not
    /// count.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().exclude("libfoo-*");
    /// # let _ = limits;
    /// ```
    pub fn exclude(mut self, pattern: &str) -> Self {
        self.exclude.get_or_insert_default().push(pattern.to_owned());
        self
    }

    /// The language whose blocks count; Rust's and C's if it is not given. Where C's memory is not
    /// traced, only Rust's count.
    ///
    /// ```
    /// use tracemalloc::{Domain, Limits};
    ///
    /// let limits = Limits::new().domain(Domain::Rust);
    /// # let _ = limits;
    /// ```
    pub fn domain(mut self, domain: Domain) -> Self {
        self.domain = Some(domain);
        self
    }

    /// The most frames of the program that a traceback keeps; 16 if it is not given.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().frames(25);
    /// # let _ = limits;
    /// ```
    pub fn frames(mut self, frames: u32) -> Self {
        self.frames = Some(frames);
        self
    }

    /// The most runs of code that grows. By default, the code runs for about half a second: often
    /// enough to tell a cache that fills from a leak. With 1, the first run decides.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().runs(1);
    /// # let _ = limits;
    /// ```
    pub fn runs(mut self, runs: u32) -> Self {
        self.runs = Some(runs);
        self
    }

    /// The key by which blocks are one growth; [`KeyType::Traceback`] if it is not given.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().key(tracemalloc::KeyType::Lineno);
    /// # let _ = limits;
    /// ```
    pub fn key(mut self, key: KeyType) -> Self {
        self.key = Some(key);
        self
    }
}

/// The merge, and the values that hold after it.
#[doc(hidden)]
impl Limits {
    /// These limits over `other` ones: each option of `other` holds only if it is not given here.
    pub fn over(self, other: Self) -> Self {
        Self {
            max_growth: self.max_growth.or(other.max_growth),
            max_blocks: self.max_blocks.or(other.max_blocks),
            max_peak: self.max_peak.or(other.max_peak),
            max_allocations: self.max_allocations.or(other.max_allocations),
            max_total: self.max_total.or(other.max_total),
            include: self.include.or(other.include),
            exclude: self.exclude.or(other.exclude),
            domain: self.domain.or(other.domain),
            frames: self.frames.or(other.frames),
            runs: self.runs.or(other.runs),
            key: self.key.or(other.key),
            skip: self.skip.or(other.skip),
        }
    }

    /// These limits without the options that are given in `other`.
    pub fn without(self, other: &Self) -> Self {
        Self {
            max_growth: self.max_growth.filter(|_| other.max_growth.is_none()),
            max_blocks: self.max_blocks.filter(|_| other.max_blocks.is_none()),
            max_peak: self.max_peak.filter(|_| other.max_peak.is_none()),
            max_allocations: self.max_allocations.filter(|_| other.max_allocations.is_none()),
            max_total: self.max_total.filter(|_| other.max_total.is_none()),
            include: self.include.filter(|_| other.include.is_none()),
            exclude: self.exclude.filter(|_| other.exclude.is_none()),
            domain: self.domain.filter(|_| other.domain.is_none()),
            frames: self.frames.filter(|_| other.frames.is_none()),
            runs: self.runs.filter(|_| other.runs.is_none()),
            key: self.key.filter(|_| other.key.is_none()),
            skip: self.skip.filter(|_| other.skip.is_none()),
        }
    }

    /// These limits as those of a check: bytes and blocks are one pair there, which replaces the
    /// pair below as a whole. A number that is not given is then without limit.
    pub fn as_check(mut self) -> Self {
        match (self.max_growth, self.max_blocks) {
            (Some(_), None) => self.max_blocks = Some(u64::MAX),
            (None, Some(_)) => self.max_growth = Some(u64::MAX),
            _ => {}
        }
        self
    }

    /// The growth that is allowed. `u64::MAX` blocks are without limit.
    pub fn limit(&self) -> Limit {
        Limit {
            max_growth: self.max_growth.unwrap_or(0),
            max_blocks: self.max_blocks.filter(|blocks| *blocks != u64::MAX),
        }
    }

    /// The languages whose blocks count, or their default.
    pub fn counted(&self) -> Domain {
        self.domain.unwrap_or(Domain::All)
    }

    /// The number of frames, or its default.
    pub fn frame_count(&self) -> u32 {
        self.frames.unwrap_or(FRAMES)
    }

    /// The key type, or its default.
    pub fn key_type(&self) -> KeyType {
        self.key.unwrap_or(KeyType::Traceback)
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Limits};
    use crate::model::domain::Domain;
    use crate::model::key_type::KeyType;

    fn all() -> Limits {
        Limits {
            skip: Some("why".to_owned()),
            ..Limits::new()
                .max_growth(1)
                .max_blocks(2)
                .max_peak(3)
                .max_allocations(6)
                .max_total(7)
                .include("a")
                .exclude("b")
                .domain(Domain::C)
                .frames(4)
                .runs(5)
                .key(KeyType::Lineno)
        }
    }

    #[test]
    fn each_option_of_the_upper_limits_holds() {
        let lower = Limits::new().max_growth(10).include("lower").exclude("lower").runs(50);
        assert_eq!(all().over(lower.clone()), all());
        assert_eq!(Limits::new().over(lower.clone()), lower);
        let merged = Limits::new().include("upper").max_blocks(7).over(lower.clone());
        assert_eq!(
            merged,
            lower.without(&Limits::new().include("")).include("upper").max_blocks(7)
        );
    }

    #[test]
    fn an_empty_list_is_given_and_a_missing_one_is_not() {
        let empty = Limits { include: Some(Vec::new()), ..Limits::new() };
        assert_eq!(empty.over(all()).include, Some(Vec::new()));
        assert_eq!(Limits::new().over(all()).include, Some(vec!["a".to_owned()]));
    }

    #[test]
    fn options_that_others_give_are_taken_away() {
        assert_eq!(all().without(&all()), Limits::new());
        assert_eq!(all().without(&Limits::new()), all());
        let without = all().without(&Limits::new().runs(1).key(KeyType::Filename));
        assert_eq!((without.runs, without.key, without.frames), (None, None, Some(4)));
    }

    #[test]
    fn the_numbers_of_a_check_replace_both_below() {
        let below = Limits::new().max_growth(1).max_blocks(1);
        let limit = |check: Limits| check.as_check().over(below.clone()).limit();
        assert_eq!(limit(Limits::new()), Limit { max_growth: 1, max_blocks: Some(1) });
        assert_eq!(limit(Limits::new().max_growth(3)), Limit { max_growth: 3, max_blocks: None });
        let blocks = Limit { max_growth: u64::MAX, max_blocks: Some(3) };
        assert_eq!(limit(Limits::new().max_blocks(3)), blocks);
    }

    #[cfg(all(feature = "_json", feature = "load"))]
    #[test]
    fn a_list_that_is_not_given_is_empty_in_json() {
        let json = serde_json::to_string(&Limits::new().exclude("b").key(KeyType::Lineno)).unwrap();
        let expected = "{\"max_growth\":null,\"max_blocks\":null,\"max_peak\":null,\
                        \"max_allocations\":null,\"max_total\":null,\"include\":[],\
                        \"exclude\":[\"b\"],\"domain\":null,\"frames\":null,\"runs\":null,\"key\":\"lineno\",\
                        \"skip\":null}";
        assert_eq!(json, expected);
    }
}
