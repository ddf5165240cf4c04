//! `cargo tracemalloc bisect` finds the revision that brought a leak, in a repository of the test.

#![cfg(unix)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{Call, Output, Project, exit};

/// A repository of the fixture `demo`, with these revisions of one file after the first commit.
struct Repository {
    project: Project,
}

const CLEAN: &str = "pub fn work() -> usize { vec![1_u8; 9].len() }\n";
const BROKEN: &str = "pub fn work() -> usize { vec![1_u8; 9] }\n";
const LEAKS: &str =
    "pub fn work() -> usize { let all = vec![1_u8; 9]; std::mem::forget(all); 9 }\n";
const TEST: &str = "#[test]\nfn works() { assert_eq!(work(), 9); }\n";
const OTHER: &str = "#[test]\nfn other() { std::mem::forget(vec![1_u64; 7]); }\n";

impl Repository {
    /// Commits each source in turn, with its test and a subject.
    fn new(owner: &str, sources: &[(&str, String)]) -> Self {
        let project = Project::copy("demo", owner);
        let _fresh = fs::remove_dir_all(project.root.join(".git"));
        let repository = Self { project };
        repository.project.write(".gitignore", "target\n");
        repository.git("init --quiet --initial-branch main");
        for (subject, source) in sources {
            repository.project.write("src/lib.rs", &format!("{source}{TEST}"));
            repository.git("add --all");
            repository.call("commit --quiet --message").arg(subject).run().code(0);
        }
        repository
    }

    fn call(&self, args: &str) -> Call {
        let call = Call::program("git").dir(&self.project.root).args(args);
        let call = call.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        ["AUTHOR", "COMMITTER"].into_iter().fold(call, |call, role| {
            let call = call.env(&format!("GIT_{role}_NAME"), "A. Author");
            call.env(&format!("GIT_{role}_EMAIL"), "author@example.org")
        })
    }

    fn git(&self, args: &str) -> String {
        self.call(args).run().code(0).stdout
    }

    fn bisect(&self, args: &str) -> Output {
        self.project.subcommand("bisect", args).env("TMPDIR", self.temporary()).run()
    }

    /// The directory for temporary files, outside of the checkout.
    fn temporary(&self) -> PathBuf {
        let dir = self.project.root.with_file_name("temporary files");
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// Everything that a bisection must leave alone.
    fn state(&self) -> String {
        let refs = self.git("for-each-ref");
        let worktrees = self.git("worktree list");
        format!("{refs}{worktrees}{}{}", self.git("status --porcelain"), self.git("rev-parse HEAD"))
    }
}

#[test]
fn the_revision_that_brought_a_leak_is_found_past_one_that_does_not_build() {
    let repository = Repository::new(
        "bisect",
        &[
            ("Work", CLEAN.to_owned()),
            ("Comment", format!("// One.\n{CLEAN}")),
            ("Half a change", BROKEN.to_owned()),
            ("Another comment", format!("// Two.\n{CLEAN}")),
            ("Keep the result", LEAKS.to_owned()),
            ("Move lines", format!("// Three.\n\n{LEAKS}")),
            ("Add a test", format!("// Three.\n\n{LEAKS}{OTHER}")),
        ],
    );
    let before = repository.state();
    let output = repository.bisect("--good HEAD~6 --lib works").code(exit::CLEAN);
    let found = &output.stdout;
    assert!(found.starts_with("first revision with lost Vec<u8> (src/lib.rs:"), "{found}");
    assert!(found.contains("\nAuthor: A. Author <author@example.org>\n"), "{found}");
    assert!(found.contains("\n    Keep the result\n"), "{found}");
    let commit = repository.git("rev-parse HEAD~2");
    assert!(found.contains(&format!("\ncommit {commit}")), "{found}");
    assert!(output.stderr.contains("Keep the result: leaks\n"), "{}", output.stderr);
    assert_eq!(repository.state(), before);
    assert_eq!(fs::read_dir(repository.temporary()).unwrap().count(), 0);

    // Both leaks are new, and the id selects one.
    let both = repository.bisect("--good HEAD~6 --lib").code(exit::CLEAN);
    let note = both.stderr.lines().find(|line| line.contains("also new: ")).unwrap();
    let id = note.split("also new: ").nth(1).unwrap().split(';').next().unwrap();
    let other = repository.bisect(&format!("--good HEAD~3 --id {id} --lib")).code(exit::CLEAN);
    let subject =
        if both.stdout.contains("Keep the result") { "Add a test" } else { "Keep the result" };
    assert!(other.stdout.contains(&format!("\n    {subject}\n")), "{}", other.stdout);
}

/// The revision of the test above that does not build is never selected. This one comes first.
#[test]
fn a_revision_in_the_middle_that_does_not_build_is_skipped_and_named() {
    let repository = Repository::new(
        "bisect-middle",
        &[
            ("Work", CLEAN.to_owned()),
            ("First comment", format!("// One.\n{CLEAN}")),
            ("Second comment", format!("// Two.\n{CLEAN}")),
            ("Half a change", BROKEN.to_owned()),
            ("Third comment", format!("// Three.\n{CLEAN}")),
            ("Keep the result", LEAKS.to_owned()),
            ("Move lines", format!("\n{LEAKS}")),
        ],
    );
    let output = repository.bisect("--good HEAD~6 --lib works").code(exit::CLEAN);
    assert!(output.stdout.contains("\n    Keep the result\n"), "{}", output.stdout);
    let skipped = "Half a change: skipped, as it does not build\n";
    assert!(output.stderr.contains(skipped), "{}", output.stderr);
    let is_named = |line: &str| line.contains("Skipped [") && line.ends_with("] Half a change");
    assert!(output.stderr.lines().any(is_named), "{}", output.stderr);
}

#[test]
fn revisions_that_do_not_build_next_to_the_leak_are_all_named() {
    let repository = Repository::new(
        "bisect-skips",
        &[
            ("Work", CLEAN.to_owned()),
            ("Half a change", BROKEN.to_owned()),
            ("Keep the result", LEAKS.to_owned()),
        ],
    );
    let output = repository.bisect("--good HEAD~2 --lib works").code(exit::COULD_NOT_RUN);
    let named = output.stderr.lines().filter(|line| line.contains("commit: [")).count();
    assert_eq!(named, 2, "{}", output.stderr);
    assert!(output.stderr.contains("could not be tested"), "{}", output.stderr);
}

#[test]
fn a_bisection_that_cannot_be_is_refused_with_the_reason() {
    let repository = Repository::new(
        "bisect-errors",
        &[("Work", CLEAN.to_owned()), ("Keep", LEAKS.to_owned()), ("Move", format!("\n{LEAKS}"))],
    );
    let refused = |args: &str, code: i32, expected: &str| {
        let output = repository.bisect(args).code(code);
        assert!(output.stderr.contains(expected), "{expected}: {}", output.stderr);
        assert_eq!(output.stdout, "");
    };
    refused("works", exit::USAGE, "--good <REV>");
    refused("--good nowhere works", exit::USAGE, "there is no commit `nowhere`");
    refused("--good HEAD works", exit::USAGE, "are the same commit");
    refused("--good HEAD --bad HEAD~1 works", exit::USAGE, "is no ancestor of `HEAD~1`");
    refused("--good HEAD~2 --id 12 works", exit::USAGE, "eight hexadecimal digits");
    let id = "--good HEAD~2 --id 00000000 --lib works";
    refused(id, exit::COULD_NOT_RUN, "no test of `HEAD` shows the leak 00000000; its tests show ");
    let there = "all leaks of `HEAD` are already there at `HEAD~1`";
    refused("--good HEAD~1 --lib works", exit::COULD_NOT_RUN, there);
    refused("--good HEAD~2 --lib --no-such works", exit::USAGE, "--no-such");

    repository.project.write("src/lib.rs", &format!("{BROKEN}{TEST}"));
    let changed = "`src/lib.rs` has changes that are not committed";
    refused("--good HEAD~2 --lib works", exit::USAGE, changed);
    repository.git("commit --all --quiet --message Broken");
    let broken = "the tests of `HEAD` could not be built or run";
    refused("--good HEAD~2 --lib works", exit::COULD_NOT_RUN, broken);

    let nowhere = tempfile::tempdir().unwrap();
    let outside = repository.project.subcommand("bisect", "--good HEAD~1").dir(nowhere.path());
    let output = outside.env("GIT_CEILING_DIRECTORIES", nowhere.path().parent().unwrap()).run();
    assert!(output.code(exit::USAGE).stderr.contains("this directory is in no git repository"));

    let without_git = repository.project.subcommand("bisect", "--good HEAD~1");
    let output = without_git.env("PATH", Path::new("/nonexistent")).run().code(exit::COULD_NOT_RUN);
    assert!(output.stderr.contains("failed to run git"), "{}", output.stderr);
}
