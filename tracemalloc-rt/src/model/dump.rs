//! Writes snapshots to files. `load` reads them; `docs/snapshot.md` describes the format.
//!
//! The JSON is written by hand. The code is injected into other programs, where serde_json's
//! implementations of `PartialEq` for primitive types would make `assert_eq!(numbers, [])`
//! ambiguous. Apart from names, the tables are only numbers.

use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustc_hash::FxHashMap;

use crate::model::frame::Frame;
use crate::model::held_memory::HeldRow;
use crate::model::intern::Interner;
use crate::model::snapshot::Snapshot;
use crate::model::traceback::Traceback;

/// The name of the format, in the file.
pub(crate) const FORMAT: &str = "tracemalloc snapshot";
/// The version of the format. It goes up if a reader of the last version would misunderstand the
/// file.
pub(crate) const VERSION: u64 = 1;
/// File name, line, function, column: names by number.
pub(crate) type FrameRow = (u32, u32, Option<u32>, Option<u32>);

/// A snapshot could not be written. The message names the file. The cause is the error's
/// `source()`, an [`io::Error`].
///
/// ```
/// use std::error::Error;
///
/// let error = tracemalloc::Snapshot::new(vec![], 1).dump("/no/such/directory/x.json").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#"the snapshot "/no/such/directory/x.json" cannot be written"#,
/// );
/// assert!(error.source().is_some());
/// ```
#[derive(Debug)]
pub struct DumpError {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for DumpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the snapshot {:?} cannot be written", self.path)
    }
}

impl Error for DumpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl Snapshot {
    /// Writes the snapshot to a file, in the format of `docs/snapshot.md` in the repository.
    /// Readers see the old file or the new one, never a part. The new file is written beside the
    /// old one, flushed to disk and renamed.
    ///
    /// Python: `Snapshot.dump`, which writes another format.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. The error names it. An old file stays as it was.
    ///
    /// ```
    /// use tracemalloc::{Snapshot, Trace, Traceback};
    ///
    /// let path = std::env::temp_dir().join(format!("tracemalloc-doc-dump-{}.json", std::process::id()));
    /// let snapshot = Snapshot::new(vec![Trace::new(0, 10, Traceback::new([], None))], 1);
    /// snapshot.dump(&path)?;
    /// assert_eq!(Snapshot::load(&path)?, snapshot);
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dump(&self, path: impl AsRef<Path>) -> Result<(), DumpError> {
        self::dump(self, path.as_ref())
    }
}

pub(crate) fn dump(snapshot: &Snapshot, path: &Path) -> Result<(), DumpError> {
    write_atomically(path, |out| write_snapshot(snapshot, out))
        .map_err(|error| DumpError { path: path.to_owned(), error })
}

/// Writes a file beside the target, and renames it to the target once it is whole and on disk.
fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let (temporary, file) = create_beside(path)?;
    let mut out = BufWriter::new(file);
    let written = write(&mut out)
        .and_then(|()| out.into_inner().map_err(io::IntoInnerError::into_error))
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report. Removing may fail for the same reason.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// A new file in the same directory, because renaming does not cross file systems.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let temporary = path.with_file_name(format!(".tracemalloc-{process}-{number}.tmp"));
        match File::create_new(&temporary) {
            // A file of an earlier process with the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (temporary, file)),
        }
    }
}

fn write_snapshot(snapshot: &Snapshot, out: &mut impl Write) -> io::Result<()> {
    let mut tables = Tables::new();
    let traceback_ids: Vec<u32> =
        snapshot.traces().iter().map(|trace| tables.traceback_id(trace.traceback())).collect();

    write!(out, "{{\n\"format\": \"{FORMAT}\",\n\"version\": {VERSION},\n")?;
    writeln!(out, "\"traceback_limit\": {},", snapshot.traceback_limit())?;
    if let Some(interval) = snapshot.sample_interval() {
        writeln!(out, "\"sample_interval\": {interval},")?;
    }
    write_table(out, "filenames", tables.filenames.into_items(), write_name)?;
    out.write_all(b",\n")?;
    write_table(out, "functions", tables.functions.into_items(), write_name)?;
    out.write_all(b",\n")?;
    write_table(out, "frames", tables.frames.into_items(), |out, frame| {
        let (filename, lineno, function, column): FrameRow = frame;
        write!(out, "[{filename},{lineno},{},{}]", OrNull(function), OrNull(column))
    })?;
    out.write_all(b",\n")?;
    write_table(out, "tracebacks", tables.tracebacks.into_items(), |out, frames| {
        for (index, frame) in frames.iter().enumerate() {
            let separator = if index == 0 { '[' } else { ',' };
            write!(out, "{separator}{frame}")?;
        }
        out.write_all(b"]")
    })?;
    out.write_all(b",\n")?;
    let traces = snapshot.traces().iter().zip(traceback_ids);
    write_table(out, "traces", traces, |out, (trace, traceback)| {
        let (domain, size) = (trace.domain(), trace.size());
        let total_nframe = OrNull(trace.traceback().total_nframe());
        write!(out, "[{domain},{size},{traceback},{total_nframe}]")
    })?;
    if let Some(held) = snapshot.held_memory() {
        out.write_all(b",\n")?;
        write_table(out, "holders", &held.rows, write_held)?;
        if let Some(note) = &held.note {
            out.write_all(b",\n\"holders_note\": ")?;
            write_name(out, note)?;
        }
    }
    out.write_all(b"\n}\n")
}

fn write_held(out: &mut impl Write, row: &HeldRow) -> io::Result<()> {
    let HeldRow { parent, place, bytes, blocks } = row;
    write!(out, "[{},\"{}\"", OrNull(*parent), place.kind.name())?;
    for text in [&place.name, &place.thread, &place.start, &place.file] {
        out.write_all(b",")?;
        match text {
            Some(text) => write_name(out, text)?,
            None => out.write_all(b"null")?,
        }
    }
    write!(out, ",{},{bytes},{blocks}]", OrNull(place.line))
}

/// Writes one row a line, so that files can be searched and compared.
fn write_table<W: Write, Row>(
    out: &mut W,
    name: &str,
    rows: impl IntoIterator<Item = Row>,
    mut write_row: impl FnMut(&mut W, Row) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, "\"{name}\": [")?;
    for (index, row) in rows.into_iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        write_row(out, row)?;
    }
    out.write_all(b"\n]")
}

/// Writes a JSON string. Only the characters that need it are escaped.
fn write_name(out: &mut impl Write, name: &str) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut rest = name;
    while let Some(place) = rest.find(|character| matches!(character, '"' | '\\' | '\0'..='\x1f')) {
        out.write_all(&rest.as_bytes()[..place])?;
        match rest.as_bytes()[place] {
            b'\n' => out.write_all(b"\\n")?,
            b'\t' => out.write_all(b"\\t")?,
            control @ 0..=0x1f => write!(out, "\\u{control:04x}")?,
            quoted => out.write_all(&[b'\\', quoted])?,
        }
        rest = &rest[place + 1..];
    }
    out.write_all(rest.as_bytes())?;
    out.write_all(b"\"")
}

/// A number, or `null` if it is unknown.
struct OrNull(Option<u32>);

impl fmt::Display for OrNull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => number.fmt(f),
            None => f.write_str("null"),
        }
    }
}

/// The names, frames and tracebacks of all traces, each once.
struct Tables<'a> {
    filenames: Interner<&'a str>,
    functions: Interner<&'a str>,
    frames: Interner<FrameRow>,
    /// The numbers of each traceback's frames.
    tracebacks: Interner<Box<[u32]>>,
    traceback_by_address: FxHashMap<*const Frame, u32>,
}

impl<'a> Tables<'a> {
    fn new() -> Tables<'a> {
        Tables {
            filenames: Interner::new(),
            functions: Interner::new(),
            frames: Interner::new(),
            tracebacks: Interner::new(),
            traceback_by_address: FxHashMap::default(),
        }
    }

    fn traceback_id(&mut self, traceback: &'a Traceback) -> u32 {
        if let Some(&id) = self.traceback_by_address.get(&traceback.address()) {
            return id;
        }
        let frames = traceback.iter().map(|frame| self.frame_id(frame)).collect();
        let id = self.tracebacks.id(frames);
        self.traceback_by_address.insert(traceback.address(), id);
        id
    }

    fn frame_id(&mut self, frame: &'a Frame) -> u32 {
        let filename = self.filenames.id(frame.filename());
        let function = frame.function().map(|function| self.functions.id(function));
        self.frames.id((filename, frame.lineno(), function, frame.column()))
    }
}
