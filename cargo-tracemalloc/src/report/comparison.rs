//! Compares the leaks of two reports: new, grown and gone ones.

use std::collections::HashMap;

use crate::report::document::Report;
use crate::report::leak::Leak;

/// The bytes a run up to which a leak of this size has not grown: a quarter more. Growth a run is a
/// mean over runs, which differs a little between machines. The baseline allows as much.
pub fn with_room(bytes: u64) -> u64 {
    bytes.saturating_add(bytes.div_ceil(4))
}

/// The leaks of a report, beside those of an earlier one.
#[derive(Debug)]
pub struct Comparison {
    /// The earlier leaks, by fingerprint.
    before: HashMap<String, Leak>,
    /// The leaks that no test shows any more.
    pub gone: Vec<Leak>,
}

/// The change of a leak since the earlier report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The earlier report does not have it.
    New,
    /// It retains more a run than [`with_room`] allows.
    Grown {
        /// Bytes a run before.
        bytes: u64,
        /// Blocks a run before.
        blocks: u64,
    },
    /// It retains about as much as before, or less.
    Same,
}

impl Comparison {
    /// Compares with an earlier report. A leak is gone if targets of its tests ran, and no test
    /// shows it.
    pub fn new(before: Report, now: &Report) -> Self {
        let ran = |leak: &Leak| {
            leak.tests.iter().any(|test| {
                now.targets.iter().any(|target| {
                    !target.tests.is_empty()
                        && (&target.package, target.kind, &target.name)
                            == (&test.package, test.kind, &test.target)
                })
            })
        };
        let is_there = |leak: &Leak| now.leaks.iter().any(|other| other.id == leak.id);
        let gone = before.leaks.iter().filter(|leak| !is_there(leak) && ran(leak)).cloned();
        let gone = gone.collect();
        let before = before.leaks.into_iter().map(|leak| (leak.id.clone(), leak)).collect();
        Self { before, gone }
    }

    /// The change of a leak of the later report.
    pub fn of(&self, leak: &Leak) -> Change {
        match self.before.get(&leak.id) {
            None => Change::New,
            Some(before) if leak.bytes > with_room(before.bytes) => {
                Change::Grown { bytes: before.bytes, blocks: before.blocks }
            }
            Some(_) => Change::Same,
        }
    }
}
