//! The key by which statistics group blocks.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::model::repr::Repr;
#[cfg(feature = "_wire")]
use crate::util::wire::{WireValue, wire};

/// The key by which statistics group blocks.
///
/// `FromStr` takes, and `Display` gives, Python's names.
///
/// Python: the `key_type` of `Snapshot.statistics`.
///
/// ```
/// use tracemalloc::KeyType;
///
/// assert_eq!("lineno".parse(), Ok(KeyType::Lineno));
/// assert_eq!(KeyType::Traceback.to_string(), "traceback");
/// assert_eq!("bogus".parse::<KeyType>().unwrap_err().to_string(), "unknown key_type: 'bogus'");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "_json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "_json", serde(rename_all = "snake_case"))]
pub enum KeyType {
    /// `filename`: the file of the most recent frame. The group's traceback is that file at line 0.
    Filename,
    /// `lineno`: file and line of the most recent frame.
    Lineno,
    /// `traceback`: every stored frame.
    Traceback,
}

#[cfg(feature = "_wire")]
wire!(
    enum KeyType {
        Filename,
        Lineno,
        Traceback,
    }
);

impl FromStr for KeyType {
    type Err = KeyTypeError;

    fn from_str(name: &str) -> Result<KeyType, KeyTypeError> {
        match name {
            "filename" => Ok(KeyType::Filename),
            "lineno" => Ok(KeyType::Lineno),
            "traceback" => Ok(KeyType::Traceback),
            _ => Err(KeyTypeError::Unknown(name.to_owned())),
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyType::Filename => "filename",
            KeyType::Lineno => "lineno",
            KeyType::Traceback => "traceback",
        })
    }
}

/// Why blocks cannot be grouped. The messages are Python's, including the spelling.
///
/// ```
/// use tracemalloc::{KeyType, Snapshot};
///
/// let error = Snapshot::new(vec![], 1).statistics(KeyType::Traceback, true).unwrap_err();
/// assert_eq!(error.to_string(), "cumulative mode cannot by used with key type 'traceback'");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyTypeError {
    /// No key type has this name.
    Unknown(String),
    /// `cumulative` counts a block for each frame, which is impossible for a key of all frames.
    CumulativeTraceback,
}

impl fmt::Display for KeyTypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyTypeError::Unknown(name) => write!(f, "unknown key_type: {}", Repr(name)),
            KeyTypeError::CumulativeTraceback => {
                f.write_str("cumulative mode cannot by used with key type 'traceback'")
            }
        }
    }
}

impl Error for KeyTypeError {}
