//! Options that say how to measure, judge and report, on the demo, which leaks 4,096 bytes in 1
//! block.

mod support;

use std::fs;

use support::{Project, Report, exit};
use tracemalloc_harness::Verdict;

const LEAKS: &str = "cache::tests::forgets_the_oldest";

#[test]
fn limits_decide_what_is_a_leak() {
    let project = Project::copy("demo", "limits");
    for (args, verdict) in [
        ("", Verdict::Leak),
        ("--max-growth 4095", Verdict::Leak),
        ("--max-growth 4096", Verdict::Clean),
        ("--max-growth 4KiB", Verdict::Clean),
        ("--max-growth 4.1KiB --max-blocks 1", Verdict::Clean),
        ("--max-growth 1MiB --max-blocks 0", Verdict::Leak),
        ("--max-blocks 1", Verdict::Leak),
    ] {
        let code = if verdict == Verdict::Leak { exit::LEAK } else { exit::CLEAN };
        project.tracemalloc(args).run().code(code);
        let report = project.report();
        assert_eq!(report.verdict(LEAKS), Some(verdict), "{args}");
        assert_eq!(report.count("passed"), 4, "{args}");
    }
}

#[test]
fn runs_and_frames_are_as_many_as_asked_for() {
    let project = Project::copy("behaviour", "runs");
    for runs in [3, 5, 8] {
        let args = format!("-p reruns --runs {runs} --frames 1 keeps_more_in_every_run");
        project.tracemalloc(&args).run().code(exit::LEAK);
        let report = project.report();
        let test = report.test("tests::keeps_more_in_every_run");
        assert_eq!(test.runs.len(), runs);
        assert!(test.runs.iter().all(|run| (run.bytes, run.blocks) == (24, 1)), "{:?}", test.runs);
        let [growth] = test.growth.as_slice() else { panic!("one traceback: {:#?}", test.growth) };
        assert_eq!((growth.bytes, growth.blocks, growth.runs as usize), (24, 1, runs));
        assert_eq!(growth.traceback.len(), 1);
        assert!(growth.total_nframe > 1);
        assert_eq!(growth.traceback[0].function, "reruns::tests::leak_a_name");
    }
}

#[test]
fn patterns_decide_what_counts() {
    let project = Project::copy("demo", "patterns");
    for (args, code) in [
        ("--include src/cache.rs", exit::LEAK),
        ("--include src/*", exit::LEAK),
        ("--include nowhere/* --include */cache.rs", exit::LEAK),
        ("--include src/lib.rs", exit::CLEAN),
        ("--exclude src/cache.rs", exit::CLEAN),
        ("--exclude src/lib.rs", exit::LEAK),
        ("--include src/* --exclude *cache*", exit::CLEAN),
    ] {
        project.tracemalloc(args).run().code(code);
        assert_eq!(project.report().leaks().len(), usize::from(code == exit::LEAK), "{args}");
    }
}

#[test]
fn leaks_can_be_reported_without_a_failure() {
    let project = Project::copy("demo", "no-fail");
    let output = project.tracemalloc("--no-fail").run().code(exit::CLEAN);
    assert!(
        output.stdout.contains("lost Vec<u8> (src/cache.rs:34): 4096 B in 1 block a run"),
        "it is shown all the same"
    );
    assert_eq!(project.report().leaks(), [LEAKS]);
}

#[test]
fn a_report_goes_where_it_is_wanted() {
    let project = Project::copy("demo", "report");
    let path = project.root.join("target/elsewhere.json");
    fs::create_dir_all(project.root.join("target")).unwrap();
    project.tracemalloc("--report target/elsewhere.json").run().code(exit::LEAK);
    let json = fs::read_to_string(&path).unwrap();
    assert_eq!(
        json,
        fs::read_to_string(project.root.join("target/tracemalloc/report.json")).unwrap()
    );

    // A wish for JSON leaves nothing else on stdout.
    let output = project.tracemalloc("--format json").run().code(exit::LEAK);
    let report = Report::parse(&output.stdout);
    assert_eq!((report.schema, report.leaks()), (2, vec![LEAKS]));

    // Nothing in it changes from run to run, and no path of this machine is in it.
    let stable = |json: &str| -> String {
        json.lines()
            .filter(|line| !line.contains("duration_seconds"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    pretty_assertions::assert_eq!(stable(&output.stdout), stable(&json));
    assert!(!json.contains(project.root.to_str().unwrap()), "{json}");
    assert!(!json.contains("0x"), "{json}");
}
