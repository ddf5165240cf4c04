//! The verdicts that fail a run.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracemalloc_harness::Verdict;

/// The verdicts that fail on request only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deny {
    /// A test grew, but its growth did not go on
    Once,
    /// A test grew, and could not run again
    Unconfirmed,
    /// A known leak no longer occurs
    Stale,
    /// One language freed a block that the other one allocated
    Mismatch,
}

impl Deny {
    /// Whether a verdict fails a run that denies `denied`.
    pub fn fails(denied: &[Self], verdict: Verdict) -> bool {
        match verdict {
            Verdict::Leak => true,
            Verdict::Once => denied.contains(&Self::Once),
            Verdict::Unconfirmed => denied.contains(&Self::Unconfirmed),
            Verdict::Clean | Verdict::Known | Verdict::Skipped => false,
        }
    }

    /// Whether the report lists the leaks of a test with this verdict. Some of them do not fail.
    pub fn lists(denied: &[Self], verdict: Verdict) -> bool {
        matches!(verdict, Verdict::Unconfirmed | Verdict::Known) || Self::fails(denied, verdict)
    }
}
