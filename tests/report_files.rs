//! `cargo tracemalloc report` on the reports of real runs: merged, compared, and read again.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
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

/// The test that loses a block.
const LOSES: &str = "tests::loses_a_content";

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
fn the_leaks_of_a_report_are_exported_as_stacks() {
    let output =
        reports().subcommand("export", "lost.json --format folded").run().code(exit::CLEAN);
    insta::assert_snapshot!(output.stdout);
    let svg = reports().subcommand("flamegraph", "lost.json --output -").run().code(exit::CLEAN);
    assert!(svg.stdout.contains("Memory that leaks in one run"), "{}", svg.stdout);
}

#[test]
fn against_an_earlier_report_only_new_and_grown_leaks_are_shown_and_fail() {
    // The test that lost a block has run again, and loses nothing.
    edited("mended.json", "lost.json", |document| {
        let is_cycle = |leak: &Value| leak["kind"] == "cycle";
        document["leaks"].as_array_mut().unwrap().retain(is_cycle);
        let lost = tests(document).iter_mut().find(|test| test["name"] == LOSES).unwrap();
        (lost["verdict"], lost["leaks"]) = (json!("clean"), json!([]));
        (lost["runs"], lost["growth"]) = (json!([]), json!([]));
        let summary = &mut document["summary"];
        (summary["leak"], summary["clean"]) = (json!(3), json!(2));
    });
    let same = report("mended.json --against lost.json").run().code(exit::CLEAN);
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

/// A filter left out the only test that showed the lost block, and the leak was called gone.
#[test]
fn a_leak_whose_test_did_not_run_is_not_gone() {
    let text = report("ties.json --against lost.json").run().code(exit::CLEAN).stdout;
    assert!(!text.contains("gone"), "{text}");
    // With all tests of the workspace, one that is not there was removed.
    edited("all.json", "ties.json", |document| document["stale_known_leaks"] = json!([]));
    let text = report("all.json --against lost.json").run().code(exit::CLEAN).stdout;
    assert!(text.contains("gone lost Vec<String>"), "{text}");
}

/// The formats for people and services. JSON has all that it was read from.
const FORMATS: [&str; 7] = ["text", "junit", "sarif", "gitlab", "markdown", "html", "github"];

/// `--deny stale` made the exit code 102, and no format but the text had a word of it.
#[test]
fn every_reason_of_the_exit_code_is_in_every_format() {
    let frames = json!([{ "function": "f", "file": "src/ffi.rs", "line": 7, "column": 1 }]);
    let mismatch =
        json!({ "allocated_by": "rust", "blocks": 2, "allocated": frames, "freed": frames });
    let stale = json!({
        "place": "tracemalloc-baseline.toml:4", "reason": "an old cache", "id": "5c1f09e2",
        "title": "held by app::CACHE (src/lib.rs:3): 64 B in 1 block a run",
    });
    for (deny, words) in [
        ("stale", ["an old cache", "app::CACHE"]),
        ("mismatch", ["src/ffi.rs", "freed by C"]),
        ("once", ["tests::is_clean", "once"]),
        ("unconfirmed", ["tests::is_clean", "unconfirmed"]),
    ] {
        let file = format!("denied-{deny}.json");
        edited(&file, "ties.json", |document| {
            document["leaks"] = json!([]);
            document["options"]["deny"] = json!([deny]);
            document["stale_known_leaks"] = json!([stale]);
            for key in ["leak", "once", "unconfirmed", "mismatched"] {
                document["summary"][key] = json!(0);
            }
            for test in tests(document) {
                (test["verdict"], test["leaks"]) = (json!("clean"), json!([]));
            }
            let clean = tests(document).iter_mut().find(|test| test["name"] == "tests::is_clean");
            let test = clean.unwrap();
            match deny {
                "stale" => return,
                "mismatch" => test["mismatches"] = json!([mismatch]),
                verdict => test["verdict"] = json!(verdict),
            }
            let key = if deny == "mismatch" { "mismatched" } else { deny };
            document["summary"][key] = json!(1);
        });
        for format in FORMATS {
            let args = format!("{file} --format {format}");
            let text = report(&args).run().code(exit::LEAK).stdout;
            for word in words {
                assert!(text.contains(word), "{deny} as {format} lacks {word}: {text}");
            }
        }
        let xml = report(&format!("{file} --format junit")).run().stdout;
        let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
        assert_eq!(read.failures, 1, "{xml}");
        // Without the option, none of these fails.
        edited(&file, &file, |document| document["options"]["deny"] = json!([]));
        for format in ["junit", "sarif", "gitlab", "github"] {
            let args = format!("{file} --format {format}");
            let text = report(&args).run().code(exit::CLEAN).stdout;
            for word in words.iter().filter(|word| **word != "tests::is_clean") {
                assert!(!text.contains(word), "{deny} as {format} has {word}: {text}");
            }
        }
    }
}

/// Services found no file, because paths were relative to the workspace.
#[test]
fn services_get_paths_from_the_repository_s_root() {
    edited("below.json", "lost.json", |document| {
        document["directory"] = json!("rust/app");
        for leak in document["leaks"].as_array_mut().unwrap() {
            for site in leak["sites"].as_array_mut().unwrap() {
                let frames = site["traceback"].as_array_mut().unwrap();
                frames.iter_mut().for_each(|frame| frame["file"] = json!("../util/src/lib.rs"));
            }
        }
    });
    for format in ["github", "sarif", "gitlab", "markdown"] {
        let args = format!("below.json --format {format}");
        let text = report(&args).run().code(exit::LEAK).stdout;
        assert!(text.contains("rust/util/src/lib.rs"), "{format}: {text}");
    }
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
    let size = |report: &Report| {
        let leak = &report.leaks[0];
        (leaks(report), leak.bytes, leak.total_bytes)
    };
    assert_eq!(size(&twice), size(&once));
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
    // Two tests of three ran again.
    edited("two.json", "clean.json", |document| {
        tests(document).retain(|test| test["name"] != "tests::ties_0");
    });
    let output = report("ties.json two.json --attempts --format json").run().code(exit::LEAK);
    let left = parsed(&output);
    let [leak] = left.leaks.as_slice() else { panic!("one leak is left: {:#?}", left.leaks) };
    let all = Report::read(&path("ties.json"));
    let of_test = all.leaks[0].tests.iter().find(|test| test["name"] == "tests::ties_0").unwrap();
    assert_eq!((leak.tests.len(), &json!(leak.total_bytes)), (1, &of_test["total_bytes"]));
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

/// A report with two leaks in one format, and its snapshot.
fn in_format(format: &str) -> String {
    let output = report(&format!("lost.json --format {format}")).run().code(exit::LEAK);
    let file = format!("out.{format}");
    if format != "github" {
        let args = format!("lost.json --no-fail --{format} {file}");
        report(&args).run().code(exit::CLEAN);
        assert_eq!(output.stdout, fs::read_to_string(path(&file)).unwrap());
    }
    output.stdout
}

#[test]
fn junit_is_read_by_its_deserializer_and_a_leak_is_a_failure() {
    let xml = in_format("junit");
    let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((read.tests, read.failures, read.errors), (5, 4, 0));
    let cases = &read.test_suites[0].test_cases;
    let status = |name: &str| &cases.iter().find(|case| case.name.as_str() == name).unwrap().status;
    let quick_junit::TestCaseStatus::NonSuccess { message, description, .. } =
        status("tests::loses_a_content")
    else {
        panic!("a leak is a failure: {xml}");
    };
    assert!(message.as_ref().unwrap().as_str().starts_with("lost Vec<String>"), "{xml}");
    assert!(description.as_ref().unwrap().as_str().contains("src/lib.rs:51"), "{xml}");
    let clean = status("tests::is_clean");
    assert!(matches!(clean, quick_junit::TestCaseStatus::Success { .. }), "{xml}");
    // Times differ from run to run.
    let lines = xml.lines().map(|line| match line.split_once(" time=\"") {
        Some((before, after)) => format!("{before}{}", after.split_once('"').unwrap().1),
        None => line.to_owned(),
    });
    insta::assert_snapshot!("junit", lines.collect::<Vec<_>>().join("\n"));
}

/// The crate `junit-parser` was written for the files of other programs.
#[test]
fn junit_is_read_by_another_parser() {
    let xml = in_format("junit");
    let read = junit_parser::from_reader(xml.as_bytes()).unwrap();
    assert_eq!((read.tests, read.failures, read.errors, read.skipped), (5, 4, 0, 0));
    let [suite] = read.suites.as_slice() else { panic!("{read:#?}") };
    assert_eq!((suite.name.as_str(), suite.cases.len()), ("causes lib", 5));
    let lost =
        suite.cases.iter().find(|case| case.original_name == "tests::loses_a_content").unwrap();
    let junit_parser::TestStatus::Failure(failure) = &lost.status else { panic!("{lost:#?}") };
    assert_eq!(failure.failure_type, "leak");
    assert!(failure.message.starts_with("lost Vec<String>"), "{failure:#?}");
    assert!(failure.text.contains("src/lib.rs:51"), "{failure:#?}");
    assert_eq!(lost.classname.as_deref(), Some("causes lib"));
    let clean = suite.cases.iter().find(|case| case.original_name == "tests::is_clean").unwrap();
    assert!(clean.status.is_success());
}

/// The format has no standard; the schema of Jenkins' xunit plugin is the one that tools name.
#[test]
fn junit_keeps_to_the_schema_of_jenkins() {
    if Command::new("xmllint").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI needs xmllint: ci/tools.sh installs it");
        eprintln!("xmllint is missing (apt-get install libxml2-utils): nothing was validated");
        return;
    }
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/support/junit.xsd");
    let validate = |xml: &str| {
        reports().write("validated.xml", xml);
        let call = Call::program("xmllint").args("--noout --schema").arg(&schema);
        call.arg(path("validated.xml")).run().code
    };
    edited("all-outcomes.json", "lost.json", |document| {
        let all = tests(document);
        (all[0]["outcome"], all[0]["verdict"]) = (json!("failed"), json!(null));
        all[0]["message"] = json!("panicked: <&\u{1b}[31m\u{0}> at src/lib.rs");
        (all[1]["outcome"], all[1]["verdict"]) = (json!("ignored"), json!(null));
        all[1]["message"] = json!("\"needs\" a network");
    });
    let xml = report("all-outcomes.json --format junit").run().code(exit::TEST_FAILED).stdout;
    assert!(xml.contains("<skipped") && xml.contains("type=\"test\""), "{xml}");
    let empty = r#"<testsuites name="none" tests="0" failures="0" errors="0"/>"#;
    for xml in [&in_format("junit"), &xml, empty] {
        assert_eq!(validate(xml), Some(0), "{xml}");
    }
    // The validator sees mistakes.
    let wrong = xml.replace("<testsuites ", "<testsuites skipped=\"1\" ");
    assert_eq!(validate(&wrong), Some(3), "{wrong}");
}

/// The schema of the standard, which the crate `serde-sarif` has in its package.
fn sarif_schema() -> Value {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let metadata = cargo_metadata::MetadataCommand::new().manifest_path(manifest).exec().unwrap();
    let package = metadata.packages.iter().find(|package| package.name == "serde-sarif").unwrap();
    let schema = package.manifest_path.with_file_name("src").join("schema.json");
    serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap()
}

#[test]
fn sarif_keeps_to_the_schema_of_the_standard() {
    let mut schema = sarif_schema();
    // This pattern is no regular expression of the schema's draft. Logs of ours have no language.
    for of in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][of]["properties"]["language"];
        assert!(language.as_object_mut().unwrap().remove("pattern").is_some());
    }
    assert_eq!(
        schema["$id"],
        "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"
    );
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let against = report("lost.json --against ties.json --format sarif").run().code(exit::LEAK);
    let empty = report("lost.json --against lost.json --format sarif").run().code(exit::CLEAN);
    for text in [in_format("sarif"), against.stdout, empty.stdout] {
        let log: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&log)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{text}");
        let read: serde_sarif::sarif::Sarif = serde_json::from_str(&text).unwrap();
        assert_eq!(read.runs.len(), 1);
    }
    // The validator would see a mistake.
    let mut wrong: Value = serde_json::from_str(&in_format("sarif")).unwrap();
    wrong["runs"][0]["results"][0]["level"] = json!("fatal");
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn sarif_has_what_the_standard_and_code_scanning_require() {
    let text = in_format("sarif");
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(run["tool"]["driver"]["name"], "cargo-tracemalloc");
    let results = run["results"].as_array().unwrap();
    let ids: Vec<String> =
        Report::read(&path("lost.json")).leaks.into_iter().map(|leak| leak.id).collect();
    assert_eq!(results.len(), ids.len());
    for (result, id) in results.iter().zip(&ids) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(result["level"], "error");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "src/lib.rs");
        assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
        assert_eq!(result["partialFingerprints"]["tracemallocLeak/v2"], json!(id));
    }
    insta::assert_snapshot!("sarif", text);
    let against = report("lost.json --against ties.json --format sarif").run().code(exit::LEAK);
    let log: Value = serde_json::from_str(&against.stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!((results.len(), &results[0]["baselineState"]), (1, &json!("new")));
}

#[test]
fn gitlab_s_issues_have_all_required_fields() {
    let text = in_format("gitlab");
    let issues: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(issues.len(), 2);
    for issue in &issues {
        for field in ["description", "check_name", "fingerprint"] {
            assert!(!issue[field].as_str().unwrap().is_empty(), "{field} of {issue}");
        }
        let severities = ["info", "minor", "major", "critical", "blocker"];
        assert!(severities.contains(&issue["severity"].as_str().unwrap()));
        assert_eq!(issue["location"]["path"], "src/lib.rs");
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() > 0);
    }
    insta::assert_snapshot!("gitlab", text);
}

#[test]
fn markdown_has_a_table_and_the_text_of_each_leak() {
    insta::assert_snapshot!("markdown", in_format("markdown"));
}

#[test]
fn github_s_annotations_are_a_line_for_each_leak() {
    let text = in_format("github");
    assert_eq!(text.lines().count(), 2);
    for annotation in text.lines() {
        let command = annotation.strip_prefix("::error ").unwrap();
        let (properties, message) = command.split_once("::").unwrap();
        let names: Vec<&str> =
            properties.split(',').map(|one| one.split_once('=').unwrap().0).collect();
        assert_eq!(names, ["file", "line", "title"], "{annotation}");
        assert!(message.contains("%0A"), "{annotation}");
    }
    insta::assert_snapshot!("github", text);
}

/// Reads a workflow command as GitHub's runner does: its name, its properties and its message.
fn command(line: &str) -> Option<(String, BTreeMap<String, String>, String)> {
    let unescape = |text: &str, of_property: bool| {
        let mut text = text.replace("%0D", "\r").replace("%0A", "\n");
        if of_property {
            text = text.replace("%3A", ":").replace("%2C", ",");
        }
        text.replace("%25", "%")
    };
    let (head, message) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties.trim().split(',').filter_map(|one| {
        let (name, value) = one.split_once('=')?;
        Some((name.to_owned(), unescape(value, true)))
    });
    Some((name.to_owned(), properties.collect(), unescape(message, false)))
}

#[test]
fn github_s_runner_reads_the_annotations_as_they_were_meant() {
    let whole = Report::read(&path("lost.json"));
    let found: Vec<_> =
        in_format("github").lines().map(|line| command(line).expect("a command")).collect();
    assert_eq!(found.len(), whole.leaks.len());
    for ((name, properties, message), leak) in found.iter().zip(&whole.leaks) {
        assert_eq!(name, "error");
        assert_eq!(properties.keys().collect::<Vec<_>>(), ["file", "line", "title"]);
        assert_eq!(properties["file"], "src/lib.rs");
        assert!(properties["line"].parse::<u32>().unwrap() > 0);
        assert!(properties["title"].contains(": "), "{properties:?}");
        assert!(message.contains(&format!("id {}\n", leak.id)), "{message}");
        assert!(message.contains(&properties["title"]), "{message}");
    }
    // A leak's text may have all of this.
    let odd = "::error file=a%2Cb.rs,line=1,title=100%25 of Vec<a%3A%3AB>::x%0A50%25::y";
    let (_, properties, message) = command(odd).unwrap();
    assert_eq!((properties["file"].as_str(), message.as_str()), ("a,b.rs", "x\n50%::y"));
    assert_eq!(properties["title"], "100% of Vec<a::B>");
}

#[test]
fn on_github_actions_annotations_and_a_step_summary_come_by_themselves() {
    let summary = path("summary.md");
    let on_github = |args: &str| {
        fs::write(&summary, "before\n").unwrap();
        let call = report(args).env("GITHUB_ACTIONS", "true");
        call.env("GITHUB_STEP_SUMMARY", &summary).run().code(exit::LEAK)
    };
    let output = on_github("lost.json");
    assert_eq!(output.stderr.matches("::error file=src/lib.rs,line=").count(), 2);
    let written = fs::read_to_string(&summary).unwrap();
    assert!(written.starts_with("before\n### tracemalloc: 2 leaks\n"), "{written}");
    let output = on_github("lost.json --format json");
    assert!(serde_json::from_str::<Value>(&output.stdout).is_ok(), "{}", output.stdout);
    let output = on_github("lost.json --no-github");
    assert!(!output.stderr.contains("::error"), "{}", output.stderr);
    assert_eq!(fs::read_to_string(&summary).unwrap(), "before\n");
}

#[test]
fn a_run_of_tests_writes_the_same_formats() {
    let project = reports();
    let args = "--lib --junit run.xml --format sarif -- is_clean";
    let output = project.tracemalloc(args).run().code(exit::CLEAN);
    assert!(serde_json::from_str::<Value>(&output.stdout).is_ok(), "{}", output.stdout);
    let xml = fs::read_to_string(path("run.xml")).unwrap();
    assert_eq!(quick_junit::Report::deserialize_from_str(&xml).unwrap().tests, 1);
    let output = project.tracemalloc("--lib --junit missing/run.xml").run().code(exit::USAGE);
    assert!(output.stderr.contains("missing/run.xml"), "{}", output.stderr);
}
