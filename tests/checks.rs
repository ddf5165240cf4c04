//! Tests with `#[tracemalloc::check]`, under all runners. The name of a fixture's test begins with
//! its expected verdict.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use support::{Call, Listing, Output, Project, Report, Status, exit};
use tracemalloc_harness::{Outcome, Verdict};

/// The part of a test's path that begins with the expected verdict. In a parametrised test, it is
/// not the last part.
fn promise(test: &str) -> &str {
    let promises =
        ["clean", "once", "leaks", "skipped", "unconfirmed", "fails", "ignored", "match"];
    let part = test.trim_start_matches("r#").split("::").find_map(|part| {
        let word = part.trim_start_matches("r#").split('_').next().unwrap();
        promises.iter().find(|promise| **promise == word)
    });
    part.unwrap_or_else(|| panic!("the name has no verdict: {test}"))
}

fn has_to_fail(test: &str) -> bool {
    matches!(promise(test), "leaks" | "fails")
}

/// Tests that fail, of the targets that have an allocator of their own: the integration tests.
/// Their names are all different.
type Failing = BTreeSet<String>;

/// By `cargo test`.
fn failing_under_cargo_test(output: &Output) -> Failing {
    let targets: Vec<&str> =
        output.stderr.lines().filter(|line| line.trim_start().starts_with("Running ")).collect();
    let listings = Listing::parse(&output.stdout).targets;
    let doctests = listings.len() - targets.len();
    let own = targets
        .iter()
        .zip(&listings[..listings.len() - doctests])
        .filter(|(target, _)| target.contains("tests/"));
    let tests = own.flat_map(|(_, tests)| tests);
    tests.filter(|(_, status)| **status == Status::Failed).map(|(test, _)| test.clone()).collect()
}

/// By cargo-nextest: `FAIL [   0.007s] (1/9) attribute::own tests::leaks_32_bytes`.
fn failing_under_nextest(output: &Output) -> Failing {
    let failing = output.stderr.lines().filter_map(|line| {
        let mut words = line.trim_start().strip_prefix("FAIL [")?.rsplit(' ');
        let (test, binary) = (words.next()?, words.next()?);
        binary.contains("::").then(|| test.to_owned())
    });
    failing.collect()
}

/// By `cargo tracemalloc test`.
fn failing_in_report(report: &Report) -> Failing {
    let own = report.tests().filter(|(target, _)| target.kind == "test");
    let failing = own
        .filter(|(_, test)| test.outcome == Outcome::Failed || test.verdict == Some(Verdict::Leak));
    failing.map(|(_, test)| test.name.clone()).collect()
}

/// Loops that leak fail, ten of ten times, with the holder and the path to what grew. In a target
/// that nothing traces, a loop fails too: it could not measure anything.
#[test]
#[ignore = "see ci/checks.sh"]
fn a_loop_comes_to_the_same_wherever_it_runs() {
    let project = Project::copy("checks", "loops");
    let plain = project.cargo_test("-p loops --test own --no-fail-fast");
    let plain = plain.run().code(exit::TEST_FAILED);
    project.tracemalloc("-p loops --no-fail-fast").run().code(exit::TEST_FAILED);
    let report = project.report();
    for (test, status) in Listing::parse(&plain.stdout).tests() {
        assert_eq!(status == Status::Failed, has_to_fail(&test), "{test}: {}", plain.stdout);
    }
    for (_, test) in report.tests() {
        let failed = test.outcome == Outcome::Failed;
        assert_eq!(failed, has_to_fail(&test.name), "{test:#?}");
    }
    let message = |kind: &str, test: &str| {
        let lib = report.targets.iter().find(|target| target.kind == kind).unwrap();
        let test = lib.tests.iter().find(|entry| entry.name == format!("tests::{test}")).unwrap();
        test.message.clone().unwrap()
    };
    insta::assert_snapshot!("loop-cache", message("lib", "fails_for_a_cache_that_leaks"));
    insta::assert_snapshot!("loop-tenth", message("lib", "fails_for_a_leak_in_each_tenth_round"));
    insta::assert_snapshot!("loop-server", message("lib", "fails_for_a_server_on_another_thread"));
    insta::assert_snapshot!("loop-own", message("test", "fails_for_a_cache_that_leaks"));

    let untraced = project.cargo_test("-p loops --lib --no-fail-fast");
    let untraced = untraced.run().code(exit::TEST_FAILED);
    let said = untraced.stdout.matches("assert_steady! measured nothing: this program's global");
    assert_eq!(said.count(), 5, "{}", untraced.stdout);
}

/// The dependencies of tests and runtime are compiled twice for this: `ci/checks.sh` runs it, and
/// the next one.
#[test]
#[ignore = "see ci/checks.sh"]
fn a_test_comes_to_the_same_wherever_it_runs() {
    let project = Project::copy("checks", "three-ways");
    let packages = "-p attribute -p many -p no-std -p renamed -p self-tracing";
    let report = comes_to_the_same(&project, packages, 18 + 100 + 8 + 2);
    verdicts_of_the_injected_runtime(&report);
    tests_that_trace_themselves_do_not_disturb_the_harness(&report);
    with_nothing_that_traces(&project);
    two_hundred_tests_on_eight_threads(&project);
}

/// With tokio, rstest, test-case, proptest and mimalloc.
#[test]
#[ignore = "see ci/checks.sh"]
fn a_test_of_other_frameworks_comes_to_the_same_wherever_it_runs() {
    let project = Project::copy("checks", "frameworks");
    let report = comes_to_the_same(&project, "-p frameworks -p wrapping", 12 + 3);
    verdicts_of_the_injected_runtime(&report);
}

/// So many tests have to fail by `cargo test`, by nextest, and by the command, whose report is
/// returned.
fn comes_to_the_same(project: &Project, packages: &str, fail: usize) -> Report {
    let args = format!("{packages} --no-fail-fast");
    let plain = project.cargo_test(&args).run().code(exit::TEST_FAILED);
    let under_cargo_test = failing_under_cargo_test(&plain);
    let nextest = Call::program("cargo").args(&format!("nextest run {args}")).dir(&project.root);
    let under_nextest = failing_under_nextest(&nextest.run().code(100));
    pretty_assertions::assert_eq!(under_nextest, under_cargo_test);
    let traced = project.tracemalloc(&args).run();
    assert!(matches!(traced.code, Some(exit::TEST_FAILED | exit::LEAK)), "{}", traced.stderr);
    let report = project.report();
    pretty_assertions::assert_eq!(failing_in_report(&report), under_cargo_test);

    let own = report.tests().filter(|(target, _)| target.kind == "test");
    let promised: Failing =
        own.map(|(_, test)| test.name.clone()).filter(|test| has_to_fail(test)).collect();
    assert_eq!(promised.len(), fail);
    pretty_assertions::assert_eq!(under_cargo_test, promised);
    report
}

/// In the targets that have no allocator of their own, the harness judges by the limits of the
/// tests.
fn verdicts_of_the_injected_runtime(report: &Report) {
    for (_, test) in report.tests().filter(|(target, _)| target.kind == "lib") {
        let (outcome, verdict) = match promise(&test.name) {
            "clean" | "match" => (Outcome::Passed, Some(Verdict::Clean)),
            "once" => (Outcome::Passed, Some(Verdict::Once)),
            "leaks" => (Outcome::Passed, Some(Verdict::Leak)),
            "skipped" => (Outcome::Passed, Some(Verdict::Skipped)),
            "unconfirmed" => (Outcome::Passed, Some(Verdict::Unconfirmed)),
            "fails" => (Outcome::Failed, None),
            _ => (Outcome::Ignored, None),
        };
        assert_eq!((test.outcome, test.verdict), (outcome, verdict), "{test:#?}");
        let amount = test
            .name
            .rsplit("::")
            .next()
            .unwrap()
            .split('_')
            .nth(1)
            .and_then(|word| word.parse::<u64>().ok());
        if let (Some(Verdict::Leak), Some(bytes)) = (verdict, amount) {
            assert_eq!(test.runs[0].bytes, bytes, "{test:#?}");
        }
    }
    let lib =
        report.targets.iter().find(|target| target.package == "attribute" && target.kind == "lib");
    let Some(lib) = lib else { return };
    let test =
        |name: &str| lib.tests.iter().find(|test| test.name == format!("tests::{name}")).unwrap();

    let skipped = test("skipped_with_a_reason");
    assert_eq!(skipped.verdict_reason.as_deref(), Some("known upstream"));
    assert_eq!(skipped.check.as_ref().unwrap().skip.as_deref(), Some("known upstream"));
    let limited = test("leaks_11000_bytes");
    assert_eq!((limited.limit.max_growth, limited.limit.max_blocks), (1 << 20, Some(1)));
    let check = test("leaks_7_bytes").check.as_ref().unwrap();
    assert_eq!(check.include, Some(vec!["*.rs".to_owned()]));
    assert_eq!(check.exclude.as_ref().map(Vec::len), Some(2));
    assert_eq!(test("leaks_100_bytes").runs.len(), 1, "runs = 1");
    let peak = test("fails_above_its_peak");
    assert_eq!(peak.check.as_ref().unwrap().max_peak, Some(10 << 10));
    assert!(peak.message.as_ref().unwrap().contains("limit 10.0 KiB (10240 bytes)"), "{peak:#?}");
    assert_eq!(test("fails_in_a_helper").check, None);
    let budget = test("fails_above_its_number_of_allocations");
    assert_eq!(budget.check.as_ref().unwrap().max_allocations, Some(2));
    let message = budget.message.as_ref().unwrap();
    assert!(message.contains("made 3 allocations, limit 2"), "{message}");
    // The attribute's closure is not to be seen.
    let traceback = &test("leaks_32_bytes").growth[0].traceback;
    let functions: Vec<&str> = traceback.iter().map(|frame| frame.function.as_str()).collect();
    assert_eq!(functions, ["attribute::tests::leaks_32_bytes", "attribute::leak"]);
}

/// A test that starts, clears and stops tracing changes the view of the program. The harness
/// measures all the same.
fn tests_that_trace_themselves_do_not_disturb_the_harness(report: &Report) {
    let growth = |test: &str| {
        let test = report.test(&format!("tests::{test}"));
        let growth = test
            .growth
            .iter()
            .map(|growth| (growth.bytes, growth.blocks, growth.traceback[0].line));
        (test.runs[0].bytes, test.runs[0].blocks, growth.collect::<Vec<_>>())
    };
    let leaks = |lines: &[u32]| {
        lines.iter().zip([400, 300, 200, 100]).map(|(line, bytes)| (bytes, 1, *line)).collect()
    };
    assert_eq!(
        growth("leaks_1000_bytes_around_its_own_tracing"),
        (1000, 4, leaks(&[26, 21, 19, 17]))
    );
    assert_eq!(growth("leaks_5000_bytes_that_it_never_untracks").0, 5000);
}

/// Without a tracing allocator a test runs as if there were no attribute, unless that is not
/// allowed.
fn with_nothing_that_traces(project: &Project) {
    let plain =
        project.cargo_test("-p attribute --lib --no-fail-fast").run().code(exit::TEST_FAILED);
    for (test, status) in Listing::parse(&plain.stdout).tests() {
        let fails = [
            "tests::fails_by_its_result",
            "tests::fails_with_a_panic",
            "tests::fails_with_another_panic",
        ];
        assert_eq!(status == Status::Failed, fails.contains(&test.as_str()), "{test}");
    }
    let note = "note: nothing is checked by tracemalloc: ";
    assert_eq!(plain.stderr.matches(note).count(), 1, "one note for the process");
    let required =
        project.cargo_test("-p attribute --lib --no-fail-fast").env("TRACEMALLOC_REQUIRE", "1");
    let required = required.run().code(exit::TEST_FAILED);
    for (test, status) in Listing::parse(&required.stdout).tests() {
        let runs = ["skipped", "ignored"].contains(&promise(&test));
        assert_eq!(status == Status::Failed, !runs, "{test}");
    }
    let said =
        required.stdout.matches("nothing was checked, and TRACEMALLOC_REQUIRE is 1: ").count();
    assert_eq!(said, 29, "each test that fails says why");
}

/// Runs this integration test of the package `many` with eight tests at a time.
fn on_eight_threads(project: &Project, test: &str) -> impl Fn() -> Output {
    let args = format!("-p many --test {test} --no-run --message-format json");
    let messages = project.cargo_test(&args).run().code(exit::CLEAN).stdout;
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    let executable = executable.expect("cargo names the test binary");
    let dir = project.root.join("many");
    move || {
        let call = Call::program(&executable).args("--test-threads 8").dir(&dir);
        let call = call.env("CARGO_MANIFEST_DIR", dir.to_str().unwrap());
        call.run().code(exit::TEST_FAILED)
    }
}

/// The part of the output that is about this test.
fn section<'a>(output: &'a Output, test: &str) -> &'a str {
    let section = output.stdout.split(&format!("---- {test} stdout ----")).nth(1).unwrap();
    section.split("\n---- ").next().unwrap()
}

#[test]
fn budgets_are_exact_with_eight_tests_at_a_time() {
    let project = Project::copy("checks", "budgets");
    let run = on_eight_threads(&project, "budgets");
    for _ in 0..10 {
        let output = run();
        let tests = Listing::parse(&output.stdout).tests();
        assert_eq!(tests.len(), 16);
        for (test, status) in &tests {
            assert_eq!(*status == Status::Failed, has_to_fail(test), "{test}");
            if has_to_fail(test) {
                let number: u64 = test.rsplit('_').next().unwrap().parse().unwrap();
                let headline = format!("made {number} allocations, limit {}\n", number - 1);
                let section = section(&output, test);
                assert!(section.contains(&headline), "{headline}: {section}");
            }
        }
    }
    let output = run();
    let text = section(&output, "fails_150").split("\nnote: run with").next().unwrap().trim();
    let (_place, text) = text.split_once('\n').unwrap();
    insta::assert_snapshot!("budget", text);
}

/// Every verdict is right, and so is every amount, however the threads interleave.
fn two_hundred_tests_on_eight_threads(project: &Project) {
    let run = on_eight_threads(project, "own");
    for _ in 0..20 {
        let output = run();
        let tests = Listing::parse(&output.stdout).tests();
        assert_eq!(tests.len(), 200);
        for (test, status) in &tests {
            assert_eq!(*status == Status::Failed, has_to_fail(test), "{test}");
            if has_to_fail(test) {
                let bytes = test.split('_').nth(1).unwrap();
                let headline =
                    format!("leaked {bytes} B in 1 block a run (3 of 3 runs), limit 0 B");
                let section = section(&output, test);
                assert!(section.contains(&headline), "{headline}: {section}");
            }
        }
    }
}

/// A copy of the library's packages with another version. Its table has a form that is so much
/// newer.
fn other_version(root: &Path, newer: u32) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for package in ["tracemalloc-rt", "tracemalloc-macros"] {
        for file in
            ["Cargo.toml"].map(PathBuf::from).into_iter().chain(sources(&repository.join(package)))
        {
            let content = fs::read_to_string(repository.join(package).join(&file)).unwrap();
            let content =
                content.replace("const FORM: u32 = ", &format!("const FORM: u32 = {newer} + "));
            write(&root.join(package).join(&file), &content);
        }
    }
    let workspace = fs::read_to_string(repository.join("Cargo.toml")).unwrap();
    let members = r#"members = ["tracemalloc-macros", "tracemalloc-rt"]"#;
    let lines =
        workspace.lines().map(|line| if line.starts_with("members = ") { members } else { line });
    let lines = lines.filter(|line| {
        !line.starts_with("exclude = ") && !line.starts_with("tracemalloc-harness = ")
    });
    write(
        &root.join("Cargo.toml"),
        &lines.collect::<Vec<_>>().join("\n").replace("0.1.0", "0.1.7"),
    );
}

fn sources(package: &Path) -> Vec<PathBuf> {
    support::files(&package.join("src")).iter().map(|file| Path::new("src").join(file)).collect()
}

/// Writes the files that are missing, so that cargo compiles only what has changed.
fn write(path: &Path, content: &str) {
    if fs::read_to_string(path).is_ok_and(|present| present == content) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn a_library_of_another_version_is_understood_or_named() {
    let project = Project::copy("checks", "other-version");
    let other = project.root.parent().unwrap().join("other");
    let manifest = project.root.join("Cargo.toml");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_str().unwrap();
    let content =
        fs::read_to_string(&manifest).unwrap().replace(repository, other.to_str().unwrap());
    let members = content
        .lines()
        .map(|line| if line.starts_with("members") { "members = [\"renamed\"]" } else { line });
    fs::write(&manifest, members.collect::<Vec<_>>().join("\n")).unwrap();

    other_version(&other, 0);
    project.tracemalloc("-p renamed --lib").run().code(exit::LEAK);
    assert_eq!(project.report().leaks(), ["tests::leaks_73_bytes"]);

    other_version(&other, 1);
    let output = project.tracemalloc("-p renamed --lib").run().code(exit::TEST_FAILED);
    let words = "this program's global allocator is from tracemalloc-rt 0.1.0, which tracemalloc-rt 0.1.7 cannot talk to: \
                 depend on tracemalloc-rt 0.1.0, or, where cargo-tracemalloc brings the allocator, install \
                 cargo-tracemalloc 0.1.7";
    assert!(output.stdout.contains(words));
    let report = project.report();
    let failed = report.test("tests::leaks_73_bytes");
    assert!(failed.message.as_ref().unwrap().contains("tracemalloc-rt 0.1.7"), "{failed:#?}");
}

#[test]
fn examples_of_the_page_on_checks_are_tested() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(repository.join("docs/check.md")).unwrap();
    let tested = Project::source("checks").join("frameworks/tests/situations.rs");
    let tested = fs::read_to_string(tested).unwrap();
    let situations: Vec<String> = tested
        .split("    // situation: ")
        .skip(1)
        .map(|rest| {
            let (_title, code) = rest.split_once('\n').unwrap();
            let code = code.split("    // end").next().unwrap();
            code.lines()
                .map(|line| line.strip_prefix("    ").unwrap_or(line))
                .collect::<Vec<_>>()
                .join("\n")
        })
        .collect();
    let shown =
        page.split("```rust\n").skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned());
    pretty_assertions::assert_eq!(shown.collect::<Vec<_>>(), situations);
    assert!(situations.len() >= 10);
}
