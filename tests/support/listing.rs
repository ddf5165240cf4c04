//! The lines `test NAME ... ok` that libtest and our harness print, read back.

use std::collections::BTreeMap;

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `ok`
    Passed,
    /// `FAILED`
    Failed,
    /// `ignored`
    Ignored,
}

/// Tests of one target, by name.
pub type Target = BTreeMap<String, Status>;

/// The output of the targets of one run, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    /// One for each `running 3 tests`.
    pub targets: Vec<Target>,
    /// The numbers of each `test result`: passed, failed, ignored, measured, filtered out.
    pub counts: Vec<Vec<u64>>,
}

impl Listing {
    /// Reads what was printed to stdout.
    pub fn parse(stdout: &str) -> Self {
        let mut listing = Listing { targets: Vec::new(), counts: Vec::new() };
        for line in stdout.lines() {
            if let Some(result) = line.strip_prefix("test result: ") {
                let numbers = result.split("finished in").next().unwrap().split_whitespace();
                listing.counts.push(numbers.filter_map(|word| word.parse().ok()).collect());
            } else if line.starts_with("running ")
                && (line.ends_with(" tests") || line.ends_with(" test"))
            {
                listing.targets.push(Target::new());
            } else if let Some((name, status)) = parse_test(line) {
                let target = listing.targets.last_mut().expect("tests belong to a target");
                assert_eq!(target.insert(name, status), None, "printed twice: {line}");
            }
        }
        listing
    }

    /// All tests; names that several targets have are there once.
    pub fn tests(&self) -> Target {
        self.targets.iter().flatten().map(|(name, &status)| (name.clone(), status)).collect()
    }
}

fn parse_test(line: &str) -> Option<(String, Status)> {
    let (name, status) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let name = name.trim_end().trim_end_matches(" - should panic");
    let status = match status.split([',', ' ']).next()? {
        "ok" => Status::Passed,
        "FAILED" => Status::Failed,
        "ignored" => Status::Ignored,
        _ => return None,
    };
    Some((name.trim_end().to_owned(), status))
}
