//! Reads snapshots from files. A file may come from anywhere. Whatever it contains, the result is a
//! snapshot or an error, and takes memory in proportion to the file's length.
//!
//! The file is read as a stream, with a visitor written by hand. A tree of JSON values of a million
//! traces takes ten times the memory, and deriving needs a macro crate.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_core::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny};
use serde_core::de::{MapAccess, Visitor};

use crate::model::dump::{FORMAT, FrameRow, VERSION};
use crate::model::frame::Frame;
use crate::model::held_memory::{HeldKind, HeldMemory, HeldPlace, HeldRow};
use crate::model::snapshot::Snapshot;
use crate::model::trace::Trace;
use crate::model::traceback::Traceback;

/// Domain, size, traceback by number, `total_nframe`.
type TraceRow = (u32, u64, u32, Option<u32>);

/// Parent, kind, name, thread, start function, file, line, bytes, blocks.
type HeldTuple = (
    Option<u32>,
    Box<str>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<u32>,
    u64,
    u64,
);

/// A snapshot could not be read. The message names the file. The reason is the error's `source()`.
///
/// ```
/// use tracemalloc::{LoadError, Snapshot};
///
/// let path = std::env::temp_dir().join(format!("tracemalloc-doc-load-{}.json", std::process::id()));
/// std::fs::write(&path, r#"{"format": "tracemalloc snapshot", "version": 99}"#)?;
/// let error = Snapshot::load(&path).unwrap_err();
/// std::fs::remove_file(&path)?;
/// assert!(matches!(error, LoadError::NewerVersion { version: 99, .. }));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The system could not read the file.
    #[non_exhaustive]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error, which is also the `source()`.
        error: io::Error,
    },
    /// A newer version of this crate wrote the file, in a format that this version does not know.
    #[non_exhaustive]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// The format's version.
        version: u64,
    },
    /// The file ends early.
    #[non_exhaustive]
    CutOff {
        /// The file.
        path: PathBuf,
        /// The section that was being read.
        section: Option<&'static str>,
        /// The line and column of the end. Also the `source()`.
        error: Box<dyn Error + Send + Sync>,
    },
    /// The file is not a snapshot, or is damaged.
    #[non_exhaustive]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The damaged section.
        section: Option<&'static str>,
        /// The fault and its place: line and column, or the row. Also the `source()`.
        error: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Read { path, .. }
        | Self::NewerVersion { path, .. }
        | Self::CutOff { path, .. }
        | Self::Malformed { path, .. }) = self;
        write!(f, "the snapshot {path:?} cannot be read")?;
        match self {
            Self::Read { .. } => Ok(()),
            Self::NewerVersion { version, .. } => write!(
                f,
                ": its format has version {version}, and this version of tracemalloc reads version \
                 {VERSION}"
            ),
            Self::CutOff { section: None, .. } => f.write_str(": the file is cut off"),
            Self::CutOff { section: Some(section), .. } => {
                write!(f, ": the file is cut off in its section {section:?}")
            }
            Self::Malformed { section: None, .. } => {
                f.write_str(": the file is not a snapshot, or is damaged")
            }
            Self::Malformed { section: Some(section), .. } => {
                write!(f, ": its section {section:?} is not that of a snapshot, or is damaged")
            }
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { error, .. } => Some(error),
            Self::CutOff { error, .. } | Self::Malformed { error, .. } => Some(&**error),
            Self::NewerVersion { .. } => None,
        }
    }
}

impl Snapshot {
    /// Reads a snapshot that [`dump`](Self::dump) wrote.
    ///
    /// Python: `Snapshot.load`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not a snapshot, is damaged, or has a newer format. The error
    /// names the file, and its `source()` the reason.
    ///
    /// ```
    /// let error = tracemalloc::Snapshot::load("/no/such/snapshot.json").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     r#"the snapshot "/no/such/snapshot.json" cannot be read"#,
    /// );
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<Snapshot, LoadError> {
        self::load(path.as_ref())
    }
}

pub(crate) fn load(path: &Path) -> Result<Snapshot, LoadError> {
    let read = |error| LoadError::Read { path: path.to_owned(), error };
    let file = File::open(path).map_err(read)?;
    let mut document = Document::default();
    if let Err(error) = document.read(BufReader::new(file)) {
        let (path, section) = (path.to_owned(), document.section);
        return Err(match document.newer_version {
            Some(version) => LoadError::NewerVersion { path, version },
            None if error.is_io() => read(error.into()),
            None if error.is_eof() => LoadError::CutOff { path, section, error: error.into() },
            None => LoadError::Malformed { path, section, error: error.into() },
        });
    }
    document.resolve().map_err(|(section, fault)| {
        let path = path.to_owned();
        LoadError::Malformed { path, section, error: fault.into() }
    })
}

/// A section, if there is one, and the fault.
type Fault = (Option<&'static str>, String);

/// The content of the file, with numbers for names, frames and tracebacks.
#[derive(Default)]
struct Document {
    /// The section that is being read, for messages.
    section: Option<&'static str>,
    /// The version, if reading stopped because it is newer.
    newer_version: Option<u64>,
    format: Option<String>,
    version: Option<u64>,
    traceback_limit: Option<u32>,
    /// Missing if the blocks were not sampled.
    sample_interval: Option<u64>,
    filenames: Option<Vec<Box<str>>>,
    functions: Option<Vec<Box<str>>>,
    frames: Option<Vec<FrameRow>>,
    tracebacks: Option<Vec<Vec<u32>>>,
    traces: Option<Vec<TraceRow>>,
    /// Missing if the heap was not to be searched.
    holders: Option<Vec<HeldTuple>>,
    holders_note: Option<String>,
}

impl Document {
    fn read(&mut self, input: impl Read) -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_reader(input);
        DeserializeSeed::deserialize(&mut *self, &mut deserializer)?;
        self.section = None;
        deserializer.end()
    }

    /// Puts frames, tracebacks and traces together. A fault names the row that refers to a missing
    /// entry.
    fn resolve(self) -> Result<Snapshot, Fault> {
        present("format", self.format)?;
        present("version", self.version)?;
        let traceback_limit = present("traceback_limit", self.traceback_limit)?;
        let filenames = shared(present("filenames", self.filenames)?);
        let functions = shared(present("functions", self.functions)?);

        let rows = present("frames", self.frames)?.into_iter().enumerate();
        let frames = rows
            .map(|(index, (filename, lineno, function, column))| {
                let owner = ("frames", index);
                let filename = entry(&filenames, filename, "file name", owner)?;
                let mut frame = Frame::new(Arc::clone(filename), lineno);
                if let Some(function) = function {
                    let function = entry(&functions, function, "function", owner)?;
                    frame = frame.with_function(Arc::clone(function));
                }
                Ok(match column {
                    Some(column) => frame.with_column(column),
                    None => frame,
                })
            })
            .collect::<Result<Vec<Frame>, Fault>>()?;

        let rows = present("tracebacks", self.tracebacks)?.into_iter().enumerate();
        let tracebacks = rows
            .map(|(index, row)| {
                if row.is_empty() {
                    return Err((Some("tracebacks"), format!("row {index} has no frames")));
                }
                let owner = ("tracebacks", index);
                row.into_iter()
                    .map(|frame| entry(&frames, frame, "frame", owner).cloned())
                    .collect::<Result<Arc<[Frame]>, Fault>>()
            })
            .collect::<Result<Vec<Arc<[Frame]>>, Fault>>()?;

        let rows = present("traces", self.traces)?.into_iter().enumerate();
        let traces = rows
            .map(|(index, (domain, size, traceback, total_nframe))| {
                let frames = entry(&tracebacks, traceback, "traceback", ("traces", index))?;
                let traceback = Traceback::new(Arc::clone(frames), total_nframe);
                Ok(Trace::new(domain, size, traceback))
            })
            .collect::<Result<Vec<Trace>, Fault>>()?;
        let interval = self.sample_interval.unwrap_or(0);
        let note = self.holders_note;
        let held = self.holders.map(|rows| Ok(HeldMemory { rows: held_rows(rows)?, note }));
        Ok(Snapshot::new(traces, traceback_limit)
            .with_sample_interval(interval)
            .with_held_memory(held.transpose()?))
    }
}

fn held_rows(rows: Vec<HeldTuple>) -> Result<Vec<HeldRow>, Fault> {
    let row = |(index, row): (usize, HeldTuple)| {
        let (parent, kind, name, thread, start, file, line, bytes, blocks) = row;
        let fault = |what: String| (Some("holders"), format!("row {index} {what}"));
        let kind = HeldKind::of(&kind).ok_or_else(|| fault(format!("has the kind {kind:?}")))?;
        if parent.is_some_and(|parent| parent as usize >= index) {
            return Err(fault("does not stand behind its parent".to_owned()));
        }
        let place = HeldPlace { kind, name, thread, start, file, line };
        Ok(HeldRow { parent, place, bytes, blocks })
    };
    rows.into_iter().enumerate().map(row).collect()
}

fn present<T>(section: &'static str, value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| (None, format!("the section {section:?} is missing")))
}

fn shared(names: Vec<Box<str>>) -> Vec<Arc<str>> {
    names.into_iter().map(Arc::from).collect()
}

/// The entry that `owner` (a table and a row) refers to by number.
fn entry<'a, T>(
    table: &'a [T],
    number: u32,
    what: &str,
    (owner, row): (&'static str, usize),
) -> Result<&'a T, Fault> {
    let index = usize::try_from(number).unwrap_or(usize::MAX);
    table.get(index).ok_or_else(|| {
        let len = table.len();
        (Some(owner), format!("row {row} refers to {what} {number}, and the file has {len}"))
    })
}

impl<'de> DeserializeSeed<'de> for &mut Document {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Document {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tracemalloc snapshot")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let section = &mut self.section;
            match key.as_str() {
                "format" => read_section(section, "format", &mut map, &mut self.format)?,
                "version" => read_section(section, "version", &mut map, &mut self.version)?,
                "traceback_limit" => {
                    read_section(section, "traceback_limit", &mut map, &mut self.traceback_limit)?;
                }
                "sample_interval" => {
                    read_section(section, "sample_interval", &mut map, &mut self.sample_interval)?;
                }
                "filenames" => read_section(section, "filenames", &mut map, &mut self.filenames)?,
                "functions" => read_section(section, "functions", &mut map, &mut self.functions)?,
                "frames" => read_section(section, "frames", &mut map, &mut self.frames)?,
                "tracebacks" => {
                    read_section(section, "tracebacks", &mut map, &mut self.tracebacks)?
                }
                "traces" => read_section(section, "traces", &mut map, &mut self.traces)?,
                "holders" => read_section(section, "holders", &mut map, &mut self.holders)?,
                "holders_note" => {
                    read_section(section, "holders_note", &mut map, &mut self.holders_note)?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            self.check_header()?;
        }
        Ok(())
    }
}

impl Document {
    /// Checks format and version. It runs after every section, so that a newer file is called
    /// newer, and not damaged because of a later section.
    fn check_header<E: serde_core::de::Error>(&mut self) -> Result<(), E> {
        if self.format.as_ref().is_some_and(|format| format != FORMAT) {
            return Err(E::custom(format_args!("the format has to be {FORMAT:?}")));
        }
        match self.version {
            None | Some(VERSION) => Ok(()),
            Some(version) if version > VERSION => {
                self.newer_version = Some(version);
                Err(E::custom("newer version"))
            }
            Some(version) => Err(E::custom(format_args!("no format had the version {version}"))),
        }
    }
}

fn read_section<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    section: &mut Option<&'static str>,
    name: &'static str,
    map: &mut A,
    value: &mut Option<T>,
) -> Result<(), A::Error> {
    *section = Some(name);
    if value.is_some() {
        return Err(A::Error::custom("the file has this section twice"));
    }
    *value = Some(map.next_value()?);
    Ok(())
}
