//! Tests that do more than leak: under the command they pass, fail, print and die as under `cargo
//! test`, or better.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use support::{Call, Listing, Output, Project, Status, exit};
use tracemalloc_harness::{Outcome, Verdict};

/// The lines below the headline that names this test, up to the next headline.
fn section<'a>(stdout: &'a str, test: &str) -> &'a str {
    let headline = format!("---- {test}");
    let is_headline = |rest: &str| rest[headline.len()..].starts_with([' ', '\n']);
    let mut starts = stdout.match_indices(&headline).map(|(start, _)| &stdout[start..]);
    let start = starts
        .find(|rest| is_headline(rest))
        .unwrap_or_else(|| panic!("nothing is shown of {test}"));
    let body = start.split_once('\n').unwrap().1;
    body.split("\n---- ").next().unwrap()
}

/// Whether a failing test's own words are shown below its name.
#[track_caller]
fn assert_shown(output: &Output, test: &str, words: &[&str]) {
    let section = section(&output.stdout, test);
    for word in words {
        assert!(section.contains(word), "{test} does not show {word:?}:\n{section}");
    }
}

#[test]
fn outcomes_and_output_are_those_of_cargo_test() {
    let project = Project::copy("behaviour", "outcomes");
    // With one thread, libtest prints a test's name before it runs, and what a child writes lands
    // behind that.
    let args = "-p outcomes --no-fail-fast -- --test-threads=2";
    let plain = project.cargo_test(args).run().code(exit::TEST_FAILED);
    let traced = project.tracemalloc(args).run().code(exit::TEST_FAILED);
    assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout));

    let report = project.report();
    let outcomes: BTreeMap<String, Status> = report
        .tests()
        .map(|(_, test)| {
            let status = match test.outcome {
                Outcome::Passed => Status::Passed,
                Outcome::Failed => Status::Failed,
                Outcome::Ignored => Status::Ignored,
            };
            assert_eq!(test.verdict.is_some(), status == Status::Passed, "{test:#?}");
            (test.name.clone(), status)
        })
        .collect();
    assert_eq!(outcomes, Listing::parse(&plain.stdout).tests());
    for (name, count) in
        [("passed", 6), ("failed", 11), ("ignored", 3), ("leak", 0), ("unconfirmed", 0)]
    {
        assert_eq!(report.count(name), count, "{name}");
    }

    for (test, words) in [
        ("tests::fails_by_assertion", ["half of six", "src/lib.rs"].as_slice()),
        ("tests::fails_by_result", &["7 is odd"]),
        ("tests::should_panic::fails_with_a_wrong_message", &["7 is not even", "too large"]),
        ("tests::should_panic::fails_without_a_panic", &["did not panic"]),
        ("tests::should_panic::fails_without_the_expected_panic", &["did not panic"]),
        ("on_stdout", &["a line on stdout", "after stdout"]),
        ("on_stderr", &["a line on stderr", "after stderr"]),
        (
            "without_an_end_of_line",
            &["half a line on stdout", "half a line on stderr", "after half a line"],
        ),
        ("from_a_thread", &["a line from a thread", "inside a thread", "the thread ends well"]),
        ("from_c", &["a line from C", "after C"]),
        (
            "from_a_child_process",
            &["a line from a child", "its complaint", "what the child came to"],
        ),
    ] {
        assert_shown(&traced, test, words);
        assert!(report.test(test).message.is_some(), "{test} has a message");
    }
    for quiet in ["a hidden line", "nor this one", "a quiet line"] {
        assert!(!traced.stdout.contains(quiet), "{quiet:?} is shown");
        assert!(!traced.stderr.contains(quiet), "{quiet:?} is shown");
    }
    assert_eq!(
        report.test("tests::ignored::with_a_reason").message.as_deref(),
        Some("needs a network")
    );
    assert_eq!(report.test("tests::ignored::without_a_reason").message, None);
}

#[test]
fn the_harness_takes_the_arguments_of_libtest() {
    let project = Project::copy("behaviour", "arguments");
    for (args, code) in [
        ("passes", exit::CLEAN),
        ("tests::passes -- --exact", exit::CLEAN),
        ("-- passes --skip and_prints", exit::CLEAN),
        ("-- --ignored with", exit::CLEAN),
        ("-- --ignored", exit::TEST_FAILED),
        ("ignored:: -- --include-ignored", exit::TEST_FAILED),
        ("no_test_is_called_this", exit::CLEAN),
        ("should_panic -- --test-threads=1", exit::TEST_FAILED),
    ] {
        let args = format!("-p outcomes --lib {args}");
        let plain = project.cargo_test(&args).run().code(code);
        let traced = project.tracemalloc(&args).run().code(code);
        assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout), "{args}");
    }

    let list = "-p outcomes --lib -- --list --format terse";
    let plain = project.cargo_test(list).run().code(exit::CLEAN);
    let traced = project.tracemalloc(list).run().code(exit::CLEAN);
    let names = |output: &Output| -> Vec<String> {
        output.stdout.lines().filter(|line| line.ends_with(": test")).map(String::from).collect()
    };
    assert_eq!(names(&traced).len(), 13);
    assert_eq!(names(&traced), names(&plain));

    let quiet = ["a hidden line of a passed test", "nor this one"];
    let shown = project
        .tracemalloc("-p outcomes --lib passes_and_prints -- --show-output")
        .run()
        .code(exit::CLEAN);
    assert_shown(&shown, "tests::passes_and_prints", &quiet);
    let straight = project
        .tracemalloc("-p outcomes --lib passes_and_prints -- --nocapture")
        .run()
        .code(exit::CLEAN);
    for line in quiet {
        assert!(straight.stdout.contains(line) || straight.stderr.contains(line), "{line}");
    }
}

#[test]
fn a_test_that_dies_is_one_failed_test() {
    let project = Project::copy("behaviour", "crashes");
    let output = project.tracemalloc("-p crashes").run().code(exit::TEST_FAILED);
    let report = project.report();
    for (test, cause, words) in [
        ("aborts", "SIGABRT", ["last words before the abort"].as_slice()),
        ("aborts_where_a_panic_is_expected", "SIGABRT", &[]),
        ("exits_with_three", "3", &[]),
        ("exits_with_zero", "0", &["last words before the exit"]),
        ("is_killed", "SIGKILL", &["last words before the signal"]),
        (
            "overflows_its_stack",
            "SIGABRT",
            &["last words before the overflow", "has overflowed its stack"],
        ),
        ("panics_while_it_panics", "SIGABRT", &["the first panic", "the second panic"]),
    ] {
        let name = format!("tests::{test}");
        let entry = report.test(&name);
        assert_eq!(entry.outcome, Outcome::Failed, "{name}");
        assert_eq!(entry.verdict, None, "{name}");
        let message = entry.message.as_deref().unwrap_or_default();
        assert!(message.contains(cause), "{name}: {message}");
        assert_shown(&output, &name, words);
        assert!(section(&output.stdout, &name).contains(cause), "{name} does not show {cause}");
    }
    assert_eq!(report.verdict("tests::survives"), Some(Verdict::Clean));
    assert_eq!(
        (report.count("passed"), report.count("failed"), report.count("ignored")),
        (1, 7, 2)
    );
}

#[test]
fn a_test_that_fails_beside_others_passes_alone() {
    let project = Project::copy("behaviour", "together");
    for left_behind in ["the-file", "tried", "attempts"] {
        let _ = fs::remove_file(project.root.join("target").join(left_behind));
    }
    let output = project.tracemalloc("-p together -- --test-threads 2").run().code(exit::CLEAN);
    assert!(output.stdout.contains("2 passed; 0 failed; 2 ignored;"));
    assert!(output.stdout.contains("passed alone tests::uses_the_file"));
    assert!(output.stdout.contains("beside other tests it failed: panicked: the file is in use"));
    assert!(output.stdout.contains("the file is in use: \\u{1b}[31m"), "it cannot colour the page");
    let report = project.report();
    assert_eq!((report.count("passed_alone"), report.count("clean")), (1, 2));
    let (_, alone) = report.tests().find(|(_, test)| test.passed_alone).unwrap();
    assert_eq!((alone.outcome, alone.verdict), (Outcome::Passed, Some(Verdict::Clean)));
    assert!(alone.message.as_deref().unwrap().contains("the file is in use"));

    // Both failures are shown where they differ, and with one thread there is one attempt.
    let ignored = "-p together -- --ignored --test-threads";
    let output = project.tracemalloc(&format!("{ignored} 2")).run().code(exit::TEST_FAILED);
    let words = ["attempt 1", "It ran again alone, and failed again:", "attempt 2"];
    assert_shown(&output, "tests::fails_beside_others_and_alone", &words);
    let output = project.tracemalloc(&format!("{ignored} 1")).run().code(exit::TEST_FAILED);
    assert_shown(&output, "tests::fails_beside_others_and_alone", &["attempt 3"]);
    assert!(!output.stdout.contains("attempt 4"), "one thread, one attempt");
}

#[test]
fn a_test_that_hangs_is_ended() {
    let project = Project::copy("behaviour", "hangs");
    let hangs = "-p crashes --timeout 1s tests::hangs -- --ignored --exact";
    let output = project.tracemalloc(hangs).run().code(exit::TEST_FAILED);
    let report = project.report();
    let test = report.test("tests::hangs");
    assert_eq!(test.outcome, Outcome::Failed);
    let message = test.message.as_deref().unwrap();
    assert!(message.contains("1 s") || message.contains("1s"), "{message}");
    assert!(test.duration_seconds < 10.0);
    assert_shown(&output, "tests::hangs", &["last words before the silence"]);

    // The time is for all runs together: a thousand of them would take five minutes.
    let slow = "-p reruns --runs 1000 --timeout 10s tests::leaks_slowly -- --ignored --exact";
    project.tracemalloc(slow).run().code(exit::LEAK);
    let report = project.report();
    let test = report.test("tests::leaks_slowly");
    assert!(test.duration_seconds < 60.0, "{}", test.duration_seconds);
    assert!((8..=33).contains(&test.runs.len()), "{}", test.runs.len());
    let in_time = "-p reruns --timeout 60s tests::leaks_slowly -- --ignored --exact";
    project.tracemalloc(in_time).run().code(exit::LEAK);
    assert_eq!(project.report().test("tests::leaks_slowly").runs.len(), 8);

    // The front does not wait for a process that merely inherited a test's output.
    let leaves = "-p crashes tests::leaves_a_child_behind -- --ignored --exact";
    let output = project.tracemalloc(leaves).run().code(exit::CLEAN);
    assert!(output.duration < Duration::from_secs(18), "{:?}", output.duration);
}

#[test]
fn a_body_that_cannot_run_twice_is_judged_by_what_is_known() {
    let project = Project::copy("behaviour", "reruns");
    project.tracemalloc("-p reruns --no-fail-fast").run().code(exit::TEST_FAILED);
    let report = project.report();
    for (test, verdict) in [
        ("sets_a_static_and_leaks", Some(Verdict::Unconfirmed)),
        ("sets_a_static_and_keeps_its_memory_in_it", Some(Verdict::Unconfirmed)),
        ("counts_its_runs_and_leaks_nothing", Some(Verdict::Clean)),
        ("panics_only_the_first_time_and_leaks", Some(Verdict::Leak)),
        ("aborts_the_second_time_and_leaks_nothing", Some(Verdict::Clean)),
        ("leaks_only_the_first_three_times", Some(Verdict::Once)),
        ("starts_a_watchdog_that_ends_by_itself", Some(Verdict::Once)),
        ("leaks_in_every_run", Some(Verdict::Leak)),
        ("keeps_more_in_every_run", Some(Verdict::Leak)),
        ("leaks_and_fails", None),
        ("leaks_and_exits_the_second_time", None),
    ] {
        assert_eq!(report.verdict(&format!("tests::{test}")), verdict, "{test}");
    }
    let runs = |test: &str| report.test(&format!("tests::{test}")).runs.len();
    assert_eq!(runs("counts_its_runs_and_leaks_nothing"), 1);
    assert_eq!(runs("leaks_only_the_first_three_times"), 12, "its growth did not fade");
    assert_eq!(runs("leaks_in_every_run"), 1, "it is lost");
    assert!(runs("keeps_more_in_every_run") >= 8);

    // The test itself passed; that its process ended later is no failure of it.
    project
        .tracemalloc("-p reruns tests::leaks_and_exits_the_second_time -- --ignored")
        .run()
        .code(exit::CLEAN);
    let report = project.report();
    assert_eq!(
        report.verdict("tests::leaks_and_exits_the_second_time"),
        Some(Verdict::Unconfirmed)
    );

    // It did leak, which only fails on request.
    let once = project.tracemalloc("-p reruns --deny once leaks_only_the_first_three").run();
    assert_eq!(once.code, Some(exit::LEAK));
    let unconfirmed =
        project.tracemalloc("-p reruns --deny unconfirmed sets_a_static_and_leaks").run();
    assert_eq!(unconfirmed.code, Some(exit::LEAK));
    project.tracemalloc("-p reruns --deny once sets_a_static_and_leaks").run().code(exit::CLEAN);
}

#[test]
fn a_test_finds_the_same_surroundings_as_under_cargo_test() {
    let project = Project::copy("behaviour", "surroundings");
    let [plain, traced] =
        ["plain.txt", "traced.txt"].map(|file| project.root.join("target").join(file));
    project.cargo_test("-p surroundings").env("SURROUNDINGS_FILE", &plain).run().code(exit::CLEAN);
    project
        .tracemalloc("-p surroundings")
        .env("SURROUNDINGS_FILE", &traced)
        .run()
        .code(exit::CLEAN);

    let read = |file| -> Vec<String> {
        let lines = fs::read_to_string(file).unwrap();
        let lines = lines.lines().filter(|line| !line.starts_with("\"SURROUNDINGS_FILE\"="));
        // The directory for build products is the one thing that has to differ.
        let lines = lines.map(|line| line.replace("/target/tracemalloc/", "/target/"));
        // One was started by way of rustup, and knows nothing of our cache. Repeated runs would
        // leave snapshots of insta behind.
        let apart =
            ["RUSTUP_", "RUST_RECURSION_COUNT", "TRACEMALLOC_CACHE_DIR", "INSTA_UPDATE", "TMPDIR"];
        let apart = apart.map(|name| format!("\"{name}"));
        lines.filter(|line| !apart.iter().any(|name| line.starts_with(name))).collect()
    };
    pretty_assertions::assert_eq!(read(&traced), read(&plain));
}

#[test]
fn targets_of_all_kinds_are_run_and_traced_where_they_can_be() {
    let project = Project::copy("behaviour", "targets");
    let output = project.tracemalloc("-p targets").run().code(exit::CLEAN);
    let listing = Listing::parse(&output.stdout);
    assert!(
        listing
            .tests()
            .keys()
            .any(|name| name.contains("targets::greet") || name.contains("src/lib.rs - greet"))
    );

    let report = project.report();
    for (test, kind) in [
        ("tests::of_the_library", "lib"),
        ("tests::of_the_binary", "bin"),
        ("of_the_integration", "test"),
        ("of_the_example", "example"),
        ("targets/src/lib.rs - greet (line 5)", "doctest"),
    ] {
        let (target, entry) = report.tests().find(|(_, entry)| entry.name == test).unwrap();
        assert_eq!(
            (target.kind.as_str(), target.traced, entry.verdict),
            (kind, true, Some(Verdict::Clean)),
            "{test}"
        );
    }
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_test_without_a_harness_is_traced_as_a_whole() {
    let project = Project::copy("behaviour", "no-harness");
    let args = "-p no-harness --all-targets";
    let output = project.tracemalloc(args).in_shell(r#"echo told | "$@""#).run().code(exit::LEAK);
    for line in [
        r#"the test without a harness ran with []"#,
        r#"it has read "told\n""#,
        "TRACEMALLOC_SESSION is None",
        "RUSTC_WRAPPER is None",
        "the benchmark ran",
    ] {
        assert!(output.stdout.contains(line), "{line}");
    }
    let unconfirmed = "unconfirmed main (no-harness test grows): grew by 8196 B in 4 blocks, held by the stack of";
    assert!(output.stdout.contains(unconfirmed));
    assert!(output.stdout.contains("\nlost "), "{}", output.stdout);

    let report = project.report();
    for (target, verdict, growth) in [
        ("plain", Verdict::Once, 8192),
        ("ends", Verdict::Clean, 0),
        ("speed", Verdict::Clean, 0),
        // It exits from inside `main`, whose frame still has the address of what it has lost.
        ("grows", Verdict::Unconfirmed, 5000 + 3000 + 96 + 100),
        // On another allocator, and the same.
        ("on-counting", Verdict::Leak, 384 + 60),
    ] {
        let target = report.target(target);
        assert!(target.traced, "{}: {:?}", target.name, target.note);
        let [entry] = target.tests.as_slice() else { panic!("{} has one entry", target.name) };
        assert_eq!(
            (entry.name.as_str(), entry.verdict),
            ("main", Some(verdict)),
            "{}",
            target.name
        );
        assert_eq!(
            entry.growth.iter().map(|growth| growth.bytes).sum::<u64>(),
            growth,
            "{}",
            target.name
        );
    }
    let lost = report.target("grows").tests[0].growth[0].traceback.last().unwrap().clone();
    let source = fs::read_to_string(project.root.join(&lost.file)).unwrap();
    assert!(source.lines().nth(lost.line as usize - 1).unwrap().ends_with("// lost"), "{lost:?}");

    // At its end, it reads the same arguments and exit codes as without us.
    for (how, code, message) in [
        ("panic", 101, "exited with code 101"),
        ("exit", 101, "exited with code 3"),
        ("abort", 101, "its process was ended by a signal, by `abort` or by `_exit`"),
    ] {
        let output =
            project.tracemalloc("-p no-harness --test ends").env("ENDS", how).run().code(code);
        let plain = project.cargo_test("-p no-harness --test ends").env("ENDS", how).run();
        assert_eq!(
            output.stderr.contains("exit status: 3"),
            plain.stderr.contains("exit status: 3"),
            "{how}"
        );
        let report = project.report();
        let entry = report.test("main");
        assert_eq!(
            (entry.outcome, entry.message.as_deref()),
            (Outcome::Failed, Some(message)),
            "{how}"
        );
    }
    project.tracemalloc("-p no-harness --test grows --deny unconfirmed").run().code(exit::LEAK);
}

#[test]
fn an_allocator_of_ones_own_is_traced() {
    let project = Project::copy("behaviour", "own-allocators");
    let packages = "-p own-allocator -p brings-allocator --no-fail-fast";
    // Optimised, nearly all calls of the allocator are in the object that defines it.
    for profile in ["", " --release"] {
        let args = format!("{packages}{profile}");
        let report = project.leaks_by_name(&args);
        for (test, file, line, bytes) in [
            (
                "tests::a_leak_on_the_allocator_of_its_crate",
                "brings-allocator/src/lib.rs",
                "vec![0_u8; 300]",
                300,
            ),
            (
                "a_leak_on_an_allocator_of_its_own",
                "own-allocator/src/lib.rs",
                "\"x\".repeat(length)",
                100,
            ),
            (
                "a_leak_on_the_allocator_of_a_dependency",
                "brings-allocator/src/lib.rs",
                "text.lines()",
                96,
            ),
        ] {
            let leak = &report.test(test).growth[0];
            let frame = leak.traceback.last().unwrap();
            let source = fs::read_to_string(project.root.join(file)).unwrap();
            assert_eq!((frame.file.as_str(), leak.bytes), (file, bytes), "{args}: {test}");
            assert!(
                source.lines().nth(frame.line as usize - 1).unwrap().contains(line),
                "{args}: {test}: {frame:?}"
            );
        }
    }
}

#[test]
fn an_allocator_that_nothing_can_be_put_in_front_of_is_named() {
    let project = Project::copy("behaviour", "own-allocator-with-lto");
    let args = "-p own-allocator --test counting --release";
    let output =
        project.tracemalloc(args).env("CARGO_PROFILE_RELEASE_LTO", "fat").run().code(exit::CLEAN);
    let report = project.report();
    let counting = report.target("counting");
    assert!(!counting.traced);
    let note = counting.note.as_ref().unwrap();
    for words in ["#[global_allocator]", "`lto`", "Tracemalloc::new(...)"] {
        assert!(note.contains(words), "{note}");
    }
    assert!(output.stdout.contains(&format!("untraced own-allocator test counting: {note}")));
    assert!(counting.tests.iter().all(|test| test.verdict.is_none()));
    assert_eq!(report.count("untraced"), 4);
}

/// A linker may refuse to have two definitions of the allocator's functions, weak or not.
#[cfg(target_os = "linux")]
#[test]
fn a_linker_that_refuses_is_quoted() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::copy("behaviour", "own-allocator-with-a-linker-that-refuses");
    // By its name rustc knows how to call it.
    let linker = project.root.join("gcc");
    let refusal = "ld: weak definitions are not supported here";
    let script = format!(
        "case \"$*\" in *tracemalloc_interposed*) echo '{refusal}' >&2; exit 1 ;; esac; exec cc \"$@\""
    );
    fs::write(&linker, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&linker, fs::Permissions::from_mode(0o755)).unwrap();
    let call = project.tracemalloc("-p own-allocator --test counting");
    let output =
        call.env("RUSTFLAGS", format!("-Clinker={}", linker.display())).run().code(exit::CLEAN);
    let report = project.report();
    let note = report.target("counting").note.as_ref().unwrap();
    assert!(
        note.contains(&format!("the tracing allocator cannot go in front of it: {refusal}; wrap")),
        "{note}"
    );
    assert!(output.stdout.contains(&format!("untraced own-allocator test counting: {note}")));
    assert_eq!((report.count("untraced"), report.count("ignored")), (4, 1));
}

#[test]
fn code_that_does_not_compile_is_met_with_what_rustc_says() {
    let project = Project::copy("broken", "broken");
    let output = project.tracemalloc("").run().code(exit::COULD_NOT_RUN);
    assert!(output.stderr.contains("error[E0308]: mismatched types"));
    assert!(output.stderr.contains("src/lib.rs:5"));
    assert!(!output.stderr.contains("tracemalloc"), "it is not our business");
}

/// std names the frames of each panic, and reads all debug information first. With the variable
/// set, as in CI, a thousand tests that expect a panic took fifteen times longer, and grew.
#[cfg(unix)]
#[test]
fn backtraces_of_panics_are_printed_for_tests_that_fail() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("src")).unwrap();
    let manifest = "[package]\nname = \"panics\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(temp.path().join("Cargo.toml"), manifest).unwrap();
    let tests = r#"
        fn falls(why: &str) { panic!("{why}") }
        #[test]
        fn catches() {
            assert_eq!(std::env::var("RUST_BACKTRACE").unwrap(), "1");
            std::panic::catch_unwind(|| falls("caught")).unwrap_err();
        }
        #[test]
        fn fails() { falls("not caught") }
        struct Again;
        impl Drop for Again {
            fn drop(&mut self) { falls("again") }
        }
        #[test]
        fn aborts() {
            let _again = Again;
            falls("at first");
        }
    "#;
    fs::write(temp.path().join("src/lib.rs"), tests).unwrap();
    let call = Call::tracemalloc().args("-- --show-output").dir(temp.path());
    let output = call.env("RUST_BACKTRACE", "1").run().code(exit::TEST_FAILED);
    let caught = section(&output.stdout, "catches");
    assert!(caught.contains("caught\n") && !caught.contains("stack backtrace"), "{caught}");
    assert!(output.stdout.contains("1 clean"));
    let frames =
        ["stack backtrace:\n   0: ", ": panics::falls\n", "src/lib.rs:2:", ": panics::fails"];
    assert_shown(&output, "fails", &frames);
    let failed = section(&output.stdout, "fails");
    assert_eq!(failed.matches("stack backtrace:").count(), 1, "{failed}");
    assert!(!failed.contains("tracemalloc"), "{failed}");
    assert_shown(&output, "aborts", &["at first", "again", ": panics::aborts"]);
}
