//! An amount of growth.

use std::iter::Sum;
use std::ops::Add;

use crate::limits::Limit;
use crate::trace::live::Change;

/// An amount of growth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grown {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

impl Grown {
    /// Whether either number is above its limit.
    pub fn exceeds(&self, limit: &Limit) -> bool {
        self.bytes > limit.max_growth || limit.max_blocks.is_some_and(|most| self.blocks > most)
    }

    /// The sum of the growth of all stacks that grew.
    pub fn gross(changes: &[Change]) -> Self {
        changes.iter().filter_map(|change| Self::of(change.bytes, change.blocks)).sum()
    }

    /// These changes, if they are growth: more bytes. A block may have become larger.
    pub fn of(bytes: i64, blocks: i64) -> Option<Self> {
        let positive = |number: i64| u64::try_from(number).unwrap_or(0);
        (bytes > 0).then(|| Self { bytes: positive(bytes), blocks: positive(blocks) })
    }

    /// The number of a window's runs that have probably grown by this in all: one for each block.
    pub fn runs_that_grew(self, window: u32) -> u32 {
        u32::try_from(self.blocks).unwrap_or(window).clamp(1, window)
    }

    /// The difference; 0 where the other amount is larger.
    pub fn less(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            blocks: self.blocks.saturating_sub(other.blocks),
        }
    }

    /// The smaller of each number.
    pub fn at_most(self, other: Self) -> Self {
        Self { bytes: self.bytes.min(other.bytes), blocks: self.blocks.min(other.blocks) }
    }

    /// The part of this amount that `part` is of `whole`, rounded up.
    pub fn part(self, part: Self, whole: Self) -> Self {
        let of = |number: u64, part: u64, whole: u64| {
            let product = u128::from(number) * u128::from(part.min(whole));
            u64::try_from(product.div_ceil(u128::from(whole.max(1)))).unwrap_or(number)
        };
        Self {
            bytes: of(self.bytes, part.bytes, whole.bytes),
            blocks: of(self.blocks, part.blocks, whole.blocks),
        }
    }

    /// This amount spread over so many runs, rounded up.
    pub fn per_run(self, runs: u32) -> Self {
        let runs = u64::from(runs.max(1));
        Self { bytes: self.bytes.div_ceil(runs), blocks: self.blocks.div_ceil(runs) }
    }
}

impl Add for Grown {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, blocks: self.blocks + other.blocks }
    }
}

impl Sum for Grown {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}
