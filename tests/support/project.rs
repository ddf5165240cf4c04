//! A copy of a fixture to run things in.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tracemalloc_harness::{Outcome, Verdict};

use super::{Call, Listing, Report, exit};

/// A directory with a copy of a fixture. It stays, so that the next test run need not compile what
/// has not changed.
pub struct Project {
    /// The workspace's root.
    pub root: PathBuf,
}

impl Project {
    /// Copies a fixture for the test called `owner`, which alone uses the copy.
    pub fn copy(fixture: &str, owner: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(owner).join(fixture);
        sync(&Self::source(fixture), &root);
        Project { root }
    }

    /// Where the fixture itself is.
    pub fn source(fixture: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(fixture)
    }

    /// `cargo tracemalloc test` in the root, with more arguments.
    pub fn tracemalloc(&self, args: &str) -> Call {
        Call::tracemalloc().args(args).dir(&self.root)
    }

    /// `cargo tracemalloc run` in the root, with more arguments.
    pub fn run(&self, args: &str) -> Call {
        Call::subcommand("run").args(args).dir(&self.root)
    }

    /// Another command of `cargo tracemalloc` in the root, with more arguments.
    pub fn subcommand(&self, name: &str, args: &str) -> Call {
        Call::subcommand(name).args(args).dir(&self.root)
    }

    /// Writes a file below the root.
    pub fn write(&self, path: &str, content: &str) {
        write_below(&self.root, path, content);
    }

    /// `cargo test` in the root, with more arguments.
    pub fn cargo_test(&self, args: &str) -> Call {
        Call::cargo_test().args(args).dir(&self.root)
    }

    /// Runs tests plain and traced, with the same outcomes. Exactly the tests with `leak` in their
    /// names leak, and all others are clean.
    pub fn leaks_by_name(&self, args: &str) -> Report {
        let plain = self.cargo_test(args).run().code(exit::CLEAN);
        let traced = self.tracemalloc(args).run().code(exit::LEAK);
        assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout), "{args}");
        let report = self.report();
        for (target, test) in report.tests().filter(|(_, test)| test.outcome == Outcome::Passed) {
            assert!(target.traced, "{}: {:?}", target.name, target.note);
            let verdict = if test.name.contains("leak") { Verdict::Leak } else { Verdict::Clean };
            assert_eq!(test.verdict, Some(verdict), "{args}: {test:#?}");
        }
        report
    }

    /// The report of the last run.
    pub fn report(&self) -> Report {
        Report::read(&self.root.join("target/tracemalloc/report.json"))
    }
}

/// A fixture's file as it has to be in a copy: manifests name the packages of this repository by
/// where they are.
fn content(source: &Path, path: &Path) -> Vec<u8> {
    let content = fs::read(source.join(path)).unwrap();
    if path.file_name() != Some("Cargo.toml".as_ref()) {
        return content;
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_str()
        .unwrap()
        .replace('\\', "/");
    String::from_utf8(content)
        .unwrap()
        .replace("\"../../../", &format!("\"{repository}/"))
        .into_bytes()
}

/// All files below a directory, relative to it, sorted; without build products.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        {
            let path = entry.unwrap().path();
            if !path.is_dir() {
                files.push(path.strip_prefix(root).unwrap().to_owned());
            } else if path.file_name() != Some("target".as_ref()) {
                dirs.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Makes `copy` the same as `source`, and leaves files alone that already are, so that cargo sees
/// no change.
fn sync(source: &Path, copy: &Path) {
    fs::create_dir_all(copy).unwrap();
    let wanted: BTreeSet<PathBuf> = files(source).into_iter().collect();
    for stale in files(copy).iter().filter(|path| !wanted.contains(*path)) {
        fs::remove_file(copy.join(stale)).unwrap();
    }
    for path in &wanted {
        let content = content(source, path);
        let target = copy.join(path);
        if fs::read(&target).is_ok_and(|present| present == content) {
            continue;
        }
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(&target, content).unwrap();
    }
}

/// Writes a file below a directory, and makes the directories on the way.
pub fn write_below(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
