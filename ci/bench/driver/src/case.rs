//! A case of the benchmark, selected by name: a workload, optimised or as `cargo test` compiles it.

use bench_workloads::{ALL, Unit, Workload};

use crate::build::Profile;

/// A workload and how it is compiled.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name on the command line.
    pub name: String,
    /// The workload that runs.
    pub workload: &'static Workload,
    /// The profile of user code.
    pub profile: Profile,
}

/// Workloads that are also measured as a debug build.
const ALSO_DEBUG: [&str; 3] = ["storm", "batch", "serde_json"];

/// The goals of the project: the most that this tracer may cost, as multiples of the untraced time,
/// or in bytes a block.
const GOALS: [(&str, f64); 12] = [
    ("storm", 1.7),
    ("storm-2", 1.8),
    ("storm-8", 1.8),
    ("batch", 1.5),
    ("batch-2", 1.6),
    ("batch-8", 1.6),
    ("deep", 2.5),
    ("serde_json", 1.35),
    ("storm-debug", 1.3),
    ("batch-debug", 1.25),
    ("serde_json-debug", 1.3),
    ("memory", 20.0),
];

/// All cases, in the order in which they are measured.
pub fn all() -> Vec<Case> {
    let release = ALL.iter().map(|workload| Case::new(workload, Profile::Release));
    let debug = ALL.iter().filter(|workload| ALSO_DEBUG.contains(&workload.name));
    release.chain(debug.map(|workload| Case::new(workload, Profile::Debug))).collect()
}

/// The place of a case in that order; an unknown one comes last.
pub fn position(name: &str) -> usize {
    all().iter().position(|case| case.name == name).unwrap_or(usize::MAX)
}

impl Case {
    fn new(workload: &'static Workload, profile: Profile) -> Self {
        let suffix = if profile == Profile::Debug { "-debug" } else { "" };
        Self { name: format!("{}{suffix}", workload.name), workload, profile }
    }

    /// A description for a table.
    pub fn what(&self) -> String {
        let build = if self.profile == Profile::Debug { ", debug build" } else { "" };
        format!("{}{build}", self.workload.what)
    }

    /// True if it takes seconds and gigabytes even untraced.
    pub fn is_huge(&self) -> bool {
        self.workload.live >= 10_000_000
    }

    /// True if its figures are seconds.
    pub fn is_time(&self) -> bool {
        self.workload.unit == Unit::Seconds
    }

    /// The goal for this tracer.
    pub fn goal(&self) -> Option<f64> {
        GOALS.iter().find(|(name, _)| *name == self.name).map(|(_, goal)| *goal)
    }
}
