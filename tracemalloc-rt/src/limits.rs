//! What a check allows, and how it measures: what the options of the attribute say.

use crate::model::key_type::KeyType;

/// What a check allows, and how it measures. The options of `#[tracemalloc::check]`, as a value.
///
/// What is not given is the default: nothing may be kept.
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
pub struct Limits {
    #[doc(hidden)]
    pub max_growth: Option<u64>,
    #[doc(hidden)]
    pub max_blocks: Option<u64>,
    #[doc(hidden)]
    pub max_peak: Option<u64>,
    #[doc(hidden)]
    pub include: Vec<String>,
    #[doc(hidden)]
    pub exclude: Vec<String>,
    #[doc(hidden)]
    pub frames: Option<u32>,
    #[doc(hidden)]
    pub runs: Option<u32>,
    #[doc(hidden)]
    pub key: Option<KeyType>,
    #[doc(hidden)]
    pub skip: Option<String>,
}

impl Limits {
    /// Nothing may be kept.
    ///
    /// ```
    /// tracemalloc::check(tracemalloc::Limits::new(), || drop(vec![0_u8; 100]));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// So many bytes may be kept. 0 where neither this nor [`max_blocks`](Self::max_blocks) is
    /// given.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().max_growth(64 * 1024);
    /// # let _ = limits;
    /// ```
    pub fn max_growth(mut self, bytes: u64) -> Self {
        self.max_growth = Some(bytes);
        self
    }

    /// So many blocks may be kept. Given alone, they may be of any size.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().max_blocks(3);
    /// # let _ = limits;
    /// ```
    pub fn max_blocks(mut self, blocks: u64) -> Self {
        self.max_blocks = Some(blocks);
        self
    }

    /// So many bytes may be live at once. Without limit where it is not given.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().max_peak(10 * 1024 * 1024);
    /// # let _ = limits;
    /// ```
    pub fn max_peak(mut self, bytes: u64) -> Self {
        self.max_peak = Some(bytes);
        self
    }

    /// Only blocks whose most recent frame is in a file that matches this pattern, or another one
    /// given, count. Patterns are Python's `fnmatch` and match the whole name: `src/lib.rs` in
    /// the workspace, `serde_json-1.0.154/src/de.rs` in a dependency.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().include("src/*").include("tests/*");
    /// # let _ = limits;
    /// ```
    pub fn include(mut self, pattern: &str) -> Self {
        self.include.push(pattern.to_owned());
        self
    }

    /// Blocks whose most recent frame is in a file that matches this pattern do not count.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().exclude("libfoo-*");
    /// # let _ = limits;
    /// ```
    pub fn exclude(mut self, pattern: &str) -> Self {
        self.exclude.push(pattern.to_owned());
        self
    }

    /// Tracebacks keep so many frames, of the program's; 16 where it is not given.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().frames(25);
    /// # let _ = limits;
    /// ```
    pub fn frames(mut self, frames: u32) -> Self {
        self.frames = Some(frames);
        self
    }

    /// Code that grew runs so often at most, and fails when it grew in every run; 8 where it is not
    /// given. With 1 its first run decides.
    ///
    /// ```
    /// let limits = tracemalloc::Limits::new().runs(1);
    /// # let _ = limits;
    /// ```
    pub fn runs(mut self, runs: u32) -> Self {
        self.runs = Some(runs);
        self
    }

    /// What blocks have in common that are one growth; [`KeyType::Traceback`] where it is not
    /// given.
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
