//! Habits from `cargo test` and other tools: variables, formats and layouts.

mod support;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use support::{Call, Project, exit};

/// One workspace serves all tests of this file, one after the other.
static WORKSPACE: Mutex<()> = Mutex::new(());

const SOURCE: &str = r#"
#[cfg(test)]
#[path = "../shared/keep.rs"]
mod keep;

#[cfg(test)]
mod tests {
    #[test]
    fn fails_if_it_is_asked_to() {
        assert!(std::env::var_os("FAIL").is_none(), "\u{1b}[31masked");
    }

    #[test]
    fn leaks() {
        crate::keep::keep(100);
    }

    #[test]
    #[should_panic]
    fn panics() {
        panic!("meant");
    }

    #[test]
    #[ignore = "never"]
    fn rests() {}
}
"#;

/// The workspace, for as long as the second value lives.
fn workspace() -> (Project, MutexGuard<'static, ()>) {
    let guard = WORKSPACE.lock().unwrap_or_else(PoisonError::into_inner);
    let project = Project { root: Path::new(env!("CARGO_TARGET_TMPDIR")).join("habits") };
    project.write("Cargo.toml", "[package]\nname = \"habits\"\nedition = \"2024\"\n[workspace]\n");
    project.write("src/lib.rs", SOURCE);
    project.write(
        "shared/keep.rs",
        "pub fn keep(bytes: usize) {\n    std::mem::forget(vec![1_u8; bytes]);\n}\n",
    );
    (project, guard)
}

#[test]
fn a_module_with_a_path_is_named_without_the_way_there() {
    let (project, _guard) = workspace();
    let output = project.tracemalloc("").run().code(exit::LEAK);
    assert!(output.stdout.contains("lost Vec<u8> (shared/keep.rs:2): 100 B in 1 block"));
    assert!(output.stdout.contains("\n      | std::mem::forget(vec![1_u8; bytes]);\n"));
    project.tracemalloc("--exclude shared/*").run().code(exit::CLEAN);
}

#[test]
fn colours_of_cargo_are_those_of_the_report() {
    let (project, _guard) = workspace();
    let coloured = "\u{1b}[1m\u{1b}[91mlost\u{1b}[0m";
    let output = project.tracemalloc("").env("CARGO_TERM_COLOR", "always").run().code(exit::LEAK);
    assert!(output.stdout.contains(coloured));
    let never = project.tracemalloc("--color never").env("CARGO_TERM_COLOR", "always").run();
    assert!(!never.stdout.contains('\u{1b}'));

    project.write(".cargo/config.toml", "[term]\ncolor = \"always\"\n");
    let configured = project.tracemalloc("").run().code(exit::LEAK);
    project.write(".cargo/config.toml", "");
    assert!(configured.stdout.contains(coloured));
}

#[test]
fn junit_has_the_results_under_the_names_of_libtest() {
    let (project, _guard) = workspace();
    let args = "--format json -- -Zunstable-options --format junit --logfile results.xml";
    project.tracemalloc(args).env("FAIL", "1").run().code(exit::TEST_FAILED);
    let results = std::fs::read_to_string(project.root.join("results.xml")).unwrap();
    let report = junit_parser::from_reader(results.as_bytes()).unwrap();
    let [suite] = report.suites.as_slice() else { panic!("one suite: {results}") };
    let case = |case: &junit_parser::TestCase| {
        (case.original_name.clone(), case.classname.clone(), case.status.is_success())
    };
    let cases: Vec<_> = suite.cases.iter().map(case).collect();
    let tests = |name: &str, passes| (name.to_owned(), Some("tests".to_owned()), passes);
    let expected =
        [tests("fails_if_it_is_asked_to", false), tests("leaks", true), tests("panics", true)];
    assert_eq!(cases, expected, "{results}");
    assert!(results.contains("\\u{1b}[31masked"), "control characters are escaped: {results}");

    let printed = project.tracemalloc("--lib -- --format junit").run().code(exit::LEAK);
    assert!(printed.stdout.starts_with("<?xml version=\"1.0\""));
}

#[test]
fn backtraces_at_a_terminal_are_no_growth() {
    let (project, _guard) = workspace();
    if Call::program("sh").args("-c").arg("command -v script").run().code != Some(0) {
        println!("skipped: there is no program `script`, which opens a terminal");
        return;
    }
    let terminal = "exec script -qec \"$*\" /dev/null";
    let output = project
        .tracemalloc("--deny once -- --nocapture --skip leaks")
        .env("RUST_BACKTRACE", "1")
        .in_shell(terminal)
        .run()
        .code(exit::CLEAN);
    assert!(output.stdout.contains("stack backtrace:"), "a person sees it");
    assert_eq!(project.report().count("clean"), 2);
}
