//! Compares the leaks of two reports: new, grown and gone ones.

use std::collections::{HashMap, HashSet};

use crate::report::document::Report;
use crate::report::known_leaks::{is_judged, may_go_on};
use crate::report::leak::Leak;

/// The bytes a run up to which a leak of this size has not grown: a quarter more. The baseline
/// allows as much.
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
    /// Compares with an earlier report. A leak is gone if no test shows it, and if all tests that
    /// showed it have been judged. A test that is not there was removed, if all tests ran.
    pub fn new(before: Report, now: &Report) -> Self {
        let judged: HashMap<_, bool> =
            now.tests().map(|(target, test)| (target.test_key(test), is_judged(test))).collect();
        let may_go_on = may_go_on(&now.targets);
        let all_ran = now.stale_known_leaks.is_some();
        let ran = |leak: &Leak| {
            leak.tests.iter().all(|test| judged.get(&test.key()).copied().unwrap_or(all_ran))
        };
        let ids: HashSet<&str> = now.leaks.iter().map(|leak| leak.id.as_str()).collect();
        let is_there = |leak: &Leak| ids.contains(leak.id.as_str()) || may_go_on.contains(&leak.id);
        let gone = before.leaks.iter().filter(|leak| !is_there(leak) && ran(leak)).cloned();
        let gone = gone.collect();
        let before = before.leaks.into_iter().map(|leak| (leak.id.clone(), leak)).collect();
        Self { before, gone }
    }

    /// The functions that allocate for a leak that has not grown, and did not do so before.
    pub fn new_functions(&self, leak: &Leak) -> Vec<String> {
        let Some(before) = self.before.get(&leak.id).filter(|_| self.of(leak) == Change::Same)
        else {
            return Vec::new();
        };
        let before = before.functions();
        leak.functions().into_iter().filter(|function| !before.contains(function)).collect()
    }

    /// The change of a leak of the later report.
    pub fn of(&self, leak: &Leak) -> Change {
        match self.before.get(&leak.id) {
            None => Change::New,
            Some(before) if leak.rate().least > with_room(before.rate().most) => {
                Change::Grown { bytes: before.bytes, blocks: before.blocks }
            }
            Some(_) => Change::Same,
        }
    }
}
