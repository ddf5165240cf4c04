//! Lines of source files, read once, for tracebacks. In Python this is the module `linecache`.
//!
//! Unlike in `linecache`, lines end at `\n` alone, because rustc counts them like that.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::os::fork::ForkLock;

/// Source files by name, read on first use and remembered, changed or not.
///
/// Relative names are looked up from the current directory, and then from each root in turn
/// (Python: `sys.path`). Names like `<unknown>` have no source. Neither have files that are not
/// regular, not UTF-8, or above 64 MiB.
///
/// Python: the module `linecache`.
///
/// ```
/// use tracemalloc::Sources;
///
/// let mut sources = Sources::new();
/// sources.insert("demo.rs", "fn main() {\n    work();\n}\n");
/// assert_eq!(sources.line("demo.rs", 2), Some("work();"));
/// assert_eq!(sources.line("demo.rs", 9), None);
/// assert_eq!(sources.line("<unknown>", 1), None);
/// ```
#[derive(Debug, Default)]
pub struct Sources {
    in_memory: bool,
    roots: Vec<PathBuf>,
    /// `None` for a name that has no source.
    files: HashMap<String, Option<Lines>>,
}

/// The largest source that is read. A name may come from a snapshot file of unknown origin, and
/// must not make the process read without end.
const MAX_SOURCE_SIZE: u64 = 64 << 20;

impl Sources {
    /// Sources without roots. No file is read yet.
    ///
    /// ```
    /// assert_eq!(tracemalloc::Sources::new().line("no/such/file.rs", 1), None);
    /// ```
    pub fn new() -> Sources {
        Sources::default()
    }

    /// Sources with inserted files only, whatever is on disk. For tests.
    ///
    /// ```
    /// let mut sources = tracemalloc::Sources::in_memory();
    /// assert_eq!(sources.line(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs"), 1), None);
    /// ```
    pub fn in_memory() -> Sources {
        Sources { in_memory: true, ..Sources::default() }
    }

    /// Adds a directory for relative names. Names that were looked up before keep their result.
    ///
    /// ```
    /// let mut sources = tracemalloc::Sources::new();
    /// sources.add_root(env!("CARGO_MANIFEST_DIR"));
    /// assert!(sources.line("src/lib.rs", 1).is_some());
    /// ```
    pub fn add_root(&mut self, root: impl Into<PathBuf>) {
        self.roots.push(root.into());
    }

    /// Sets the text of a file, which is then not read from disk.
    ///
    /// ```
    /// let mut sources = tracemalloc::Sources::new();
    /// sources.insert("<generated>", "let x = 1;");
    /// assert_eq!(sources.line("<generated>", 1), Some("let x = 1;"));
    /// ```
    pub fn insert(&mut self, filename: impl Into<String>, text: impl Into<String>) {
        let lines = Lines::new(text.into());
        self.files.insert(filename.into(), Some(lines));
    }

    /// The line, from 1, without the white space around it (Python: `str.strip`). `None` if the
    /// file or the line does not exist, or the line is blank.
    ///
    /// ```
    /// let mut sources = tracemalloc::Sources::new();
    /// sources.insert("demo.rs", "\n\tx\n");
    /// assert_eq!(sources.line("demo.rs", 1), None);
    /// assert_eq!(sources.line("demo.rs", 2), Some("x"));
    /// ```
    pub fn line(&mut self, filename: &str, lineno: u32) -> Option<&str> {
        if !self.files.contains_key(filename) {
            let lines = self.read(filename).map(Lines::new);
            self.files.insert(filename.to_owned(), lines);
        }
        let lines = self.files.get(filename)?.as_ref()?;
        let line = lines.get(lineno)?.trim_matches(is_python_space);
        (!line.is_empty()).then_some(line)
    }

    /// Uses the process's sources, which [`Traceback::format`](crate::Traceback::format) reads
    /// from.
    pub(crate) fn with_shared<R>(use_them: impl FnOnce(&mut Self) -> R) -> R {
        static SHARED: ForkLock<Option<Sources>> = ForkLock::new(None);
        SHARED.with(|sources| use_them(sources.get_or_insert_default()))
    }

    fn read(&self, filename: &str) -> Option<String> {
        let has_no_source = filename.starts_with('<') && filename.ends_with('>');
        if self.in_memory || has_no_source || filename.is_empty() {
            return None;
        }
        // Joined to a root, an absolute name stays itself.
        let in_roots = self.roots.iter().map(|root| root.join(filename));
        std::iter::once(PathBuf::from(filename)).chain(in_roots).find_map(|path| read_source(&path))
    }
}

fn read_source(path: &Path) -> Option<String> {
    // This comes before opening, because opening a named pipe waits for its writer.
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > MAX_SOURCE_SIZE {
        return None;
    }
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(MAX_SOURCE_SIZE).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Whether Python's `str.strip` removes a character: Unicode's white space and the four separators
/// U+001C to U+001F.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// The text of a file, and the beginnings of its lines.
#[derive(Debug)]
struct Lines {
    text: String,
    starts: Vec<usize>,
}

impl Lines {
    fn new(text: String) -> Lines {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(index, _)| index + 1))
            .collect();
        Lines { text, starts }
    }

    fn get(&self, lineno: u32) -> Option<&str> {
        let index = usize::try_from(lineno).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied();
        Some(&self.text[start..end.unwrap_or(self.text.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::{Sources, is_python_space};

    #[test]
    fn white_space_is_what_python_strips() {
        // [c for c in range(0x110000) if chr(c).isspace()] of CPython 3.11
        let expected = [
            0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000,
            0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028,
            0x2029, 0x202f, 0x205f, 0x3000,
        ];
        let spaces: Vec<u32> =
            ('\0'..=char::MAX).filter(|&c| is_python_space(c)).map(u32::from).collect();
        assert_eq!(spaces, expected);
    }

    #[test]
    fn lines_are_those_that_rustc_counts() {
        let mut sources = Sources::new();
        sources.insert("a.rs", "one\r\ntwo\rstill two\n\u{1c} four? no, three \u{1f}");
        let mut line = |lineno| sources.line("a.rs", lineno).map(str::to_owned);
        assert_eq!(line(0), None);
        assert_eq!(line(1).as_deref(), Some("one"));
        assert_eq!(line(2).as_deref(), Some("two\rstill two"));
        assert_eq!(line(3).as_deref(), Some("four? no, three"));
        assert_eq!(line(4), None);
        assert_eq!(line(u32::MAX), None);
    }

    #[test]
    fn files_are_found_from_roots_and_read_once() {
        let mut sources = Sources::new();
        sources.add_root("/no/such/root");
        sources.add_root(env!("CARGO_MANIFEST_DIR"));
        let absolute = format!("{}/src/model/linecache.rs", env!("CARGO_MANIFEST_DIR"));
        let first = sources.line(&absolute, 1).map(str::to_owned);
        assert!(first.unwrap().starts_with("//! Lines of source files"));
        assert!(sources.line("src/model/linecache.rs", 1).is_some());
        sources.insert("src/model/linecache.rs", "replaced");
        assert_eq!(sources.line("src/model/linecache.rs", 1), Some("replaced"));
    }

    #[test]
    fn a_file_that_is_not_regular_has_no_source() {
        let mut sources = Sources::new();
        for filename in ["", "<stdin>", "/", "/dev/zero", "/no/such/file.rs", "nul\0.rs"] {
            assert_eq!(sources.line(filename, 1), None, "{filename:?}");
        }
    }
}
