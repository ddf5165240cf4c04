//! A cargo workspace of random tests: crates for the tests, and one that checks the truth of them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::kind::{self, Kind};
use crate::rng::Rng;
use crate::test_case::TestCase;
use crate::truth;

/// A crate has about so many tests: with more crates, cargo builds more at a time, and links more.
const TESTS_PER_CRATE: usize = 40;

const MANIFEST: &str = "\
[workspace]
resolver = \"3\"
members = [\"part-*\", \"truth\"]
# `truth` counts allocations itself, and is no test.
default-members = [\"part-*\"]

[profile.dev]
incremental = false
";

const PART: &str = "edition = \"2024\"\n\n[lib]\ndoctest = false\n";

/// A workspace that is not written yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Workspace {
    tests: Vec<TestCase>,
}

impl Workspace {
    /// The workspace of a seed: so many tests, of all kinds in turn, in random order.
    pub fn random(seed: u64, tests: usize, kinds: &[Kind]) -> Self {
        let wrappings = kind::wrappings().expect("they are beside this program's sources");
        let mut rng = Rng::new(seed);
        let mut order: Vec<&Kind> = Vec::new();
        let mut next = || {
            if order.is_empty() {
                order = half_clean(kinds, &mut rng);
            }
            let kind = order.pop().expect("there is a kind");
            (kind, Rng::new(rng.below(u64::MAX)))
        };
        let random = |number| {
            let (kind, mut rng) = next();
            TestCase::random(number, kind, &wrappings, &mut rng)
        };
        Self { tests: (0..tests).map(random).collect() }
    }

    /// Writes it into a directory, in place of one that was written there before.
    pub fn write(&self, directory: &Path) -> Result<(), String> {
        let parts = self.tests.len().div_ceil(TESTS_PER_CRATE).max(2);
        if directory.join(truth::FILE).exists() {
            fs::remove_dir_all(directory)
                .map_err(|error| format!("failed to remove {}: {error}", directory.display()))?;
        }
        write(&directory.join("Cargo.toml"), MANIFEST)?;
        write(&directory.join(truth::FILE), &truth::text(&self.tests))?;
        let value = kind::home().join("support/value.rs");
        let value = fs::read_to_string(&value)
            .map_err(|error| format!("failed to read {}: {error}", value.display()))?;
        for part in 0..parts {
            let name = format!("part-{part}");
            let tests = || self.tests.iter().skip(part).step_by(parts);
            let source = directory.join(&name).join("src");
            let mut lib = "//! Random tests.\n\n\
                           #![allow(dead_code, reason = \"no part uses all\")]\n\n\
                           pub mod value;\n\n"
                .to_owned();
            for test in tests() {
                let _ = writeln!(lib, "pub mod {};", test.name);
                write(&source.join(&test.name).with_extension("rs"), &test.source)?;
            }
            write(&source.join("lib.rs"), &lib)?;
            write(&source.join("value.rs"), &value)?;
            let manifest = format!("[package]\nname = \"{name}\"\n{PART}");
            write(&directory.join(&name).join("Cargo.toml"), &manifest)?;
        }
        self.write_truth(&directory.join("truth"), parts)
    }

    /// The crate that runs all bodies without a tracer.
    fn write_truth(&self, directory: &Path, parts: usize) -> Result<(), String> {
        let mut manifest = "[package]\nname = \"truth\"\nedition = \"2024\"\n\n[[bin]]\n\
                            name = \"truth\"\npath = \"truth.rs\"\n\n[dependencies]\n"
            .to_owned();
        for part in 0..parts {
            let _ = writeln!(manifest, "part-{part} = {{ path = \"../part-{part}\" }}");
        }
        write(&directory.join("Cargo.toml"), &manifest)?;
        let truth = kind::home().join("support/truth.rs");
        fs::copy(&truth, directory.join("truth.rs"))
            .map_err(|error| format!("failed to copy {}: {error}", truth.display()))?;
        let mut bodies =
            "//! All bodies.\n\nuse super::Body;\n\npub const BODIES: &[Body] = &[\n".to_owned();
        for (number, test) in self.tests.iter().enumerate() {
            let name = &test.name;
            let module = format!("part_{}::{name}", number % parts);
            let full = format!("Some({module}::FULL_AFTER)");
            let full = if test.leaks { "None" } else { &full };
            let _ = writeln!(
                bodies,
                "    Body {{ name: \"{name}\", full_after: {full}, run: {module}::body }},"
            );
        }
        bodies += "];\n";
        write(&directory.join("bodies.rs"), &bodies)
    }
}

/// A random order of kinds in which every second one is clean, as far as there are both. Each is
/// there once at least.
fn half_clean<'k>(kinds: &'k [Kind], rng: &mut Rng) -> Vec<&'k Kind> {
    let (mut leaking, mut clean): (Vec<_>, Vec<_>) = kinds.iter().partition(|kind| kind.leaks());
    rng.shuffle(&mut leaking);
    rng.shuffle(&mut clean);
    let most = leaking.len().max(clean.len());
    let mut order = Vec::new();
    for number in 0..most {
        for kinds in [&leaking, &clean] {
            if !kinds.is_empty() {
                order.push(kinds[number % kinds.len()]);
            }
        }
    }
    order
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error| format!("failed to write {}: {error}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn workspace(seed: u64, tests: usize) -> Workspace {
        Workspace::random(seed, tests, &kind::all().expect("they can be read"))
    }

    #[test]
    fn a_seed_gives_the_same_tests() {
        assert_eq!(workspace(3, 150), workspace(3, 150));
        assert_ne!(workspace(3, 150), workspace(4, 150));
        let names: Vec<_> = workspace(3, 150).tests.into_iter().map(|test| test.name).collect();
        let fewer: Vec<_> = workspace(3, 20).tests.into_iter().map(|test| test.name).collect();
        assert_eq!(names[..20], fewer, "more tests leave the first ones as they are");
    }

    #[test]
    fn half_of_the_tests_leak_and_all_kinds_are_there() {
        let kinds = kind::all().expect("they can be read");
        let tests = workspace(5, 2 * kinds.len()).tests;
        assert_eq!(tests.iter().filter(|test| test.leaks).count(), kinds.len());
        for kind in kinds {
            assert!(tests.iter().any(|test| test.kind == kind.name), "{}", kind.name);
        }
    }

    #[test]
    fn a_workspace_of_all_kinds_compiles() {
        let kinds = kind::all().expect("they can be read");
        let program = std::env::current_exe().expect("the path of this program");
        let directory = program.with_file_name("a_workspace_of_all_kinds");
        workspace(1, 2 * kinds.len()).write(&directory).expect("it can be written");
        let status = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline", "--workspace", "--all-targets"])
            .env("RUSTFLAGS", "-D warnings")
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(&directory)
            .status()
            .expect("cargo starts");
        assert!(status.success());
        fs::remove_dir_all(&directory).expect("it can be removed");
    }
}
