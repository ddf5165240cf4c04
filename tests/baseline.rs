//! The baseline: a project that already leaks fails on new leaks, and on leaks that grow.

mod support;

use support::{Call, Project, exit};

const FILE: &str = "tracemalloc-baseline.toml";
const LIB: &str = "src/lib.rs";

fn read(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.root.join(path)).unwrap()
}

#[test]
fn with_a_baseline_only_new_and_grown_leaks_fail() {
    let project = Project::copy("causes", "baseline");
    let source = read(&project, LIB);
    let output = project.tracemalloc("--write-baseline").run().code(exit::CLEAN);
    let wrote = format!("Wrote 5 leaks to `{FILE}`");
    assert!(output.stderr.contains(&wrote), "{}", output.stderr);
    let first = read(&project, FILE);
    assert_eq!(first.matches("[[known-leaks]]").count(), 5, "{first}");
    assert!(first.starts_with("# Leaks that `cargo tracemalloc test` accepts."), "{first}");
    assert!(first.contains("\n# held by causes::KEPT (src/lib.rs:"), "{first}");

    // All of them are known.
    let output = project.tracemalloc("").run().code(exit::CLEAN);
    assert!(output.stdout.contains("1 clean, 21 known;"), "{}", output.stdout);
    let report = project.report();
    assert_eq!((report.leaks.len(), report.count("leak")), (5, 0));

    // A new leak is the only one that is shown in full.
    let new = "\n#[test]\nfn loses_a_box() { std::mem::forget(Box::new([0_u64; 100])); }\n";
    project.write(LIB, &format!("{source}{new}"));
    let output = project.tracemalloc("").run().code(exit::LEAK);
    assert!(output.stdout.contains("\nlost Box<[u64; 100]> (src/lib.rs:"), "{}", output.stdout);
    assert!(output.stdout.contains("tracemalloc: 1 leak; 23 tests checked"), "{}", output.stdout);

    // A known leak that loses more.
    project.write(LIB, &source.replace("\"content\".to_owned(); 3", "\"content\".to_owned(); 30"));
    let output = project.tracemalloc("").run().code(exit::LEAK);
    assert!(output.stdout.contains(", known up to 117 B"), "{}", output.stdout);
    assert!(output.stdout.contains("tracemalloc: 1 leak; 22 tests checked"), "{}", output.stdout);

    // Without the baseline, all fail.
    project.write("empty.toml", "");
    project.write(LIB, &source);
    let output = project.tracemalloc("--baseline empty.toml").run().code(exit::LEAK);
    assert!(output.stdout.contains("tracemalloc: 5 leaks;"), "{}", output.stdout);
}

#[test]
fn leaks_that_are_gone_are_named_and_pruned() {
    let project = Project::copy("causes", "baseline-gone");
    let source = read(&project, LIB);
    project.tracemalloc("--write-baseline").run().code(exit::CLEAN);
    let reason = "the cache of the client";
    project.write(FILE, &read(&project, FILE).replacen("not yet examined", reason, 1));
    let first = read(&project, FILE);

    // The first entry is the lost vector.
    let forget = "std::mem::forget(vec![\"content\".to_owned(); 3])";
    assert!(source.contains(forget));
    project.write(LIB, &source.replace(forget, "drop(vec![\"content\".to_owned(); 3])"));
    let output = project.tracemalloc("").run().code(exit::CLEAN);
    let gone = format!("no longer occurs: {reason}");
    assert!(output.stdout.contains(&gone), "{}", output.stdout);
    project.tracemalloc("--deny stale").run().code(exit::LEAK);

    // A part of the suite tells nothing of the others.
    let output = project.tracemalloc("--prune-baseline keeps").run().code(exit::CLEAN);
    assert!(output.stderr.contains("is not pruned: only a run"), "{}", output.stderr);
    project.tracemalloc("--write-baseline -- keeps").run().code(exit::CLEAN);
    assert_eq!(read(&project, FILE), first);

    let output = project.tracemalloc("--prune-baseline --deny stale").run().code(exit::CLEAN);
    assert!(output.stderr.contains("Pruned 1 leak from"), "{}", output.stderr);
    assert!(!output.stdout.contains("no longer occurs"), "{}", output.stdout);
    let pruned = read(&project, FILE);
    assert_eq!(pruned.matches("[[known-leaks]]").count(), 4, "{pruned}");
    assert!(!pruned.contains(reason), "{pruned}");
    let header = first.split_once("\n\n").unwrap().0;
    assert!(pruned.starts_with(header), "the header went with the first entry: {pruned}");

    // Writing it anew keeps reasons, and brings the leak back.
    project.write(LIB, &source);
    project.write(FILE, &pruned.replacen("not yet examined", reason, 1));
    project.tracemalloc("--write-baseline").run().code(exit::CLEAN);
    let again = read(&project, FILE);
    assert_eq!(again.matches("[[known-leaks]]").count(), 5, "{again}");
    assert!(again.contains(reason), "{again}");
}

#[test]
fn a_known_leak_of_the_configuration_may_go_by_its_id() {
    let project = Project::copy("causes", "baseline-id");
    project.tracemalloc("ties").run().code(exit::LEAK);
    let id = project.report().leaks[0].id.clone();
    let known = |growth: &str| {
        format!("[[known-leaks]]\nid = \"{id}\"\n{growth}reason = \"a graph for the benchmark\"\n")
    };
    project.write("tracemalloc.toml", &known(""));
    let output = project.tracemalloc("ties").run().code(exit::CLEAN);
    assert!(output.stdout.contains("; a graph for the benchmark\n"), "{}", output.stdout);
    project.write("tracemalloc.toml", &known("max-growth = 8\n"));
    let output = project.tracemalloc("ties").run().code(exit::LEAK);
    assert!(output.stdout.contains(", known up to 8 B"), "{}", output.stdout);
}

/// Both files' entries were `tracemalloc.toml:1`, so one leak made two entries occur.
#[test]
fn a_baseline_named_like_the_configuration_has_entries_of_its_own() {
    let project = Project::copy("causes", "baseline-name");
    project.tracemalloc("").run().code(exit::LEAK);
    let id = project.report().leaks[0].id.clone();
    let known = |id: &str| format!("[[known-leaks]]\nid = '{id}'\nreason = 'of {id}'\n");
    project.write("tracemalloc.toml", &known(&id));
    std::fs::create_dir_all(project.root.join("ci")).unwrap();
    project.write("ci/tracemalloc.toml", &known("00000000"));
    let args = "--baseline ci/tracemalloc.toml --no-fail";
    let output = project.tracemalloc(args).run().code(exit::CLEAN);
    let gone = "known leak at ci/tracemalloc.toml:1 no longer occurs: of 00000000";
    assert!(output.stdout.contains(gone), "{}", output.stdout);
}

/// `show-env` warned, and every test with a leak of the baseline failed.
#[test]
fn other_callers_of_cargo_know_the_leaks_of_the_baseline() {
    let project = Project::copy("causes", "baseline-show-env");
    project.tracemalloc("--write-baseline").run().code(exit::CLEAN);
    let cargo_test = || {
        let shown = project.subcommand("show-env", "").run().code(exit::CLEAN);
        let call = Call::program("cargo").arg("test").dir(&project.root);
        let call = shown.stdout.lines().fold(call, |call, line| {
            let (name, value) = line.split_once('=').unwrap();
            call.env(name, value)
        });
        call.run()
    };
    cargo_test().code(exit::CLEAN);
    let grown = read(&project, LIB).replace("\"content\".to_owned(); 3", "\"x\".to_owned(); 90");
    project.write(LIB, &grown);
    let output = cargo_test().code(exit::TEST_FAILED);
    assert!(output.stdout.contains("21 passed; 1 failed"), "{}", output.stdout);
}

#[test]
fn a_mistake_in_a_baseline_is_named_before_anything_is_built() {
    let project = Project::copy("causes", "baseline-wrong");
    for (content, args, error) in [
        ("", "--baseline none.toml", "there is no baseline `none.toml`; `--write-baseline` writes"),
        ("", "--write-baseline keeps", "expected a path that ends in `.toml`; the name of a test"),
        ("[[known-leaks]]\ntest = 'a'\nreason = 'b'\n", "", "of a baseline needs `id`"),
        (
            "[[known-leaks]]\nid = 'abc'\nreason = 'b'\n",
            "",
            "eight hexadecimal digits, found \"abc\"",
        ),
        ("[[known-leaks]]\nid = '12345678'\n", "", "`[[known-leaks]]` needs a `reason`"),
        ("runs = 3\n", "", "unknown key `runs` in tracemalloc-baseline.toml line 1"),
        (
            "[[known-leaks]]\nid = '12345678'\ntest = 'a'\nreason = 'b'\n",
            "",
            "`id` in `[[known-leaks]]` goes without patterns",
        ),
    ] {
        if content.is_empty() {
            let _absent = std::fs::remove_file(project.root.join(FILE));
        } else {
            project.write(FILE, content);
        }
        let output = project.tracemalloc(args).run().code(exit::USAGE);
        assert!(output.stderr.contains(error), "{error}: {}", output.stderr);
        assert!(!output.compiled(), "{}", output.stderr);
    }
    for option in ["--write-baseline", "--prune-baseline"] {
        for command in ["show-env", "config"] {
            let output = project.subcommand(command, option).run().code(exit::USAGE);
            let error = "need a run that ends with a report";
            assert!(output.stderr.contains(error), "{}", output.stderr);
        }
    }
}
