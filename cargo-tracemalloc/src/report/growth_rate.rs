//! The bytes a run of a leak, in a form that does not depend on the number of runs.
//!
//! A list of boxes grows by a box in every run, and now and then by a larger buffer. The boxes are
//! the same in 2 and in 1,000 runs; the buffer's mean is not. So a leak is as large as what grows
//! most often. Only a leak without that is as large as its buffers. `docs/report.md` has the rule.

use serde::{Deserialize, Serialize};
use tracemalloc::internal::judge::{Pace, Rate};
use tracemalloc_harness::GrowthEntry;

/// Bounds of the bytes a run of a leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrowthRate {
    /// It grows by at least so many bytes a run.
    #[serde(rename = "least_bytes")]
    pub least: u64,
    /// It grows by at most so many bytes a run.
    #[serde(rename = "most_bytes")]
    pub most: u64,
}

impl GrowthRate {
    /// A rate without doubt.
    pub fn exactly(bytes: u64) -> Self {
        Self { least: bytes, most: bytes }
    }

    /// This rate, or `None` if it is exactly `bytes`. A report leaves out such a rate.
    pub fn unless_exactly(self, bytes: u64) -> Option<Self> {
        Some(self).filter(|rate| *rate != Self::exactly(bytes))
    }

    /// The rate of a cause. It proves what grows most often, and nothing of the rest. The pace of
    /// the same growth may look one step faster or slower in another number of runs.
    pub fn of(growth: &[&GrowthEntry]) -> Self {
        let fastest = fastest(growth);
        let least = growth.iter().map(|one| rate(one)).filter(|rate| rate.pace == fastest);
        let slowest = match fastest {
            Pace::EveryRun => Pace::Often,
            Pace::Often => Pace::Seldom,
            Pace::Seldom | Pace::Buffer => Pace::Buffer,
        };
        let most = growth.iter().map(|one| rate(one)).filter(|rate| rate.pace <= slowest);
        Self { least: least.map(|rate| rate.least).sum(), most: most.map(|rate| rate.most).sum() }
    }

    /// The larger one of each bound.
    pub fn max(self, other: Self) -> Self {
        Self { least: self.least.max(other.least), most: self.most.max(other.most) }
    }

    /// The rate of both together.
    pub fn plus(self, other: Self) -> Self {
        Self { least: self.least + other.least, most: self.most + other.most }
    }
}

/// Whether this growth is a buffer that grows because of its entries, which grow beside it.
pub fn is_buffer_of_entries(one: &GrowthEntry, growth: &[&GrowthEntry]) -> bool {
    rate(one).pace == Pace::Buffer && fastest(growth) != Pace::Buffer
}

/// The pace of what grows most often.
fn fastest(growth: &[&GrowthEntry]) -> Pace {
    growth.iter().map(|one| rate(one).pace).min().unwrap_or(Pace::EveryRun)
}

fn rate(growth: &GrowthEntry) -> Rate {
    growth.rate.unwrap_or_else(|| Rate::exactly(growth.bytes))
}
