//! The file format of all messages.
//!
//! Each new user compiles the injected crates, so values are written without a derive macro. The
//! format is not JSON, because a dependency's implementations of std traits take part in the type
//! inference of tests. With serde_json, whose values compare with numbers,
//! `assert_eq!(numbers, [])` no longer compiles.
//!
//! A file has a header line, a checksum of the rest, and the value. The checksum finds files that
//! are cut off or changed. It does not make the rest trustworthy: a test may write any file.

use std::fmt;
use std::path::Path;

use tracemalloc::internal::{WIRE_SOURCES, WireValue};

use crate::protocol::fnv;

/// The first word of each file.
const MAGIC: &str = "tracemalloc";
/// A hash of the sources of all types. Two builds of one version may differ in them.
const TYPES: u64 = {
    let sources: [&[u8]; 10] = [
        include_bytes!("doctest_note.rs"),
        include_bytes!("exit_heap.rs"),
        include_bytes!("live_memory.rs"),
        include_bytes!("name_request.rs"),
        include_bytes!("program_run.rs"),
        include_bytes!("session.rs"),
        include_bytes!("started_programs.rs"),
        include_bytes!("target_note.rs"),
        include_bytes!("test_entry.rs"),
        include_bytes!("test_list.rs"),
    ];
    hash_all(hash_all(fnv::EMPTY, &sources), &WIRE_SOURCES)
};

const fn hash_all(mut hash: u64, sources: &[&[u8]]) -> u64 {
    let mut number = 0;
    while number < sources.len() {
        hash = fnv::add(hash, sources[number]);
        number += 1;
    }
    hash
}

/// A type that files hold.
pub trait Exchanged: WireValue {
    /// The word for this type in the header line.
    const NAME: &'static str;
}

/// Why a file does not hold the expected value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireError {
    /// The file does not begin with the header line.
    Unknown,
    /// Another version has written the file.
    Version {
        /// The version in the file.
        found: String,
        /// The version of this program.
        expected: String,
    },
    /// The file holds a value of another type.
    Type {
        /// The type in the file.
        found: String,
        /// The expected type.
        expected: &'static str,
    },
    /// The file is truncated or changed.
    Damaged,
}

/// Returns the content of a file that holds this value.
pub fn to_bytes<T: Exchanged>(value: &T) -> Vec<u8> {
    let mut bytes = format!("{MAGIC} {} {}\n", version(), T::NAME).into_bytes();
    let mut content = Vec::new();
    value.write(&mut content);
    bytes.extend(fnv::add(fnv::EMPTY, &content).to_le_bytes());
    bytes.extend(content);
    bytes
}

/// Returns the value that a file holds.
///
/// # Errors
///
/// When the bytes are truncated or changed, or come from another type or another version.
pub fn from_bytes<T: Exchanged>(bytes: &[u8]) -> Result<T, WireError> {
    let mut rest = content::<T>(bytes)?;
    T::read(&mut rest).filter(|_| rest.is_empty()).ok_or(WireError::Damaged)
}

/// Reads the value that a file holds; `None` if the file is missing or damaged, or holds another.
pub fn read_file<T: Exchanged>(path: &Path) -> Option<T> {
    from_bytes(&std::fs::read(path).ok()?).ok()
}

/// The value in the bytes of a file, still as bytes.
fn content<T: Exchanged>(bytes: &[u8]) -> Result<&[u8], WireError> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(WireError::Unknown)?;
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| WireError::Unknown)?;
    let mut words = line.split(' ');
    let (Some(MAGIC), Some(found), Some(name), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(WireError::Unknown);
    };
    let expected = version();
    if found != expected {
        return Err(WireError::Version { found: found.to_owned(), expected });
    }
    if name != T::NAME {
        return Err(WireError::Type { found: name.to_owned(), expected: T::NAME });
    }
    let (sum, content) = bytes[end + 1..].split_first_chunk().ok_or(WireError::Damaged)?;
    if u64::from_le_bytes(*sum) != fnv::add(fnv::EMPTY, content) {
        return Err(WireError::Damaged);
    }
    Ok(content)
}

/// The version of the package and of its types.
fn version() -> String {
    format!("{}-{TYPES:016x}", env!("CARGO_PKG_VERSION"))
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => {
                f.write_str("the file was not written by cargo-tracemalloc, or is truncated")
            }
            Self::Version { found, expected } => {
                write!(
                    f,
                    "the file was written by cargo-tracemalloc {found}, and this is version {expected}"
                )
            }
            Self::Type { found, expected } => {
                write!(f, "the file holds a {found}, expected a {expected}")
            }
            Self::Damaged => f.write_str("the file is truncated or damaged"),
        }
    }
}

impl std::error::Error for WireError {}
