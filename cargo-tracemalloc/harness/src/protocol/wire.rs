//! How the types of this crate are written to files: the one door to the `nanoserde` crate.
//!
//! What is injected is what a new user waits for, and nanoserde derives without `syn`. Nor is it
//! JSON, although the report is: each implementation of a std trait for a std type that comes along
//! takes part in the type inference of other people's tests. With serde_json, which can be compared
//! with numbers, `assert_eq!(numbers, [])` no longer compiles.
//!
//! A file is a line that says what it is, a sum of what follows, and the value. nanoserde believes
//! the lengths that it reads, and would make room for them: so nothing is read whose sum is wrong.

use std::fmt;

use nanoserde::{DeBin, SerBin};

use crate::protocol::fnv;

/// The first word of each file.
const MAGIC: &str = "tracemalloc";
/// The types' own sources, as a number: two builds of one version may differ in them.
const TYPES: u64 = {
    let sources: [&[u8]; 7] = [
        include_bytes!("exit_heap.rs"),
        include_bytes!("name_request.rs"),
        include_bytes!("program_run.rs"),
        include_bytes!("session.rs"),
        include_bytes!("target_note.rs"),
        include_bytes!("test_entry.rs"),
        include_bytes!("test_list.rs"),
    ];
    let mut hash = fnv::EMPTY;
    let mut number = 0;
    while number < sources.len() {
        hash = fnv::add(hash, sources[number]);
        number += 1;
    }
    hash
};

/// A type that is the content of files.
pub trait Exchanged: SerBin + DeBin {
    /// What its files say that they hold: one word.
    const NAME: &'static str;
}

/// Why a file does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireError {
    /// It is not one of ours, or has lost its beginning.
    Unknown,
    /// Another version of ours has written it.
    Version {
        /// The version that has.
        found: String,
        /// This one.
        expected: String,
    },
    /// It holds a value of another type.
    Type {
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// It is cut off, or something has changed it.
    Damaged,
}

/// The value as the content of a file.
pub fn to_bytes<T: Exchanged>(value: &T) -> Vec<u8> {
    let mut bytes = format!("{MAGIC} {} {}\n", version(), T::NAME).into_bytes();
    let content = value.serialize_bin();
    bytes.extend(fnv::add(fnv::EMPTY, &content).to_le_bytes());
    bytes.extend(content);
    bytes
}

/// The value that a file holds.
///
/// # Errors
///
/// When the bytes are cut off, changed, of another type, or of another version of this program.
pub fn from_bytes<T: Exchanged>(bytes: &[u8]) -> Result<T, WireError> {
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
    T::deserialize_bin(content).map_err(|_| WireError::Damaged)
}

/// This version: of the package, and of the types.
fn version() -> String {
    format!("{}-{TYPES:016x}", env!("CARGO_PKG_VERSION"))
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("it was not written by cargo-tracemalloc, or is cut off"),
            Self::Version { found, expected } => {
                write!(f, "it was written by cargo-tracemalloc {found}, and this is {expected}")
            }
            Self::Type { found, expected } => write!(f, "it holds a {found}, and not a {expected}"),
            Self::Damaged => f.write_str("it is cut off or damaged"),
        }
    }
}

impl std::error::Error for WireError {}
