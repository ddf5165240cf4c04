//! One frame of a traceback: a line of source.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::model::repr::Repr;

/// One frame of a [`Traceback`](crate::Traceback): a file name and a line, and the function and
/// column if they are known.
///
/// Equality, order and hash are those of file name (by code point) and line. Function and column
/// take no part: they are annotations that Python's frames do not have.
///
/// Python: `tracemalloc.Frame`.
///
/// `Display` is `file:line`, `Debug` is Python's `repr()`. A clone costs one reference count.
///
/// ```
/// use tracemalloc::Frame;
///
/// let frame = Frame::new("src/cache.rs", 12).with_function("demo::Cache::fill").with_column(17);
/// assert_eq!(frame.to_string(), "src/cache.rs:12");
/// assert_eq!(format!("{frame:?}"), "<Frame filename='src/cache.rs' lineno=12>");
/// assert_eq!(frame, Frame::new("src/cache.rs", 12));
/// assert!(frame < Frame::new("src/cache.rs", 13));
/// ```
#[derive(Clone)]
pub struct Frame(Arc<Inner>);

/// Behind one pointer, because very many tracebacks share a few frames.
#[derive(Clone)]
struct Inner {
    filename: Arc<str>,
    function: Option<Arc<str>>,
    lineno: u32,
    column: Option<u32>,
}

impl Frame {
    /// A frame without function and column. Lines count from 1; 0 is an unknown line.
    ///
    /// Frames of one file share its name if they get clones of one `Arc<str>`.
    ///
    /// ```
    /// let frame = tracemalloc::Frame::new("src/main.rs", 3);
    /// assert_eq!((frame.filename(), frame.lineno()), ("src/main.rs", 3));
    /// ```
    pub fn new(filename: impl Into<Arc<str>>, lineno: u32) -> Frame {
        Frame(Arc::new(Inner { filename: filename.into(), function: None, lineno, column: None }))
    }

    /// The frame for an unknown function: `<unknown>:0`.
    ///
    /// ```
    /// assert_eq!(tracemalloc::Frame::unknown().to_string(), "<unknown>:0");
    /// ```
    pub fn unknown() -> Frame {
        Frame::new("<unknown>", 0)
    }

    /// The same frame, with the demangled name of its function.
    ///
    /// ```
    /// let frame = tracemalloc::Frame::new("src/main.rs", 3).with_function("demo::main");
    /// assert_eq!(frame.function(), Some("demo::main"));
    /// ```
    #[must_use]
    pub fn with_function(mut self, function: impl Into<Arc<str>>) -> Frame {
        Arc::make_mut(&mut self.0).function = Some(function.into());
        self
    }

    /// The same frame, with the column, from 1.
    ///
    /// ```
    /// let frame = tracemalloc::Frame::new("src/main.rs", 3).with_column(9);
    /// assert_eq!(frame.column(), Some(9));
    /// ```
    #[must_use]
    pub fn with_column(mut self, column: u32) -> Frame {
        Arc::make_mut(&mut self.0).column = Some(column);
        self
    }

    /// The file's name, as in the debug information. If only the function is known, it is
    /// `<demo::Cache::fill>`; if nothing is known, it is `<unknown>`.
    ///
    /// ```
    /// assert_eq!(tracemalloc::Frame::new("src/main.rs", 3).filename(), "src/main.rs");
    /// ```
    pub fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The line, from 1; 0 if it is unknown.
    ///
    /// ```
    /// assert_eq!(tracemalloc::Frame::new("src/main.rs", 3).lineno(), 3);
    /// ```
    pub fn lineno(&self) -> u32 {
        self.0.lineno
    }

    /// The function's name; `None` if it is unknown. Not in Python.
    ///
    /// ```
    /// assert_eq!(tracemalloc::Frame::new("src/main.rs", 3).function(), None);
    /// ```
    pub fn function(&self) -> Option<&str> {
        self.0.function.as_deref()
    }

    /// The column, from 1; `None` if it is unknown. Not in Python.
    ///
    /// ```
    /// assert_eq!(tracemalloc::Frame::new("src/main.rs", 3).column(), None);
    /// ```
    pub fn column(&self) -> Option<u32> {
        self.0.column
    }

    /// The frame of a group with the key type `filename`: this frame's file, at line 0.
    #[cfg(feature = "symbolize")]
    pub(crate) fn file_only(&self) -> Frame {
        Frame::new(Arc::clone(&self.0.filename), 0)
    }

    fn key(&self) -> (&str, u32) {
        (self.filename(), self.lineno())
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Frame) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.key() == other.key()
    }
}

impl Eq for Frame {}

impl PartialOrd for Frame {
    fn partial_cmp(&self, other: &Frame) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Frame {
    /// Bytes of UTF-8 sort as code points do, so `str`'s own order is Python's.
    fn cmp(&self, other: &Frame) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.key().cmp(&other.key())
    }
}

impl Hash for Frame {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.filename(), self.lineno())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filename = Repr(self.filename());
        write!(f, "<Frame filename={filename} lineno={}>", self.lineno())
    }
}
