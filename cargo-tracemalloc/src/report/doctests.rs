//! The doctests that ran untraced beside the traced tests.

use anyhow::Result;
use camino::Utf8Path;
use fs_err as fs;

use crate::report::document::Doctests;
use crate::wrapper::rustdoc::DoctestCounts;

/// Sums up the counts of the rustdoc wrapper. `None` if there were no doctests.
pub fn doctests(dir: &Utf8Path) -> Result<Option<Doctests>> {
    if !dir.exists() {
        return Ok(None);
    }
    let mut all =
        Doctests { traced: false, passed: 0, failed: 0, ignored: 0, packages: Vec::new() };
    for entry in fs::read_dir(dir)? {
        let counts: DoctestCounts = serde_json::from_slice(&fs::read(entry?.path())?)?;
        all.passed += counts.passed;
        all.failed += counts.failed;
        all.ignored += counts.ignored;
        if counts.passed + counts.failed + counts.ignored > 0 {
            all.packages.push(counts.package);
        }
    }
    all.packages.sort();
    all.packages.dedup();
    Ok(Some(all).filter(|all| !all.packages.is_empty()))
}
