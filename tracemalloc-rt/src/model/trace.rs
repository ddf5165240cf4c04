//! One block of a snapshot.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::model::format_size::format_size;
use crate::model::traceback::Traceback;

/// A live block of memory: its domain, its size in bytes and its traceback.
///
/// Equality and hash are those of domain, size, frames and, unlike those of a [`Traceback`],
/// `total_nframe`. `Display` is Python's `str()`, `Debug` its `repr()`.
///
/// Python: `tracemalloc.Trace`.
///
/// ```
/// use tracemalloc::{Frame, Trace, Traceback};
///
/// let traceback = Traceback::new([Frame::new("b.rs", 4)], Some(1));
/// let trace = Trace::new(0, 10, traceback.clone());
/// assert_eq!(trace.to_string(), "b.rs:4: 10 B");
/// assert_eq!(
///     format!("{trace:?}"),
///     "<Trace domain=0 size=10 B, traceback=<Traceback (<Frame filename='b.rs' lineno=4>,) total_nframe=1>>",
/// );
/// assert_ne!(trace, Trace::new(1, 10, traceback));
/// ```
#[derive(Clone)]
pub struct Trace {
    domain: u32,
    size: u64,
    traceback: Traceback,
}

impl Trace {
    /// A trace of a block of `size` bytes. Domain 0 is that of the program's global allocator.
    ///
    /// Statistics and filters are faster if all blocks of one stack have clones of one traceback.
    ///
    /// ```
    /// use tracemalloc::{Frame, Trace, Traceback};
    ///
    /// let trace = Trace::new(0, 4096, Traceback::new([Frame::new("b.rs", 4)], None));
    /// assert_eq!(trace.size(), 4096);
    /// ```
    pub fn new(domain: u32, size: u64, traceback: Traceback) -> Trace {
        Trace { domain, size, traceback }
    }

    /// The domain of the block: 0 for the global allocator, others for [`track`](crate::track).
    ///
    /// ```
    /// use tracemalloc::{Trace, Traceback};
    ///
    /// assert_eq!(Trace::new(7, 4096, Traceback::new([], None)).domain(), 7);
    /// ```
    pub fn domain(&self) -> u32 {
        self.domain
    }

    /// The block's size in bytes, as the program requested it.
    ///
    /// ```
    /// use tracemalloc::{Trace, Traceback};
    ///
    /// assert_eq!(Trace::new(0, 4096, Traceback::new([], None)).size(), 4096);
    /// ```
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The stack that allocated the block, oldest frame first.
    ///
    /// ```
    /// use tracemalloc::{Frame, Trace, Traceback};
    ///
    /// let traceback = Traceback::new([Frame::new("b.rs", 4)], None);
    /// assert_eq!(Trace::new(0, 4096, traceback.clone()).traceback(), &traceback);
    /// ```
    pub fn traceback(&self) -> &Traceback {
        &self.traceback
    }

    fn key(&self) -> (u32, u64, Option<u32>, &Traceback) {
        let total_nframe = self.traceback.total_nframe();
        (self.domain, self.size, total_nframe, &self.traceback)
    }
}

impl PartialEq for Trace {
    fn eq(&self, other: &Trace) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Trace {}

impl Hash for Trace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = format_size(self.size as f64, false);
        write!(f, "{}: {size}", self.traceback)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = format_size(self.size as f64, false);
        let (domain, traceback) = (self.domain, &self.traceback);
        write!(f, "<Trace domain={domain} size={size}, traceback={traceback:?}>")
    }
}
