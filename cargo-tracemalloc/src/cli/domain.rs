//! The languages whose blocks count.

use clap::ValueEnum;

/// The languages that allocate blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Domain {
    /// Rust and C
    All,
    /// Rust, by the global allocator
    Rust,
    /// C, by `malloc`
    C,
}

impl Domain {
    /// Its number in snapshots; `None` for all.
    pub fn number(self) -> Option<u32> {
        match self {
            Self::All => None,
            Self::Rust => Some(0),
            Self::C => Some(1),
        }
    }
}
