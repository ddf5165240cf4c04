//! Filters that choose traces by file, line and domain. `fnmatch` defines the patterns.

use std::borrow::Cow;

use crate::model::frame::Frame;
use crate::model::traceback::Traceback;
use crate::util::fnmatch::Pattern;

/// A filter for [`Snapshot::filter_traces`](crate::Snapshot::filter_traces): a [`Filter`], a
/// [`DomainFilter`], or one of your own.
///
/// Results must depend on the arguments alone, because a snapshot remembers them.
///
/// Python: `tracemalloc.BaseFilter`.
///
/// ```
/// use tracemalloc::{BaseFilter, Traceback};
///
/// /// Keeps what was allocated more than so many frames deep.
/// struct Deep(u32);
///
/// impl BaseFilter for Deep {
///     fn inclusive(&self) -> bool {
///         true
///     }
///     fn matches(&self, _domain: u32, traceback: &Traceback) -> bool {
///         traceback.total_nframe().is_some_and(|total_nframe| total_nframe > self.0)
///     }
/// }
///
/// assert!(Deep(7).matches(0, &Traceback::new([], Some(8))));
/// ```
pub trait BaseFilter {
    /// Whether matching blocks are kept (`true`) or left out (`false`).
    fn inclusive(&self) -> bool;

    /// Whether a block of this domain and traceback matches. An exclusive filter matches the blocks
    /// that it leaves out.
    fn matches(&self, domain: u32, traceback: &Traceback) -> bool;
}

/// Whether the filters keep a block: some inclusive filter matches, or there is none, and no
/// exclusive filter matches.
pub(crate) fn keeps(filters: &[&dyn BaseFilter], domain: u32, traceback: &Traceback) -> bool {
    let some_match = |inclusive: bool| {
        let mut filters = filters.iter().filter(|filter| filter.inclusive() == inclusive);
        filters.any(|filter| filter.matches(domain, traceback))
    };
    let all_exclusive = filters.iter().all(|filter| !filter.inclusive());
    (all_exclusive || some_match(true)) && !some_match(false)
}

/// Matches blocks by the file name of a frame and, if they are given, by its line and by the
/// block's domain.
///
/// A block matches if its domain does, and if name and line match the *same* frame. The filter
/// looks at the most recent frame only, or with `all_frames` at every stored frame.
///
/// Python: `tracemalloc.Filter`.
///
/// Patterns are those of Python's `fnmatch`: `*` (slashes too), `?`, `[a-z]`, `[!a-z]`. There is no
/// escape character. They match the whole name. As in Python, a trailing `.pyc` counts as `.py` on
/// both sides. On Windows, case does not matter, and `/` is `\`.
///
/// ```
/// use tracemalloc::{BaseFilter, Filter, Frame, Traceback};
///
/// let traceback = Traceback::new([Frame::new("src/main.rs", 9), Frame::new("src/cache.rs", 12)], None);
/// assert!(Filter::new(true, "src/c*.rs").matches(0, &traceback));
/// assert!(!Filter::new(true, "src/main.rs").matches(0, &traceback));
/// assert!(Filter::new(true, "src/main.rs").with_all_frames(true).matches(0, &traceback));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Whether matching blocks are kept (`true`) or left out (`false`).
    pub inclusive: bool,
    /// The line that the frame must have; `None` is any line. `Some(0)` is line 0, and not any.
    pub lineno: Option<u32>,
    /// Whether the filter looks at every stored frame (`true`) or only at the most recent one
    /// (`false`).
    pub all_frames: bool,
    /// The domain that the block must have; `None` is any domain.
    pub domain: Option<u32>,
    filename_pattern: String,
    pattern: Pattern,
}

impl Filter {
    /// A filter for the file of the most recent frame, at any line, in any domain.
    ///
    /// ```
    /// use tracemalloc::Filter;
    ///
    /// let filter = Filter::new(false, "<unknown>");
    /// assert_eq!((filter.inclusive, filter.lineno, filter.domain), (false, None, None));
    /// ```
    pub fn new(inclusive: bool, filename_pattern: &str) -> Filter {
        let filename_pattern = normalize(filename_pattern).into_owned();
        Filter {
            inclusive,
            lineno: None,
            all_frames: false,
            domain: None,
            pattern: Pattern::new(&filename_pattern),
            filename_pattern,
        }
    }

    /// The same filter, for this line only.
    ///
    /// ```
    /// use tracemalloc::{BaseFilter, Filter, Frame, Traceback};
    ///
    /// let filter = Filter::new(true, "*.rs").with_lineno(12);
    /// assert!(filter.matches(0, &Traceback::new([Frame::new("src/cache.rs", 12)], None)));
    /// assert!(!filter.matches(0, &Traceback::new([Frame::new("src/cache.rs", 13)], None)));
    /// ```
    #[must_use]
    pub fn with_lineno(self, lineno: u32) -> Filter {
        let lineno = Some(lineno);
        Filter { lineno, ..self }
    }

    /// The same filter, for every stored frame or only for the most recent one.
    ///
    /// ```
    /// assert!(tracemalloc::Filter::new(true, "*.rs").with_all_frames(true).all_frames);
    /// ```
    #[must_use]
    pub fn with_all_frames(self, all_frames: bool) -> Filter {
        Filter { all_frames, ..self }
    }

    /// The same filter, for blocks of this domain only.
    ///
    /// ```
    /// use tracemalloc::{BaseFilter, Filter, Traceback};
    ///
    /// let filter = Filter::new(true, "*").with_domain(1);
    /// assert!(filter.matches(1, &Traceback::new([], None)));
    /// assert!(!filter.matches(0, &Traceback::new([], None)));
    /// ```
    #[must_use]
    pub fn with_domain(self, domain: u32) -> Filter {
        let domain = Some(domain);
        Filter { domain, ..self }
    }

    /// The pattern, normalised like the names that it is compared with.
    ///
    /// ```
    /// assert_eq!(tracemalloc::Filter::new(true, "*.pyc").filename_pattern(), "*.py");
    /// ```
    pub fn filename_pattern(&self) -> &str {
        &self.filename_pattern
    }

    /// Whether the pattern can match a file name at all.
    ///
    /// ```
    /// use tracemalloc::Filter;
    ///
    /// assert!(Filter::new(true, "src/[a-z]*").can_match());
    /// assert!(!Filter::new(true, "src/[z-a]*").can_match());
    /// ```
    pub fn can_match(&self) -> bool {
        self.pattern.can_match()
    }

    fn matches_frame(&self, frame: &Frame) -> bool {
        let line_matches = self.lineno.is_none_or(|lineno| lineno == frame.lineno());
        line_matches && self.pattern.matches(&normalize(frame.filename()))
    }
}

impl BaseFilter for Filter {
    fn inclusive(&self) -> bool {
        self.inclusive
    }

    fn matches(&self, domain: u32, traceback: &Traceback) -> bool {
        if self.domain.is_some_and(|expected| expected != domain) {
            return false;
        }
        if self.all_frames {
            traceback.iter().any(|frame| self.matches_frame(frame))
        } else {
            self.matches_frame(traceback.most_recent())
        }
    }
}

/// Matches blocks by their domain.
///
/// Python: `tracemalloc.DomainFilter`.
///
/// ```
/// use tracemalloc::{BaseFilter, DomainFilter, Traceback};
///
/// let filter = DomainFilter::new(true, 7);
/// assert!(filter.matches(7, &Traceback::new([], None)));
/// assert!(!filter.matches(0, &Traceback::new([], None)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DomainFilter {
    /// Whether matching blocks are kept (`true`) or left out (`false`).
    pub inclusive: bool,
    domain: u32,
}

impl DomainFilter {
    /// A filter for blocks of this domain.
    ///
    /// ```
    /// assert!(!tracemalloc::DomainFilter::new(false, 7).inclusive);
    /// ```
    pub fn new(inclusive: bool, domain: u32) -> DomainFilter {
        DomainFilter { inclusive, domain }
    }

    /// The domain that the block must have.
    ///
    /// ```
    /// assert_eq!(tracemalloc::DomainFilter::new(true, 7).domain(), 7);
    /// ```
    pub fn domain(&self) -> u32 {
        self.domain
    }
}

impl BaseFilter for DomainFilter {
    fn inclusive(&self) -> bool {
        self.inclusive
    }

    fn matches(&self, domain: u32, _traceback: &Traceback) -> bool {
        domain == self.domain
    }
}

/// A name or a pattern in the form in which they are compared.
fn normalize(name: &str) -> Cow<'_, str> {
    let mut name = Cow::Borrowed(name);
    if cfg!(windows) {
        name = Cow::Owned(name.to_lowercase().replace('/', "\\"));
    }
    if name.ends_with(".pyc") {
        let end = name.len() - 1;
        match &mut name {
            Cow::Borrowed(name) => *name = &name[..end],
            Cow::Owned(name) => name.truncate(end),
        }
    }
    name
}
