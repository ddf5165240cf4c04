//! `cargo tracemalloc report` on the reports of real runs: merged, compared, and read again.

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};
use support::{Call, Output, Project, Report, exit};

/// A directory with the reports of runs of the fixture `causes`.
///
/// - `whole.json`: all tests;
/// - `first.json`, `second.json`: the same in two shards;
/// - `ties.json`: the tests of one cycle, and a clean one.
/// - `lost.json`: the same tests, and one that loses a block.
fn reports() -> &'static Project {
    static REPORTS: OnceLock<Project> = OnceLock::new();
    REPORTS.get_or_init(|| {
        let project = Project::copy("causes", "report-files");
        for (file, tests) in [
            ("whole.json", ""),
            ("first.json", "-- keeps_0 ties"),
            ("second.json", "-- keeps_1 notes loses is_clean"),
            ("ties.json", "-- ties is_clean"),
            ("lost.json", "-- ties is_clean loses"),
        ] {
            let args = format!("--lib --report {file} {tests}");
            project.tracemalloc(&args).run().code(exit::LEAK);
        }
        project
    })
}

fn report(args: &str) -> Call {
    reports().subcommand("report", args)
}

fn path(file: &str) -> PathBuf {
    reports().root.join(file)
}

/// Writes a report that is a changed copy of another one.
fn edited(file: &str, of: &str, edit: impl FnOnce(&mut Value)) {
    let mut document = serde_json::from_slice(&fs::read(path(of)).unwrap()).unwrap();
    edit(&mut document);
    reports().write(file, &document.to_string());
}

/// The tests of the only target.
fn tests(document: &mut Value) -> &mut Vec<Value> {
    document["targets"][0]["tests"].as_array_mut().unwrap()
}

fn parsed(output: &Output) -> Report {
    Report::parse(&output.stdout)
}

/// The identity of each leak, and its size in its tests.
fn leaks(report: &Report) -> Vec<(String, usize)> {
    let mut leaks: Vec<_> =
        report.leaks.iter().map(|leak| (leak.id.clone(), leak.tests.len())).collect();
    leaks.sort();
    leaks
}

#[test]
fn a_report_that_is_read_and_written_again_is_the_same() {
    let output = report("whole.json --format json").run().code(exit::LEAK);
    assert_eq!(output.stdout, fs::read_to_string(path("whole.json")).unwrap());
}

#[test]
fn the_shards_of_a_run_make_the_whole_run() {
    let whole = Report::read(&path("whole.json"));
    let output =
        report("first.json second.json --format json --report merged.json").run().code(exit::LEAK);
    assert_eq!(output.stdout, fs::read_to_string(path("merged.json")).unwrap());
    let merged = parsed(&output);
    assert_eq!(leaks(&merged), leaks(&whole));
    assert_eq!(merged.summary, whole.summary);
    assert_eq!(merged.tests().count(), whole.tests().count());
    let text = report("first.json second.json").run().code(exit::LEAK).stdout;
    assert!(text.contains("seen by 15 tests"), "{text}");
    assert!(text.ends_with("report first.json and 1 more\n"), "{text}");
}

#[test]
fn a_report_is_shown_as_the_run_showed_it() {
    insta::assert_snapshot!(report("lost.json").run().code(exit::LEAK).stdout);
    report("lost.json --no-fail").run().code(exit::CLEAN);
}

#[test]
fn against_an_earlier_report_only_new_and_grown_leaks_are_shown_and_fail() {
    let same = report("ties.json --against lost.json").run().code(exit::CLEAN);
    insta::assert_snapshot!("against-gone", same.stdout);
    let new = report("lost.json --against ties.json").run().code(exit::LEAK);
    insta::assert_snapshot!("against-new", new.stdout);
    edited("smaller.json", "lost.json", |document| {
        for leak in document["leaks"].as_array_mut().unwrap() {
            if leak["kind"] == "cycle" {
                (leak["bytes"], leak["blocks"]) = (json!(64), json!(1));
            }
        }
    });
    let grown = report("lost.json --against smaller.json").run().code(exit::LEAK);
    insta::assert_snapshot!("against-grown", grown.stdout);
    report("lost.json --against smaller.json --no-fail").run().code(exit::CLEAN);
}

#[test]
fn a_leak_whose_target_did_not_run_is_not_gone() {
    edited("elsewhere.json", "lost.json", |document| {
        for leak in document["leaks"].as_array_mut().unwrap() {
            leak["tests"].as_array_mut().unwrap().iter_mut().for_each(|test| {
                test["target"] = json!("another");
            });
        }
    });
    let text = report("ties.json --against elsewhere.json").run().code(exit::CLEAN).stdout;
    assert!(!text.contains("gone"), "{text}");
}

#[test]
fn of_one_test_in_several_files_the_worst_entry_counts() {
    edited("failed.json", "ties.json", |document| {
        for test in tests(document) {
            (test["outcome"], test["verdict"]) = (json!("failed"), json!(null));
            test["leaks"] = json!([]);
        }
        document["leaks"] = json!([]);
    });
    for files in ["failed.json ties.json", "ties.json failed.json"] {
        let merged =
            parsed(&report(&format!("{files} --format json")).run().code(exit::TEST_FAILED));
        assert_eq!((&merged.summary["failed"], &merged.summary["tests"]), (&json!(4), &json!(4)));
        assert_eq!(merged.leaks[0].tests.len(), 3, "a leak that was seen is a leak");
    }
    // A leak that two files show is not twice as large.
    let once = Report::read(&path("ties.json"));
    let twice = parsed(&report("ties.json ties.json --format json").run().code(exit::LEAK));
    assert_eq!((leaks(&twice), twice.leaks[0].bytes), (leaks(&once), once.leaks[0].bytes));
}

#[test]
fn of_several_attempts_the_last_one_counts() {
    edited("clean.json", "ties.json", |document| {
        for test in tests(document) {
            (test["verdict"], test["leaks"]) = (json!("clean"), json!([]));
        }
        document["leaks"] = json!([]);
    });
    edited("crashed.json", "lost.json", |document| {
        for test in tests(document) {
            if test["name"] != "tests::loses_a_content" {
                (test["outcome"], test["verdict"]) = (json!("failed"), json!(null));
            }
        }
    });
    let output = report("crashed.json clean.json --attempts --format json").run().code(exit::LEAK);
    let merged = parsed(&output);
    let kinds: Vec<&str> = merged.leaks.iter().map(|leak| leak.kind.as_str()).collect();
    assert_eq!(kinds, ["lost"], "its test did not run again");
    assert_eq!(merged.summary["failed"], json!(0));
}

#[test]
fn a_bad_file_is_named_with_what_is_wrong_and_the_way_out() {
    let project = reports();
    project.write("old.json", r#"{ "schema": 1, "tool_version": "0.0.9", "targets": [] }"#);
    project.write("new.json", r#"{ "schema": 3, "tool_version": "9.0.0" }"#);
    project.write("other.json", r#"{ "tests": [] }"#);
    project.write("half.json", "{ \"schema\": 2,\n");
    edited("short.json", "ties.json", |document| {
        document.as_object_mut().unwrap().remove("leaks");
    });
    for (file, expected) in [
        (
            "old.json",
            "error: `old.json` has schema 1 (written by cargo-tracemalloc 0.0.9), and this version \
             reads schema 2; run the tests again with this version",
        ),
        ("new.json", "reads schema 2; update cargo-tracemalloc here"),
        ("other.json", "`other.json` is no report of `cargo tracemalloc test`"),
        ("half.json", "failed to read `half.json` as a report"),
        ("short.json", "`short.json`: it is no valid report of schema 2"),
        ("missing.json", "missing.json"),
    ] {
        for args in [file.to_owned(), format!("ties.json --against {file}")] {
            let output = report(&args).run().code(exit::COULD_NOT_RUN);
            assert!(output.stderr.contains(expected), "{}", output.stderr);
            assert_eq!(output.stdout, "");
        }
    }
    report("").run().code(exit::USAGE);
}
