//! The languages that allocate blocks.

#[cfg(feature = "_wire")]
use crate::util::wire::{WireValue, wire};
use std::fmt;
use std::str::FromStr;

/// The languages whose blocks count. In snapshots, Rust's blocks have domain 0, and C's have
/// domain 1.
///
/// `FromStr` takes the names that `Display` gives: `all`, `rust` and `c`.
///
/// Not in Python.
///
/// ```
/// use tracemalloc::Domain;
///
/// assert_eq!("c".parse(), Ok(Domain::C));
/// assert_eq!(Domain::All.to_string(), "all");
/// assert_eq!(Domain::C.number(), Some(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "_json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "_json", serde(rename_all = "snake_case"))]
pub enum Domain {
    /// Rust and C.
    All,
    /// Rust, by the global allocator.
    Rust,
    /// C, by `malloc` and the like.
    C,
}

#[cfg(feature = "_wire")]
wire!(
    enum Domain {
        All,
        Rust,
        C,
    }
);

/// A text that names no [`Domain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownDomain;

impl Domain {
    /// All domains.
    pub const ALL: [Self; 3] = [Self::All, Self::Rust, Self::C];

    /// The number in snapshots; `None` for all.
    pub fn number(self) -> Option<u32> {
        match self {
            Self::All => None,
            Self::Rust => Some(0),
            Self::C => Some(1),
        }
    }

    /// The domain of blocks in reports that have none.
    #[doc(hidden)]
    pub fn rust() -> Self {
        Self::Rust
    }

    /// The language of blocks with this number. Blocks of other numbers are those that a program
    /// names itself, and count as Rust's.
    #[doc(hidden)]
    pub fn numbered(number: u32) -> Self {
        if number == 1 { Self::C } else { Self::Rust }
    }

    /// Whether blocks of another language, which is not `All`, are among these.
    #[doc(hidden)]
    pub fn counts(self, other: Self) -> bool {
        self == Self::All || self == other
    }

    /// The name, as in options.
    #[doc(hidden)]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Rust => "rust",
            Self::C => "c",
        }
    }
}

impl FromStr for Domain {
    type Err = UnknownDomain;

    fn from_str(name: &str) -> Result<Self, UnknownDomain> {
        Self::ALL.into_iter().find(|domain| domain.name() == name).ok_or(UnknownDomain)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for UnknownDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected `all`, `rust` or `c`")
    }
}

impl std::error::Error for UnknownDomain {}
