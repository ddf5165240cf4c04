//! cargo-nextest in the place of `cargo test`, and both started without `cargo tracemalloc`.

mod support;

use std::fs;

use serde_json::Value;
use support::{Call, Output, Project, Report, exit};
use tracemalloc_harness::{Outcome, Verdict};

const LEAKS: &str = "cache::tests::forgets_the_oldest";

/// The report, without the values that differ from run to run.
fn stable(project: &Project) -> Value {
    let json = fs::read_to_string(project.root.join("target/tracemalloc/report.json")).unwrap();
    let mut report: Value = serde_json::from_str(&json).unwrap();
    // nextest runs no doctests, and leaves tests out by rules of its own.
    for key in ["doctests", "stale_known_leaks"] {
        report[key].take();
    }
    for target in report["targets"].as_array_mut().unwrap() {
        for test in target["tests"].as_array_mut().unwrap() {
            // Time decides how often a test runs.
            test["duration_seconds"].take();
            test["runs"].take();
            for growth in test["growth"].as_array_mut().unwrap() {
                growth["runs"].take();
            }
            // A thread that is just starting or ending is held by one thing or another.
            if test["name"].as_str().unwrap().contains("watchdog") {
                test["growth"].take();
            }
        }
    }
    report
}

#[test]
fn verdicts_and_report_are_those_of_cargo_test() {
    let project = Project::copy("behaviour", "nextest");
    let args = "-p outcomes -p reruns -p crashes -p own-allocator -p surroundings --no-fail-fast";
    let surroundings = project.root.join("target/surroundings.txt");
    let tested = project.tracemalloc(args).env("SURROUNDINGS_FILE", &surroundings).run();
    let by_cargo = stable(&project);
    let run = project
        .subcommand("nextest", "run")
        .args(args)
        .env("SURROUNDINGS_FILE", &surroundings)
        .run();
    assert_eq!((tested.code, run.code), (Some(exit::TEST_FAILED), Some(exit::TEST_FAILED)));
    assert!(!run.compiled(), "nextest finds what was built");
    pretty_assertions::assert_eq!(stable(&project), by_cargo);
    for verdict in ["leak", "once", "unconfirmed", "ignored", "failed"] {
        assert_ne!(by_cargo["summary"][verdict], 0, "{verdict}");
    }
}

#[test]
fn of_a_test_that_is_tried_again_the_last_attempt_counts() {
    let project = Project::copy("behaviour", "nextest-retries");
    let flaky = "run -p reruns --run-ignored only first_attempt --runs 3";
    project.subcommand("nextest", flaky).run().code(exit::TEST_FAILED);
    let name = "tests::fails_at_the_first_attempt_and_leaks";
    assert_eq!(
        (project.report().test(name).outcome, project.report().verdict(name)),
        (Outcome::Failed, None)
    );

    let again = project.subcommand("nextest", flaky).args("--retries 1").run().code(exit::LEAK);
    assert!(again.stderr.contains("1 flaky"), "nextest knows");
    assert_eq!(project.report().verdict(name), Some(Verdict::Leak));

    // The same from a profile of nextest's configuration.
    fs::create_dir_all(project.root.join(".config")).unwrap();
    project.write(".config/nextest.toml", "[profile.again]\nretries = 1\n");
    project.subcommand("nextest", flaky).args("--profile again").run().code(exit::LEAK);
}

#[test]
fn nextest_selects_what_runs() {
    let project = Project::copy("demo", "nextest-selection");
    let checked = |args: &str, code: i32| -> Vec<String> {
        project.subcommand("nextest", "run").args(args).run().code(code);
        project.report().tests().map(|(_, test)| test.name.clone()).collect()
    };
    assert_eq!(checked("-E test(remembers)", exit::CLEAN), ["cache::tests::remembers"]);
    assert_eq!(checked("forgets", exit::LEAK), [LEAKS]);
    assert_eq!(
        checked("--max-growth 4KiB -- --exact cache::tests::forgets_the_oldest", exit::CLEAN),
        [LEAKS]
    );
    assert_eq!(checked("--no-fail forgets", exit::CLEAN), [LEAKS]);

    let halves: Vec<(Vec<String>, Option<i32>)> = ["count:1/2", "count:2/2"]
        .map(|part| {
            let output = project.subcommand("nextest", "run --partition").arg(part).run();
            (project.report().tests().map(|(_, test)| test.name.clone()).collect(), output.code)
        })
        .into();
    assert_eq!(halves.iter().map(|(names, _)| names.len()).collect::<Vec<_>>(), [2, 2]);
    for (names, code) in &halves {
        let leaks = names.iter().any(|name| name == LEAKS);
        assert_eq!(*code, Some(if leaks { exit::LEAK } else { exit::CLEAN }), "{names:?}");
    }

    let json = project.subcommand("nextest", "run --format json forgets").run().code(exit::LEAK);
    assert_eq!(Report::parse(&json.stdout).leaks(), [LEAKS]);
    project.subcommand("nextest", "run no_test_is_called_this").run().code(exit::COULD_NOT_RUN);
}

#[test]
fn untraceable_subcommands_are_refused() {
    let project = Project::copy("demo", "nextest-refused");
    for (args, words) in [
        (
            "",
            "error: the first argument must be nextest's subcommand: `cargo tracemalloc nextest run`",
        ),
        ("--no-fail-fast run", "error: the first argument must be nextest's subcommand"),
        ("list", "error: `cargo tracemalloc nextest list` runs no tests"),
        (
            "archive --archive-file x.tar.zst",
            "error: `cargo tracemalloc nextest archive` runs no tests",
        ),
        ("run --archive-file x.tar.zst", "error: `--archive-file` runs existing binaries"),
        ("run --binaries-metadata=x.json", "error: `--binaries-metadata` runs existing binaries"),
        ("run --max-growth 1XB", "error: invalid value '1XB' for '--max-growth <SIZE>'"),
    ] {
        let output = project.subcommand("nextest", args).run().code(exit::USAGE);
        assert!(output.stderr.starts_with(words), "{args}: {}", output.stderr);
    }
    let unknown = project.subcommand("nextest", "run --max-grwoth 1").run().code(exit::USAGE);
    assert!(
        unknown.stderr.contains("unexpected argument '--max-grwoth'"),
        "nextest knows no such option either"
    );

    // A machine without nextest: of this one's programs, only Rust's and the system's.
    let sysroot =
        Call::program("rustc").args("--print sysroot").dir(&project.root).run().code(exit::CLEAN);
    let path = format!("{}/bin:/usr/bin:/bin", sysroot.stdout.trim());
    let missing = project
        .subcommand("nextest", "run")
        .env("PATH", path)
        .env("CARGO_HOME", project.root.join("none"));
    let missing = missing.run().code(exit::COULD_NOT_RUN);
    let words =
        "error: failed to find cargo-nextest; install it (https://nexte.st/docs/installation)";
    assert!(missing.stderr.starts_with(words), "{}", missing.stderr);
}

/// Runs a program in the environment that `show-env` prints.
fn in_shown_environment(project: &Project, args: &str, program: &str) -> Output {
    let shown = project.subcommand("show-env", args).run().code(exit::CLEAN);
    let mut words = program.split(' ');
    let mut call = Call::program(words.next().unwrap()).dir(&project.root);
    for line in shown.stdout.lines() {
        let (name, value) = line.split_once('=').expect("NAME=value");
        call = call.env(name, value);
    }
    words.fold(call, Call::arg).run()
}

#[test]
fn leaks_fail_their_tests_for_other_callers_of_cargo() {
    let project = Project::copy("demo", "show-env");
    let leaked = |output: &Output| {
        let said =
            |text: &str| text.contains("leaked 4096 B in 1 block a run (1 of 1 run), limit 0 B");
        (said(&output.stdout) || said(&output.stderr)).then_some(output.code).flatten()
    };
    let tested = in_shown_environment(&project, "", "cargo test --no-fail-fast");
    assert_eq!(leaked(&tested), Some(exit::TEST_FAILED));
    assert!(tested.stdout.contains("3 passed; 1 failed;"));
    // 100 is what nextest exits with.
    assert_eq!(leaked(&in_shown_environment(&project, "", "cargo nextest run")), Some(100));
    for args in ["--max-growth 4KiB", "--no-fail", "--exclude *cache.rs"] {
        in_shown_environment(&project, args, "cargo test").code(exit::CLEAN);
    }
    project.write(
        "tracemalloc.toml",
        "[[known-leaks]]\ntest = '*oldest'\nreason = 'we pop without freeing'\n",
    );
    in_shown_environment(&project, "", "cargo test").code(exit::CLEAN);
    assert!(!project.root.join("target/tracemalloc/report.json").exists());

    let command = env!("CARGO_BIN_EXE_cargo-tracemalloc");
    let both = in_shown_environment(&project, "", &format!("{command} test")).code(exit::USAGE);
    assert!(
        both.stderr.starts_with("error: this is the environment of `cargo tracemalloc show-env`")
    );
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_target_without_a_harness_is_judged_for_every_caller() {
    let project = Project::copy("behaviour", "nextest-no-harness");
    let target = "-p no-harness --test lists";
    let assert_found = |args: &str, entries: &[(&str, Verdict)]| {
        let report = project.report();
        let target = report.target("lists");
        assert!(target.traced, "{args}: {:?}", target.note);
        let found: Vec<_> =
            target.tests.iter().map(|test| (test.name.as_str(), test.verdict.unwrap())).collect();
        assert_eq!(found, entries, "{args}");
        let [growth] = target.tests.last().unwrap().growth.as_slice() else {
            panic!("{args}: one traceback")
        };
        let frame = growth.traceback.last().unwrap();
        let source = fs::read_to_string(project.root.join(&frame.file)).unwrap();
        assert!(
            source.lines().nth(frame.line as usize - 1).unwrap().ends_with("// lost"),
            "{args}: {frame:?}"
        );
        assert_eq!((growth.bytes, growth.blocks), (640, 1), "{args}");
    };
    // nextest starts a process for each test that the target has named.
    project.subcommand("nextest", "run").args(target).run().code(exit::LEAK);
    assert_found("nextest", &[("keeps_nothing", Verdict::Clean), ("loses", Verdict::Leak)]);
    project.tracemalloc(target).run().code(exit::LEAK);
    assert_found("test", &[("main", Verdict::Leak)]);

    let said = "lists: leaked 640 B in 1 block a run (1 of 1 run), limit 0 B";
    let tested =
        in_shown_environment(&project, "", &format!("cargo test {target}")).code(exit::TEST_FAILED);
    assert!(tested.stderr.contains(said), "{}", tested.stderr);
    let run = in_shown_environment(&project, "", &format!("cargo nextest run {target}")).code(100);
    assert!(
        run.stderr.contains(said) && run.stderr.contains("1 passed, 1 failed"),
        "{}",
        run.stderr
    );
    in_shown_environment(&project, "--no-fail", &format!("cargo test {target}")).code(exit::CLEAN);
}

#[cfg(unix)]
#[test]
fn a_shell_takes_what_show_env_prints() {
    let project = Project::copy("demo", "show-env in a shell");
    let command = env!("CARGO_BIN_EXE_cargo-tracemalloc");
    let script =
        format!("eval \"$('{command}' show-env --export-prefix)\" && cargo test --lib forgets");
    let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let output = Call::program("sh")
        .arg("-c")
        .arg(script)
        .env("TRACEMALLOC_CACHE_DIR", cache)
        .dir(&project.root)
        .run();
    assert_eq!(output.code, Some(exit::TEST_FAILED));
    assert!(output.stdout.contains("leaked 4096 B"));
}

/// Cargo remembers what `rustc -vV` printed, also that it failed. A session that was deleted must
/// not make it fail, or cargo would refuse to work after the next `show-env` too.
#[test]
fn a_deleted_session_leaves_later_ones_alone() {
    let project = Project::copy("demo", "deleted-session");
    let arguments = "cargo test -- --skip forgets";
    in_shown_environment(&project, "", arguments).code(exit::CLEAN);
    let shown = project.subcommand("show-env", "").run().code(exit::CLEAN);
    // The directory itself stays, so that cargo can write into it.
    let target_dir = project.root.join("target/tracemalloc");
    fs::remove_dir_all(&target_dir).unwrap();
    fs::create_dir(&target_dir).unwrap();
    let call = Call::program("cargo").args("test").dir(&project.root);
    let in_environment = shown.stdout.lines().fold(call, |call, line| {
        let (name, value) = line.split_once('=').expect("NAME=value");
        call.env(name, value)
    });
    let gone = in_environment.run().code(exit::TEST_FAILED);
    assert!(gone.stderr.contains("run `cargo tracemalloc show-env` again"), "{}", gone.stderr);
    in_shown_environment(&project, "", arguments).code(exit::CLEAN);
}

/// Cargo took the test binary that plain `cargo test` had built there, or built one without the
/// harness. It ran untraced, and the leak passed.
#[test]
fn another_target_directory_is_refused_in_the_shown_environment() {
    let project = Project::copy("demo", "show-env-elsewhere");
    let elsewhere = project.root.join("else where");
    let dir = elsewhere.to_str().unwrap();
    project.cargo_test("--no-run").arg("--target-dir").arg(dir).run().code(exit::CLEAN);
    let shown = project.subcommand("show-env", "").run().code(exit::CLEAN);
    let call = |args: &[&str]| {
        let call = Call::program("cargo").arg("test").dir(&project.root);
        let call = shown.stdout.lines().fold(call, |call, line| {
            let (name, value) = line.split_once('=').expect("NAME=value");
            call.env(name, value)
        });
        args.iter().fold(call, Call::arg)
    };
    let refused = "error: this test would run untraced, because cargo builds it in";
    for elsewhere in [call(&["--target-dir", dir]), call(&[]).env("CARGO_TARGET_DIR", dir)] {
        let output = elsewhere.run().code(exit::TEST_FAILED);
        assert!(output.stderr.contains(refused) && output.stderr.contains("--target-dir"));
        assert!(!output.stdout.contains("running"), "{}", output.stdout);
    }
}
