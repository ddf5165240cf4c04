//! Programs that tests start: what they have lost at their end is a leak of the test, and all else
//! stays as it is without tracing.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use support::{Call, Listing, Project, Report, exit};
use tracemalloc_harness::{TestEntry, Verdict};

/// The entries of programs, by program and test.
fn programs(report: &Report) -> BTreeMap<(&str, String), &TestEntry> {
    let programs = report.tests().filter(|(target, _)| target.kind == "program");
    programs.map(|(target, test)| ((target.name.as_str(), test.name.clone()), test)).collect()
}

/// The smallest and the whole growth of an entry, in bytes.
fn growth(entry: &TestEntry) -> (u64, u64) {
    let sum = |of: fn(&tracemalloc_harness::GrowthEntry) -> u64| entry.growth.iter().map(of).sum();
    (sum(|growth| growth.bytes), sum(|growth| growth.total_bytes))
}

/// Ends the program that has outlived its test and the command. It leaves nothing behind.
fn end(project: &Project) {
    let dir = project.root.join("target/tracemalloc/tmp/still-running");
    let number = fs::read_to_string(dir.join("number")).unwrap();
    fs::write(dir.join("end"), "").unwrap();
    // Where no process reaps it, it stays as a zombie.
    let status = Path::new("/proc").join(number).join("status");
    let runs = || fs::read_to_string(&status).is_ok_and(|status| !status.contains("(zombie)"));
    while runs() {
        thread::sleep(Duration::from_millis(5));
    }
    let sessions = fs::read_dir(project.root.join("target/tracemalloc")).unwrap();
    let mut names = sessions.map(|session| session.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.find(|name| name.starts_with("session-")), None);
}

#[test]
fn what_they_lose_is_a_leak_of_the_test_that_started_them() {
    let project = Project::copy("programs", "verdicts");
    let args = "-p app --no-fail-fast";
    let plain = project.cargo_test(args).run().code(exit::CLEAN);
    let traced = project.tracemalloc(&format!("{args} --programs")).run().code(exit::LEAK);
    assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout));

    let report = project.report();
    let lost = [
        ("app", "cli::lose::directly", 1000, 1),
        ("app", "cli::lose::by_assert_cmd", 1001, 1),
        ("app", "cli::lose::through_a_shell", 1002, 2),
        ("app", "cli::lose::in_parallel", 1003, 100),
        ("app", "cli::lose::in_a_grandchild", 1004, 1),
        ("app", "cli::lose::without_an_environment", 1005, 2),
        ("app", "cli::lose::in_the_background", 1006, 1),
        ("app", "cli::lose::with_an_exit_code", 2000, 1),
        ("app", "cli::lose::and_panic", 3000, 1),
        ("app", "cli::lose::and_close_all_files", 5000, 1),
        ("app", "cli::lose::in_a_thread_that_exits", 6000, 1),
        ("app", "cli::lose::after_exec", 1007, 1),
        ("copied", "cli::lose::in_a_copy", 1008, 1),
        ("sample", "cli::lose::in_an_example", 1500, 1),
        ("app", "cli::lose::beside_a_leak_of_the_test", 1009, 1),
        ("app", "cli::lose::while_the_test_runs_again", 1010, 1),
        ("app", "bare_main::main", 1100, 1),
    ];
    let mut entries = programs(&report);
    for (program, test, bytes, processes) in lost {
        let entry = entries.remove(&(program, test.to_owned())).unwrap_or_else(|| panic!("{test}"));
        assert_eq!(entry.verdict, Some(Verdict::Leak), "{entry:#?}");
        assert_eq!(growth(entry), (bytes, bytes * processes), "{entry:#?}");
        assert_eq!(entry.growth.len(), 1, "one entry a cause: {entry:#?}");
    }
    let parts = "a signal, `abort`, `_exit` or `exec` ended them, or they still run";
    for test in ["killed", "aborted", "ended_at_once", "replaced", "still_running"] {
        let test = format!("cli::not_judged::{test}");
        let entry = entries.remove(&("app", test.clone())).unwrap_or_else(|| panic!("{test}"));
        let reason = entry.verdict_reason.as_deref().unwrap_or_default();
        assert!(reason.ends_with(parts), "{reason}");
    }
    end(&project);
    let clean: Vec<&str> = entries.keys().map(|(_, test)| test.as_str()).collect();
    assert_eq!(clean.len(), 5, "{clean:?}");
    for ((_, test), entry) in entries {
        assert!(test.starts_with("cli::clean::"), "{test}");
        assert_eq!((entry.verdict, growth(entry)), (Some(Verdict::Clean), (0, 0)), "{entry:#?}");
    }
    // The tests themselves have their own verdicts.
    assert_eq!(report.test("lose::directly").verdict, Some(Verdict::Clean));
    assert_eq!(report.test("lose::beside_a_leak_of_the_test").verdict, Some(Verdict::Leak));
    let tests = report.tests().filter(|(target, _)| target.kind != "program").count();
    assert_eq!(report.count("tests"), tests as u64);

    // Without the option, the program is built again without tracing.
    let without = project.tracemalloc(args).run().code(exit::LEAK);
    assert!(without.compiled());
    let report = project.report();
    assert_eq!(report.leaks(), ["lose::beside_a_leak_of_the_test"]);
    assert!(programs(&report).is_empty());
}

#[test]
fn the_text_names_a_program_and_the_tests_that_start_it() {
    let project = Project::copy("programs", "text");
    let tests = "lose::by_assert_cmd lose::in_parallel clean::nothing killed";
    let args = format!("--programs -p app --test cli -- {tests}");
    let output = project.tracemalloc(&args).run().code(exit::LEAK);
    let start = output.stdout.find("\nlost ").unwrap();
    insta::assert_snapshot!("programs-text", output.stdout[start..].trim());
    let markdown = project
        .subcommand("report", "target/tracemalloc/report.json --format markdown")
        .run()
        .code(exit::LEAK);
    insta::assert_snapshot!("programs-markdown", markdown.stdout);
}

#[test]
fn limits_filters_and_known_leaks_of_their_tests_hold() {
    let project = Project::copy("programs", "limits");
    let verdict = |content: &str, args: &str, code: i32| {
        project.write("tracemalloc.toml", &format!("programs = true\n{content}"));
        let args = format!("-p app --test cli {args} -- lose::directly lose::with_an_exit_code");
        project.tracemalloc(&args).run().code(code);
        let report = project.report();
        let programs = programs(&report);
        assert_eq!(programs.len(), 2);
        programs[&("app", "cli::lose::directly".to_owned())].verdict.unwrap()
    };
    assert_eq!(verdict("", "", exit::LEAK), Verdict::Leak);
    assert_eq!(verdict("max-growth = 999", "", exit::LEAK), Verdict::Leak);
    assert_eq!(verdict("max-growth = 1000", "", exit::LEAK), Verdict::Clean);
    assert_eq!(verdict("", "--max-growth 2000", exit::CLEAN), Verdict::Clean);
    assert_eq!(verdict("", "--exclude */src/main.rs", exit::CLEAN), Verdict::Clean);
    assert_eq!(verdict("", "--domain c", exit::CLEAN), Verdict::Clean);
    let limit = "[[overrides]]\ntest = 'lose::directly'\nmax-growth = 1000";
    assert_eq!(verdict(limit, "", exit::LEAK), Verdict::Clean);
    let known = "[[known-leaks]]\nfunction = 'app::lose'\nreason = 'on purpose'";
    assert_eq!(verdict(known, "", exit::CLEAN), Verdict::Known);
    let of_test = "[[known-leaks]]\ntest = 'lose::directly'\nreason = 'on purpose'";
    assert_eq!(verdict(of_test, "", exit::LEAK), Verdict::Known);
    assert_eq!(verdict("", "--no-fail", exit::CLEAN), Verdict::Leak);

    // A known leak by its id.
    let leak = project.report().leaks[0].id.clone();
    let known = format!("[[known-leaks]]\nid = '{leak}'\nreason = 'on purpose'");
    assert_eq!(verdict(&known, "", exit::CLEAN), Verdict::Known);

    let refused = project.subcommand("show-env", "--programs").run().code(exit::USAGE);
    assert!(refused.stderr.contains("`--programs` needs a command that waits"));
}

#[test]
fn they_are_judged_under_nextest() {
    let project = Project::copy("programs", "nextest");
    let args = "run --programs -p app -E test(lose::directly)+test(clean::nothing)";
    project.subcommand("nextest", args).run().code(exit::LEAK);
    let report = project.report();
    let verdicts: Vec<_> = programs(&report).values().map(|entry| entry.verdict).collect();
    assert_eq!(verdicts, [Some(Verdict::Clean), Some(Verdict::Leak)]);
}

#[test]
fn those_with_an_allocator_of_their_own_are_traced() {
    let project = Project::copy("programs", "allocators");
    let args = "-p own-allocator -p own-malloc --programs";
    let output = project.tracemalloc(args).run().code(exit::LEAK);
    let report = project.report();
    let programs = programs(&report);
    for (name, bytes) in [("own-allocator", 1200), ("own-malloc", 1300)] {
        let entry = programs[&(name, "starts::it_loses".to_owned())];
        assert_eq!((entry.verdict, growth(entry)), (Some(Verdict::Leak), (bytes, bytes)));
    }
    let note = "memory of C was not traced in 2 targets: another allocator defines `malloc`";
    assert!(output.stdout.contains(note), "{}", output.stdout);
}

/// Cargo compiles a program without std for tests only where their panics abort.
#[test]
fn one_that_does_not_link_with_the_tracer_is_built_all_the_same() {
    let project = Project::copy("programs", "bare");
    let args = "-p bare -Zpanic-abort-tests";
    let aborting = |call: Call| {
        let call = call.env("RUSTC_BOOTSTRAP", "1").env("CARGO_PROFILE_DEV_PANIC", "abort");
        call.run().code(exit::CLEAN)
    };
    aborting(project.cargo_test(args));
    let traced = aborting(project.tracemalloc(&format!("{args} --programs")));
    let warning =
        "warning: target `bare` runs untraced: it does not link with the tracing allocator";
    assert!(traced.stderr.contains(warning), "{}", traced.stderr);
    let note = "untraced bare program bare: it does not link with the tracing allocator: ";
    assert!(traced.stdout.contains(note), "{}", traced.stdout);
    let example = project.root.join("target/tracemalloc/debug/examples/bare");
    Call::program(example).run().code(exit::CLEAN);
}
