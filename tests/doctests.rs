//! Doctests: each has a verdict, and passes, fails and prints as under `cargo test`.
//!
//! A comment `// leak: size=BYTES` in the documentation marks the line of a leak. The packages
//! `merged` and `single` have the same doctests. rustdoc merges those of the first.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod support;

use std::collections::BTreeMap;
use std::fs;

use support::{Call, Listing, Project, Report, exit};
use tracemalloc_harness::{GrowthKind, Outcome, Verdict};

/// The bytes that each marked line leaks, by file and line.
fn marked(project: &Project, package: &str) -> BTreeMap<(String, u32), u64> {
    let path = format!("{package}/src/lib.rs");
    let source = fs::read_to_string(project.root.join(&path)).unwrap();
    let marks = source.lines().zip(1..).filter_map(|(line, number)| {
        let (_, size) = line.split_once("// leak: size=")?;
        Some(((path.clone(), number), size.trim().parse().unwrap()))
    });
    marks.collect()
}

/// The bytes that each line leaks, in the report.
fn reported(report: &Report, package: &str) -> BTreeMap<(String, u32), u64> {
    let mut sums = BTreeMap::new();
    for (_, test) in report.tests().filter(|(target, _)| target.package == package) {
        for growth in test.growth.iter().filter(|growth| growth.kind == GrowthKind::Leak) {
            let frame = growth.traceback.last().unwrap();
            // The node and its vector are on one line.
            *sums.entry((frame.file.clone(), frame.line)).or_default() += growth.bytes;
        }
    }
    sums
}

/// Takes out the parts that differ from run to run.
fn redact(text: &str) -> String {
    let is_time = |line: &str| line.starts_with("all doctests ran in ");
    let mut redacted = String::new();
    for line in text.lines().filter(|line| !is_time(line)) {
        let line = line.split_once("; finished in ").map_or(line, |(line, _)| line);
        redacted += line.trim_end();
        redacted.push('\n');
    }
    redacted
}

#[test]
fn each_has_a_verdict_with_its_line() {
    let project = Project::copy("doctests", "verdicts");
    let args = "--doc -- --test-threads=1";
    let plain = project.cargo_test(args).run().code(exit::CLEAN);
    let traced = project.tracemalloc(args).run().code(exit::LEAK);
    assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout));
    insta::assert_snapshot!(redact(&traced.stdout));

    let report = project.report();
    for package in ["merged", "single"] {
        assert_eq!(reported(&report, package), marked(&project, package), "{package}");
    }
    let verdicts = |package: &str| -> Vec<(String, Outcome, Option<Verdict>, Option<String>)> {
        let tests = report.tests().filter(|(target, _)| target.package == package);
        let verdict = |name: &str, test: &tracemalloc_harness::TestEntry| {
            let name = name.replace(package, "PACKAGE");
            (name, test.outcome, test.verdict, test.verdict_reason.clone())
        };
        tests.map(|(_, test)| verdict(&test.name, test)).collect()
    };
    assert_eq!(verdicts("merged"), verdicts("single"));
    assert_eq!(report.targets.len(), 3);
    assert!(report.targets.iter().all(|target| target.kind == "doctest"));

    let listed = Listing::parse(&plain.stdout).targets;
    let listed: usize = listed.iter().map(|target| target.len()).sum();
    assert_eq!(report.tests().count(), listed);
    for (name, count) in [("skipped", 10), ("ignored", 2), ("untraced", 4), ("unconfirmed", 0)] {
        assert_eq!(report.count(name), count, "{name}");
    }
}

#[test]
fn a_toolchain_with_unstable_options_tests_more() {
    let project = Project::copy("doctests", "unstable");
    let with = |call: Call| call.env("RUSTC_BOOTSTRAP", "1").run().code(exit::TEST_FAILED);
    let args = "--doc --no-fail-fast";
    let plain = with(project.cargo_test(args));
    let traced = with(project.tracemalloc(args));
    assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout));

    // An expected error code, a feature, and the variable itself.
    let report = project.report();
    assert_eq!(report.count("failed"), 6);
    let failed = report.test("single/src/lib.rs - skip (line 119)");
    let words = "Test compiled successfully, but it's marked `compile_fail`.";
    assert_eq!((failed.verdict, failed.message.as_deref()), (None, Some(words)));
    assert_eq!(reported(&report, "single"), marked(&project, "single"));
}

#[test]
fn the_options_of_libtest_select_them() {
    let project = Project::copy("doctests", "selection");
    for (args, tests, code) in [
        ("--doc -p single -- lose", 2, exit::LEAK),
        ("--doc -p single -- lose --quiet", 2, exit::LEAK),
        ("--doc -p single -q -- lose --nocapture", 2, exit::LEAK),
        ("--doc -p merged -- lose --skip 66", 1, exit::LEAK),
        ("--doc -p merged -- environment --color=always", 1, exit::CLEAN),
        ("--doc -p merged -- no_doctest_is_called_this", 0, exit::CLEAN),
    ] {
        let plain = project.cargo_test(args).run().code(exit::CLEAN);
        let traced = project.tracemalloc(args).run().code(code);
        assert_eq!(Listing::parse(&traced.stdout).counts, Listing::parse(&plain.stdout).counts);
        assert_eq!(project.report().tests().count(), tests, "{args}");
    }
    let list = project.tracemalloc("--doc -p single -- --list").run().code(exit::CLEAN);
    assert!(list.stdout.contains("\n21 tests, 0 benchmarks\n"), "{}", list.stdout);
    let other = project.tracemalloc("--lib -p single").run().code(exit::CLEAN);
    assert!(!other.stdout.contains("doctest"), "{}", other.stdout);
}

#[test]
fn limits_and_known_leaks_hold_for_them() {
    let project = Project::copy("doctests", "limits");
    let verdict = |content: &str| {
        project.write("tracemalloc.toml", content);
        project.tracemalloc("--doc -p merged -- lose").run();
        let test = project.report().test("merged/src/lib.rs - lose (line 66)").clone();
        (test.verdict.unwrap(), test.growth.first().and_then(|growth| growth.known.clone()))
    };
    let limit = "[[overrides]]\ntest = '* - lose (line *)'\nmax-growth = 705";
    assert_eq!(verdict(limit).0, Verdict::Clean);
    assert_eq!(verdict("max-growth = 704").0, Verdict::Leak);
    assert_eq!(verdict("runs = 1").0, Verdict::Leak);
    let known = "[[known-leaks]]\nfunction = 'doctest::main'\nreason = 'it shows how to leak'";
    let (found, known) = verdict(known);
    assert_eq!((found, known.unwrap().reason.as_str()), (Verdict::Known, "it shows how to leak"));
}

#[test]
fn one_that_fails_is_no_leak() {
    let project = Project::copy("doctests", "failing");
    project.write(
        "merged/src/lib.rs",
        "//! ```\n//! std::mem::forget(vec![1_u8; 9]);\n//! panic!(\"as planned\");\n//! ```\n",
    );
    let args = "--doc -p merged";
    let plain = project.cargo_test(args).run().code(exit::TEST_FAILED);
    let traced = project.tracemalloc(args).run().code(exit::TEST_FAILED);
    assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout));
    assert!(traced.stdout.contains("as planned"), "{}", traced.stdout);
    let report = project.report();
    let test = report.test("merged/src/lib.rs - (line 1)");
    assert_eq!((test.outcome, test.verdict), (Outcome::Failed, None));
    assert!(test.message.as_deref().unwrap().starts_with("Test executable failed"), "{test:#?}");
}

#[test]
fn a_crate_without_std_and_a_runner_change_nothing() {
    let project = Project::copy("doctests", "no-std");
    project.write(
        "merged/src/lib.rs",
        "//! ```\n//! assert_eq!(merged::NUMBER, 7);\n//! ```\n//!\n//! ```\n//! std::mem::forget(vec![merged::NUMBER; 9]);\n//! ```\n//!\n\
         //! ```standalone_crate\n//! std::mem::forget(vec![merged::NUMBER; 8]);\n//! ```\n\n\
         #![no_std]\n\n/// A number.\npub const NUMBER: u8 = 7;\n",
    );
    project.write("runner.sh", "echo started >> started\nexec \"$@\"\n");
    let runner = project.root.join("runner.sh");
    let config = format!("[target.'cfg(all())']\nrunner = ['sh', '{}']\n", runner.display());
    project.write(".cargo/config.toml", &config);
    let args = "--doc -p merged";
    let started = project.root.join("merged/started");
    let run = |call: Call, code: i32| {
        let _ = fs::remove_file(&started);
        let output = call.run().code(code);
        let times = fs::read_to_string(&started).unwrap_or_default().lines().count();
        (Listing::parse(&output.stdout), times)
    };
    let plain = run(project.cargo_test(args), exit::CLEAN);
    let traced = run(project.tracemalloc(args), exit::LEAK);
    assert!(plain.1 > 0);
    assert_eq!(traced, plain);
    // Behind a runner, rustdoc runs merged doctests in one process.
    let report = project.report();
    let bytes: Vec<u64> = reported(&report, "merged").into_values().collect();
    assert_eq!((bytes, report.count("untraced")), (vec![8], 2));
    let reason = "it did not run in a process of its own";
    assert_eq!(report.test("merged/src/lib.rs - (line 5)").verdict_reason.as_deref(), Some(reason));
}
