//! How the types of this crate are written to files: the one door to the `postcard` crate.
//!
//! Not JSON, although the report is. The harness is linked into other people's tests, and each implementation of a std
//! trait for a std type that comes along takes part in type inference there: with serde_json, which can be compared with
//! numbers, `assert_eq!(numbers, [])` no longer compiles. Reader and writer are always of one version.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file did not hold what it should.
#[derive(Debug)]
pub struct WireError(postcard::Error);

/// The value as the content of a file.
///
/// # Errors
///
/// When the value has no representation; those of this crate have one.
pub fn to_bytes(value: &impl Serialize) -> Result<Vec<u8>, WireError> {
    postcard::to_stdvec(value).map_err(WireError)
}

/// The value that a file holds.
///
/// # Errors
///
/// When the bytes are cut off, or of another type.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    postcard::from_bytes(bytes).map_err(WireError)
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for WireError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
