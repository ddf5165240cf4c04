//! Whole reports as text without colours.

use anstream::adapter::strip_str;
use camino::Utf8Path;
use serde_json::{Value, json};
use tracemalloc::Domain;
use tracemalloc_harness::{
    FrameEntry, GrowthEntry, GrowthKind, Limit, Limits, Outcome, RunEntry, TestEntry, Verdict,
};

use crate::cli::{Deny, ReportFormat};
use crate::output::delivery::renderer;
use crate::output::text::View;
use crate::report::{
    Comparison, Doctests, Kind, Report, ReportOptions, SCHEMA, SourceLines, Target, leaks,
};
use crate::util::terminal;

fn frame(function: &str, file: &str, line: u32, column: u32) -> FrameEntry {
    FrameEntry { function: function.to_owned(), file: file.to_owned(), line, column }
}

fn growth(kind: GrowthKind, bytes: u64, blocks: u64, type_name: Option<&str>) -> GrowthEntry {
    GrowthEntry {
        kind,
        bytes,
        blocks,
        total_bytes: 3 * bytes,
        total_blocks: 3 * blocks,
        runs: 3,
        rate: None,
        domain: Domain::Rust,
        type_name: type_name.map(str::to_owned),
        initialiser: None,
        retained: None,
        holder: None,
        head_traceback: Vec::new(),
        path: Vec::new(),
        path_steps: 0,
        cycle: Vec::new(),
        cycle_steps: 0,
        known: None,
        traceback: vec![
            frame("demo::cache::tests::remembers", "src/cache.rs", 40, 9),
            frame("demo::cache::Cache::fill", "src/cache.rs", 2, 17),
        ],
        total_nframe: 2,
    }
}

fn test(name: &str, verdict: Option<Verdict>, growth: Vec<GrowthEntry>) -> TestEntry {
    let grew = verdict.is_some_and(|verdict| verdict != Verdict::Clean);
    let run = RunEntry { bytes: growth.iter().map(|growth| growth.bytes).sum(), blocks: 1 };
    TestEntry {
        name: name.to_owned(),
        outcome: Outcome::Passed,
        passed_alone: false,
        message: None,
        verdict,
        verdict_reason: None,
        limit: Limit::default(),
        check: None,
        runs: if grew { vec![run; 3] } else { vec![run] },
        growth,
        mismatches: Vec::new(),
        heap_note: None,
        leaks: Vec::new(),
        duration_seconds: 0.25,
    }
}

fn target(kind: Kind, name: &str, tests: Vec<TestEntry>) -> Target {
    Target {
        package: "demo".to_owned(),
        version: "0.1.0".to_owned(),
        kind,
        name: name.to_owned(),
        src: "src/lib.rs".to_owned(),
        traced: true,
        note: None,
        c_untraced: None,
        processes: None,
        tests,
        executable: None,
        is_optimised: false,
    }
}

/// A report of a workspace whose `src/cache.rs` has a line to show.
fn report(mut targets: Vec<Target>, deny: Vec<Deny>) -> Report {
    let temp = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(temp.path()).unwrap();
    fs_err::create_dir(root.join("src")).unwrap();
    fs_err::write(root.join("src/cache.rs"), "\n    let page = vec![0u8; 4096];\n").unwrap();
    let leaks = leaks(&mut targets, &deny, &SourceLines::new(root));
    Report {
        schema: SCHEMA,
        tool_version: "0.1.0".to_owned(),
        rustc: "rustc 1.95.0".to_owned(),
        target_triple: "x86_64-unknown-linux-gnu".to_owned(),
        directory: String::new(),
        options: ReportOptions {
            limits: Limits::new().runs(8),
            deny,
            no_fail: false,
            known_holders: true,
            timeout_seconds: None,
        },
        summary: Target::summary(&targets),
        leaks,
        doctests: None,
        stale_known_leaks: None,
        targets,
    }
}

fn render(report: &Report) -> String {
    render_all(report, false)
}

fn render_all(report: &Report, verbose: bool) -> String {
    let report_path = "target/tracemalloc/report.json";
    let view = View { report_path, verbose, comparison: None };
    strip_str(&super::render(report, view)).to_string()
}

fn leak() -> TestEntry {
    let mut second = growth(GrowthKind::Leak, 24, 2, Some("Rc<demo::Node>"));
    second.traceback = vec![frame("", "<unknown>", 0, 0)];
    second.total_nframe = 3;
    let stopped = growth(GrowthKind::Once, 9000, 1, None);
    let first = growth(GrowthKind::Leak, 4096, 1, Some("Vec<u8>"));
    test("cache::tests::remembers", Some(Verdict::Leak), vec![first, second, stopped])
}

fn unconfirmed() -> TestEntry {
    let mut test = test(
        "binds",
        Some(Verdict::Unconfirmed),
        vec![growth(GrowthKind::Unconfirmed, 64, 1, None)],
    );
    test.verdict_reason = Some("the second run failed: address in use".to_owned());
    test
}

fn once() -> TestEntry {
    let mut test =
        test("lazy", Some(Verdict::Once), vec![growth(GrowthKind::Once, 20_480, 3, None)]);
    test.runs[1] = RunEntry { bytes: 0, blocks: 0 };
    test.runs.truncate(2);
    test
}

#[test]
fn a_leak_comes_first_and_with_its_lines() {
    let clean = test("cache::tests::forgets", Some(Verdict::Clean), Vec::new());
    let mut own = target(Kind::Test, "own_allocator", vec![test("own", None, Vec::new())]);
    own.traced = false;
    own.note = Some("it has a `#[global_allocator]` of its own".to_owned());
    let mut failed = test("fails", None, Vec::new());
    failed.outcome = Outcome::Failed;
    let lib = target(Kind::Lib, "demo", vec![clean, leak(), unconfirmed(), once(), failed]);
    let mut report = report(vec![lib, own], Vec::new());
    report.doctests = Some(Doctests {
        traced: false,
        passed: 2,
        failed: 1,
        ignored: 1,
        packages: vec!["demo".to_owned()],
    });
    insta::assert_snapshot!(render(&report));
}

#[test]
fn a_denied_verdict_is_shown_like_a_leak() {
    let bin = target(Kind::Bin, "demo-cli", vec![unconfirmed(), once()]);
    insta::assert_snapshot!(render(&report(vec![bin], vec![Deny::Once, Deny::Unconfirmed])));
}

#[test]
fn many_leaks_are_cut_to_a_screen_and_v_shows_all() {
    let leak = |number: u64| {
        let mut one = growth(GrowthKind::Leak, number, 1, Some("Vec<u8>"));
        one.traceback[1].function = format!("demo::cache::fill_{}", "x".repeat(number as usize));
        one
    };
    let many = (1..=31).map(leak).collect();
    let lib = target(Kind::Lib, "demo", vec![test("registry", Some(Verdict::Leak), many)]);
    let report = report(vec![lib], Vec::new());
    let text = render(&report);
    assert!(text.contains("more leaks; `-v` shows all"), "{text}");
    assert!(text.lines().count() <= 62, "{text}");
    assert_eq!(render_all(&report, true).matches("demo::cache::fill_").count(), 31);
}

/// Thirteen leaks made fifty lines.
#[test]
fn leaks_of_more_than_a_screen_are_cut_to_half_a_screen_and_lines() {
    let leak = |number: u64| {
        let mut one = growth(GrowthKind::Leak, 100 * number, 1, Some("Vec<u8>"));
        one.traceback[1].function = format!("demo::cache::fill_{number}x");
        one
    };
    let many = (1..=13).map(leak).collect();
    let lib = target(Kind::Lib, "demo", vec![test("registry", Some(Verdict::Leak), many)]);
    let text = render(&report(vec![lib], Vec::new()));
    assert!(text.lines().count() <= 40, "{text}");
    assert_eq!(text.matches("   id ").count(), 13, "{text}");
}

#[test]
fn tests_of_one_name_are_shown_with_their_packages() {
    let grows = || vec![growth(GrowthKind::Leak, 8, 1, Some("Vec<u8>"))];
    let of = |package: &str| {
        let tests = vec![test("fills", Some(Verdict::Leak), grows())];
        Target { package: package.to_owned(), ..target(Kind::Lib, package, tests) }
    };
    let text = render(&report(vec![of("one"), of("two")], Vec::new()));
    assert!(text.contains("seen by 2 tests: fills (one lib), fills (two lib)\n"), "{text}");
}

#[test]
fn a_test_that_grew_once_is_listed_on_request_with_its_reason() {
    let lib = target(Kind::Lib, "demo", vec![once()]);
    let report = report(vec![lib], Vec::new());
    assert!(!render(&report).contains("lazy"));
    let text = render_all(&report, true);
    let line = "once lazy (demo lib): grew once by 20.0 KiB in 3 blocks: its growth did not go on";
    assert!(text.contains(line), "{text}");
}

#[test]
fn when_all_is_well_one_line_is_enough() {
    let lib = target(Kind::Lib, "demo", vec![test("forgets", Some(Verdict::Clean), Vec::new())]);
    insta::assert_snapshot!(render(&report(vec![lib], Vec::new())), @"tracemalloc: 1 test checked: 1 clean; report target/tracemalloc/report.json");
}

#[test]
fn a_report_without_tests_is_explained() {
    insta::assert_snapshot!(render(&report(Vec::new(), Vec::new())), @"tracemalloc: no tests checked; report target/tracemalloc/report.json");
}

#[test]
fn many_unconfirmed_tests_do_not_hide_the_summary() {
    let lib = target(Kind::Lib, "demo", (0..14).map(|_| unconfirmed()).collect());
    let text = render(&report(vec![lib], Vec::new()));
    assert!(text.contains("and 4 more unconfirmed, see target/tracemalloc/report.json"), "{text}");
    assert_eq!(text.matches("unconfirmed binds").count(), 10);
}

#[test]
fn a_block_that_grows_is_a_larger_block_and_not_none() {
    let grows = vec![growth(GrowthKind::Leak, 32, 0, None)];
    let lib = target(Kind::Lib, "demo", vec![test("slab", Some(Verdict::Leak), grows)]);
    let text = render(&report(vec![lib], Vec::new()));
    assert!(text.contains("32 B in larger blocks a run"), "{text}");
    assert!(!text.contains("0 blocks"), "{text}");
}

const FORMATS: [ReportFormat; 7] = [
    ReportFormat::Text,
    ReportFormat::Json,
    ReportFormat::Junit,
    ReportFormat::Sarif,
    ReportFormat::Gitlab,
    ReportFormat::Markdown,
    ReportFormat::Github,
];

/// A report with all that a report may have, as JSON.
fn whole_report() -> Value {
    let mut failed = test("fails", None, Vec::new());
    failed.outcome = Outcome::Failed;
    let mut alone = test("alone", Some(Verdict::Clean), Vec::new());
    (alone.passed_alone, alone.message) = (true, Some("panicked: busy".to_owned()));
    let tests = vec![leak(), unconfirmed(), once(), failed, alone];
    let mut report = report(vec![target(Kind::Lib, "demo", tests)], vec![Deny::Once]);
    let packages = vec!["demo".to_owned()];
    report.doctests = Some(Doctests { traced: false, passed: 2, failed: 1, ignored: 1, packages });
    let mut value = serde_json::to_value(report).unwrap();
    let frame = json!({ "function": "f", "file": "src/a.rs", "line": 1, "column": 2 });
    let known = json!({ "place": "tracemalloc.toml:3", "reason": "later" });
    let holder = json!({
        "kind": "static", "name": "demo::SEEN", "file": "src/a.rs", "line": 3, "thread": "main",
        "start": "demo::start", "known": false,
    });
    value["stale_known_leaks"] = json!([known]);
    for leak in value["leaks"].as_array_mut().unwrap() {
        leak["known"] = known.clone();
        leak["holder"] = holder.clone();
        leak["hints"] = json!([{ "kind": "given_up", "text": "it is given up" }]);
    }
    for growth in value["targets"][0]["tests"][0]["growth"].as_array_mut().unwrap() {
        growth["known"] = known.clone();
        growth["holder"] = holder.clone();
        growth["head_traceback"] = json!([frame]);
    }
    value
}

/// All places of texts in a value, as JSON pointers. What is absent may be a text too.
fn texts(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) | Value::Null => found.push(place.to_owned()),
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                texts(item, &format!("{place}/{number}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                texts(field, &format!("{place}/{name}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn no_text_of_a_report_commands_the_terminal_or_begins_a_line() {
    let controls = (0..=0x2069).filter_map(char::from_u32).filter(|c| terminal::is_control(*c));
    let controls: String = controls.collect();
    let evil = format!("a{controls}\nerror: forged\r\nerror: forged\u{1b}]0;title\u{7}");
    let whole = whole_report();
    let no_leaks = Report { leaks: Vec::new(), ..serde_json::from_value(whole.clone()).unwrap() };
    let mut places = Vec::new();
    texts(&whole, "", &mut places);
    let mut tried = 0;
    for place in &places {
        let mut value = whole.clone();
        *value.pointer_mut(place).unwrap() = Value::String(evil.clone());
        // A word of an enumeration is no text.
        let Ok(report) = serde_json::from_value::<Report>(value) else { continue };
        tried += 1;
        let displayed = report.displayed().unwrap();
        let earlier = || Comparison::new(displayed.clone().into_owned(), &no_leaks);
        for comparison in [None, Some(earlier())] {
            let comparison = comparison.as_ref();
            let view = View { report_path: "report.json", verbose: true, comparison };
            let render = renderer(&report, &displayed, view);
            for format in FORMATS {
                let text = render(format).unwrap();
                let text = strip_str(&text).to_string();
                let control = |c: &char| terminal::is_control(*c) && !"\n\t".contains(*c);
                assert_eq!(text.chars().find(control), None, "{place} as {format:?}");
                let forged = text.lines().any(|line| line.starts_with("error: forged"));
                assert!(!forged, "{place} as {format:?}: {text}");
            }
        }
    }
    assert!(tried > 50, "{tried} of {} texts", places.len());
}
