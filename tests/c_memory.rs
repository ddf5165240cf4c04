//! Memory that C allocates is traced, judged and named: `tests/fixtures/c-memory` is Rust on a
//! library in C that keeps no frame pointers.

#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

mod support;

use support::{Project, Report, exit};
use tracemalloc::Domain;
use tracemalloc_harness::{GrowthEntry, Outcome, Verdict};

/// One copy of the fixture is enough, because its dependencies take long to compile.
#[test]
fn memory_of_c_is_traced_and_judged() {
    let project = Project::copy("c-memory", "c_memory");
    leaks_through_c_are_found_and_clean_code_is_clean(&project);
    a_mismatch_can_be_denied(&project);
    a_language_can_be_left_out(&project);
    a_program_shows_the_blocks_of_one_language(&project);
}

fn leaks_through_c_are_found_and_clean_code_is_clean(project: &Project) {
    for options in ["", "--release"] {
        project.tracemalloc(options).run().code(exit::LEAK);
        let report = project.report();
        for (test, verdict) in [
            ("a_node_is_freed", Verdict::Clean),
            ("a_box_is_freed_by_c", Verdict::Clean),
            ("a_block_of_c_is_freed_by_rust", Verdict::Clean),
            ("a_box_is_grown_by_c", Verdict::Clean),
            ("a_thread_allocates_by_c", Verdict::Clean),
            ("a_node_is_lost", Verdict::Leak),
            ("a_static_of_c_keeps_nodes", Verdict::Leak),
            ("a_node_owns_a_box_and_is_lost", Verdict::Leak),
            ("a_row_of_cpp_is_deleted", Verdict::Clean),
            ("a_row_of_cpp_is_lost", Verdict::Leak),
            ("a_plugin_is_opened_and_closed", Verdict::Clean),
            ("a_plugin_loses_a_block", Verdict::Leak),
            ("a_plugin_keeps_boxes", Verdict::Leak),
            ("a_check_leaves_out_c", Verdict::Clean),
            ("a_check_leaves_out_rust", Verdict::Clean),
            ("a_check_counts_c", Verdict::Leak),
            ("the_configuration_leaves_out_c", Verdict::Clean),
        ] {
            let entry = report.test(&format!("tests::{test}"));
            assert_eq!(entry.outcome, Outcome::Passed, "{test}: {:?}", entry.message);
            assert_eq!(entry.verdict, Some(verdict), "{test}: {entry:#?}");
        }
        let first_use = report.verdict("tests::the_c_library_keeps_what_its_first_use_has_made");
        assert!(matches!(first_use, Some(Verdict::Clean | Verdict::Once)), "{first_use:?}");
        // `strdup` is the C library's, so the line is that of its caller.
        let lines = lines_of("tests::a_node_is_lost", &report);
        assert_eq!(lines, [("the node", 16), ("its name", 22)], "{options}");
        mismatches_are_noted(&report);
        a_step_without_a_line_has_its_function(&report);
        let functions = |test: &str| {
            let growth = &report.test(&format!("tests::{test}")).growth;
            let frames = growth.iter().flat_map(|growth| &growth.traceback);
            frames.map(|frame| frame.function.clone()).collect::<Vec<_>>()
        };
        let of_cpp = functions("a_row_of_cpp_is_lost");
        assert!(of_cpp.contains(&"shelf::fill".to_owned()), "{options}: {of_cpp:?}");
        let of_plugin = functions("a_plugin_loses_a_block");
        assert!(of_plugin.contains(&"libplugin.so!plugin_work".to_owned()), "{of_plugin:?}");
    }
}

/// The list of a plugin without debug information was called `untraced`.
fn a_step_without_a_line_has_its_function(report: &Report) {
    let growth = &report.test("tests::a_plugin_keeps_boxes").growth;
    let of_box = growth.iter().find(|growth| growth.domain == Domain::Rust).expect("a box leaks");
    let functions: Vec<_> = of_box.path.iter().map(|step| step.function.as_deref()).collect();
    assert_eq!(functions, [Some("libplugin.so!plugin_keep"), None], "{of_box:#?}");
}

/// Both places of each mismatch are named, and other tests have none.
fn mismatches_are_noted(report: &Report) {
    let source = include_str!("fixtures/c-memory/src/nodes.c");
    let line = |comment: &str| source.lines().position(|line| line.contains(comment)).unwrap() + 1;
    for (_, test) in report.tests() {
        let (allocated_by, by_c) = match test.name.as_str() {
            "tests::a_box_is_freed_by_c" => (Domain::Rust, line("/* frees it */")),
            "tests::a_block_of_c_is_freed_by_rust" => (Domain::C, line("/* the node */")),
            "tests::a_box_is_grown_by_c" => (Domain::Rust, line("/* grows it */")),
            _ => {
                assert_eq!(test.mismatches, [], "{}", test.name);
                continue;
            }
        };
        let [mismatch] = test.mismatches.as_slice() else {
            panic!("{}: {:#?}", test.name, test.mismatches)
        };
        assert_eq!(mismatch.allocated_by, allocated_by, "{mismatch:#?}");
        let ends = [&mismatch.allocated, &mismatch.freed];
        let [of_rust, of_c] = if allocated_by == Domain::Rust { ends } else { [ends[1], ends[0]] };
        assert_eq!(of_c.last().unwrap().line as usize, by_c, "{mismatch:#?}");
        assert!(of_rust.last().unwrap().file.ends_with("src/lib.rs"), "{mismatch:#?}");
    }
}

fn a_mismatch_can_be_denied(project: &Project) {
    let test = "-- tests::a_box_is_freed_by_c --exact";
    let allowed = project.tracemalloc(test).run().code(exit::CLEAN).stdout;
    let denied = project.tracemalloc(&format!("--deny mismatch {test}"));
    let denied = denied.run().code(exit::LEAK).stdout;
    for text in [allowed, denied] {
        assert!(text.contains("\nmismatch in 1 test: allocated by Rust at src/lib.rs:"), "{text}");
        assert!(text.contains(", freed by C's `free` at src/nodes.c:"), "{text}");
    }
    // Without a command that waits, the test itself fails.
    let failed = |options: &str| {
        let script =
            format!("eval \"$(\"$@\" --export-prefix {options})\" && cargo test -q {test}");
        project.subcommand("show-env", "").in_shell(&script).run()
    };
    failed("").code(0);
    let output = failed("--deny mismatch");
    assert_eq!(output.code, Some(exit::TEST_FAILED), "{}", output.stdout);
    assert!(output.stdout.contains("mismatch: allocated by Rust at src/lib.rs:"));
}

fn a_language_can_be_left_out(project: &Project) {
    let verdicts = |options: &str| {
        project.tracemalloc(&format!("{options} --no-fail")).run().code(exit::CLEAN);
        let report = project.report();
        ["a_node_is_lost", "a_node_owns_a_box_and_is_lost"].map(|test| {
            let test = format!("tests::{test}");
            let growth = &report.test(&test).growth;
            (report.verdict(&test), growth.iter().map(|growth| growth.bytes).sum::<u64>())
        })
    };
    let (clean, leak) = (Some(Verdict::Clean), Some(Verdict::Leak));
    assert_eq!(verdicts("--domain all"), [(leak, 38), (leak, 338)]);
    assert_eq!(verdicts("--domain rust"), [(clean, 0), (leak, 300)]);
    assert_eq!(verdicts("--domain c"), [(leak, 38), (leak, 38)]);
    // The command line wins over the configuration, and a check wins over both.
    let leaks = ["the_configuration_leaves_out_c", "a_check_leaves_out_c", "a_check_counts_c"];
    let report = project.report();
    let verdicts = leaks.map(|test| report.verdict(&format!("tests::{test}")));
    assert_eq!(verdicts, [leak, clean, leak]);
    project.tracemalloc("--domain rust").run().code(exit::LEAK);
    assert_eq!(project.report().verdict("tests::a_check_counts_c"), leak);
}

fn a_program_shows_the_blocks_of_one_language(project: &Project) {
    for (domain, languages) in [("rust", &["rust"][..]), ("c", &["c"]), ("all", &["rust", "c"])] {
        let call = project.run(&format!("--example both --domain {domain}"));
        let held = call.run().code(exit::CLEAN).stderr;
        let snapshot = "target/tracemalloc/snapshot.json --by domain";
        let top = project.subcommand("top", snapshot).run().code(exit::CLEAN).stdout;
        for (language, holder) in [("rust", "both::OF_RUST"), ("c", "both::OF_C")] {
            let is_counted = languages.contains(&language);
            assert_eq!(held.contains(holder), is_counted, "{domain}: {held}");
            assert_eq!(top.contains(&format!("<{language}>:0: ")), is_counted, "{domain}: {top}");
        }
    }
}

/// The comments at the lines that the leaks of a test begin at, with their sizes.
fn lines_of<'a>(test: &str, report: &Report) -> Vec<(&'a str, u64)> {
    let source = include_str!("fixtures/c-memory/src/nodes.c");
    let comment = |growth: &GrowthEntry| {
        let frame = growth.traceback.last().expect("it has frames");
        assert!(frame.file.ends_with("src/nodes.c"), "{frame:?}");
        let line = source.lines().nth(frame.line as usize - 1).expect("it is a line of the file");
        let comment = line.split_once("/* ").and_then(|(_, comment)| comment.split_once(" */"));
        (comment.expect("a comment says what the line allocates").0, growth.bytes)
    };
    let mut lines: Vec<_> = report.test(test).growth.iter().map(comment).collect();
    lines.sort_by_key(|(_, bytes)| *bytes);
    lines
}
