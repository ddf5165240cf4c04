//! The frames of one allocation, oldest first, and their texts.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::model::frame::Frame;
#[cfg(feature = "symbolize")]
use crate::model::linecache::Sources;

/// The stack of an allocation: at least one [`Frame`], **oldest first**, most recent last.
///
/// It derefs to `[Frame]`, so it has `len()`, `[i]`, slices, `iter()`, `contains()` and the like.
///
/// Equality, order and hash are those of the frames, from the oldest on (a prefix is smaller);
/// `total_nframe` takes no part. `Display` is Python's `str()`, which names the **oldest** frame
/// only; `Debug` is Python's `repr()`. A clone costs one reference count.
///
/// Python: `tracemalloc.Traceback`, which is a sequence too.
///
/// ```
/// use tracemalloc::{Frame, Traceback};
///
/// let traceback = Traceback::new([Frame::new("main.rs", 9), Frame::new("cache.rs", 12)], Some(40));
/// assert_eq!(traceback.len(), 2);
/// assert_eq!(traceback[0].filename(), "main.rs");
/// assert_eq!(traceback.last(), Some(&Frame::new("cache.rs", 12)));
/// assert_eq!(traceback.to_string(), "main.rs:9");
/// assert!(traceback > Traceback::new([Frame::new("main.rs", 9)], None));
/// for frame in &traceback {
///     println!("{frame}");
/// }
/// ```
#[derive(Clone)]
pub struct Traceback(Arc<Inner>);

/// Behind one pointer, because every block has a traceback.
struct Inner {
    /// Never empty.
    frames: Arc<[Frame]>,
    total_nframe: Option<u32>,
}

impl Traceback {
    /// A traceback of these frames, **oldest first**. Python's constructor takes them most recent
    /// first.
    ///
    /// `total_nframe` is the number of frames before the cut to the limit, `None` if it is unknown.
    /// Without frames, the traceback has the one frame [`Frame::unknown`], as in Python for a stack
    /// that cannot be read.
    ///
    /// ```
    /// use tracemalloc::{Frame, Traceback};
    ///
    /// let traceback = Traceback::new(vec![Frame::new("main.rs", 9)], None);
    /// assert_eq!(format!("{traceback:?}"), "<Traceback (<Frame filename='main.rs' lineno=9>,)>");
    /// assert_eq!(Traceback::new([], None).to_string(), "<unknown>:0");
    /// ```
    pub fn new(frames: impl Into<Arc<[Frame]>>, total_nframe: Option<u32>) -> Traceback {
        let mut frames = frames.into();
        if frames.is_empty() {
            frames = Arc::new([Frame::unknown()]);
        }
        Traceback(Arc::new(Inner { frames, total_nframe }))
    }

    /// The number of frames before the cut to the limit. `None` for the tracebacks of statistics,
    /// which may stand for stacks of several depths.
    ///
    /// Python: `Traceback.total_nframe`.
    ///
    /// ```
    /// use tracemalloc::{Frame, Traceback};
    ///
    /// assert_eq!(Traceback::new([Frame::new("main.rs", 9)], Some(7)).total_nframe(), Some(7));
    /// ```
    pub fn total_nframe(&self) -> Option<u32> {
        self.0.total_nframe
    }

    /// The traceback as lines without newlines: `  File "F", line N` for each frame, followed by
    /// `    LINE` if the source is readable.
    ///
    /// A positive `limit` keeps that many most recent frames. A negative one *drops* `-limit` most
    /// recent frames, as Python does and does not document. 0 keeps none, `None` keeps all. The
    /// lines are oldest frame first, or with `most_recent_first` most recent frame first.
    ///
    /// Source lines are read from disk, and kept for the life of the process.
    /// [`format_with`](Self::format_with) reads them from elsewhere.
    ///
    /// Python: `Traceback.format`.
    ///
    /// ```
    /// use tracemalloc::{Frame, Traceback};
    ///
    /// let traceback = Traceback::new([Frame::new("<a>", 1), Frame::new("<b>", 2)], None);
    /// assert_eq!(traceback.format(Some(1), false), [r#"  File "<b>", line 2"#]);
    /// assert_eq!(traceback.format(Some(-1), false), [r#"  File "<a>", line 1"#]);
    /// ```
    #[cfg(feature = "symbolize")]
    pub fn format(&self, limit: Option<i64>, most_recent_first: bool) -> Vec<String> {
        Sources::with_shared(|sources| self.format_with(sources, limit, most_recent_first))
    }

    /// [`format`](Self::format) with source lines from `sources`. Not in Python.
    ///
    /// ```
    /// use tracemalloc::{Frame, Sources, Traceback};
    ///
    /// let mut sources = Sources::new();
    /// sources.insert("demo.rs", "fn main() {\n    let page = vec![0u8; 4096];\n}\n");
    /// let traceback = Traceback::new([Frame::new("demo.rs", 2)], None);
    /// assert_eq!(
    ///     traceback.format_with(&mut sources, None, false),
    ///     [r#"  File "demo.rs", line 2"#, "    let page = vec![0u8; 4096];"],
    /// );
    /// ```
    #[cfg(feature = "symbolize")]
    pub fn format_with(
        &self,
        sources: &mut Sources,
        limit: Option<i64>,
        most_recent_first: bool,
    ) -> Vec<String> {
        let frames = self.limited(limit);
        let mut lines = Vec::with_capacity(2 * frames.len());
        let mut show = |frame: &Frame| {
            let (filename, lineno) = (frame.filename(), frame.lineno());
            lines.push(format!("  File \"{filename}\", line {lineno}"));
            if let Some(line) = sources.line(filename, lineno) {
                lines.push(format!("    {line}"));
            }
        };
        if most_recent_first {
            frames.iter().rev().for_each(&mut show);
        } else {
            frames.iter().for_each(&mut show);
        }
        lines
    }

    #[cfg(feature = "symbolize")]
    fn limited(&self, limit: Option<i64>) -> &[Frame] {
        let Some(limit) = limit else {
            return self;
        };
        let nframe = usize::try_from(limit.unsigned_abs()).unwrap_or(usize::MAX);
        if limit > 0 {
            &self[self.len().saturating_sub(nframe)..]
        } else if limit < 0 {
            &self[..self.len().saturating_sub(nframe)]
        } else {
            &[]
        }
    }

    /// The frame that allocated. Filters and all key types but `traceback` look only at it.
    pub(crate) fn most_recent(&self) -> &Frame {
        self.last().expect("a traceback has at least one frame")
    }

    /// The same frames, without a `total_nframe`.
    #[cfg(feature = "symbolize")]
    pub(crate) fn without_total(&self) -> Traceback {
        Traceback::new(Arc::clone(&self.0.frames), None)
    }

    /// Whether both have the same frames in memory, and not only equal ones.
    pub(crate) fn is_clone_of(&self, other: &Traceback) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The address of the list of frames. Clones of one traceback have one address. Two tracebacks
    /// with different addresses may still be equal frame by frame.
    pub(crate) fn address(&self) -> *const Frame {
        self.as_ptr()
    }
}

impl Deref for Traceback {
    type Target = [Frame];

    fn deref(&self) -> &[Frame] {
        &self.0.frames
    }
}

impl<'a> IntoIterator for &'a Traceback {
    type Item = &'a Frame;
    type IntoIter = std::slice::Iter<'a, Frame>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Traceback {
    fn eq(&self, other: &Traceback) -> bool {
        self.is_clone_of(other) || self.0.frames == other.0.frames
    }
}

impl Eq for Traceback {}

impl PartialOrd for Traceback {
    fn partial_cmp(&self, other: &Traceback) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Traceback {
    fn cmp(&self, other: &Traceback) -> Ordering {
        self.0.frames.cmp(&other.0.frames)
    }
}

impl Hash for Traceback {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.frames.hash(state);
    }
}

impl fmt::Display for Traceback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self[0].fmt(f)
    }
}

impl fmt::Debug for Traceback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<Traceback (")?;
        for (index, frame) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{frame:?}")?;
        }
        // Python writes a tuple of one with a comma.
        f.write_str(if self.len() == 1 { ",)" } else { ")" })?;
        if let Some(total_nframe) = self.0.total_nframe {
            write!(f, " total_nframe={total_nframe}")?;
        }
        f.write_str(">")
    }
}
