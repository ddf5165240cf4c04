//! The baseline: a project that already leaks fails on new leaks, and on leaks that grow.

mod support;

use support::{Call, Project, Report, exit};

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

/// A list, a map, a tree and a text in statics: their buffers grow now and then, by much.
const COLLECTIONS: &str = r#"
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{LazyLock, Mutex};

static QUEUE: Mutex<VecDeque<Box<dyn Fn() -> u64 + Send>>> = Mutex::new(VecDeque::new());
static LIST: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static TEXT: Mutex<String> = Mutex::new(String::new());
static TREE: Mutex<BTreeMap<u64, [u64; 3]>> = Mutex::new(BTreeMap::new());
static CACHE: LazyLock<Mutex<HashMap<u64, String>>> = LazyLock::new(Mutex::default);
static FLAGS: LazyLock<Mutex<HashMap<u64, u8>>> = LazyLock::new(Mutex::default);

const ENTRIES: u64 = 1;

#[test]
fn queue() {
    (0..ENTRIES).for_each(|n| QUEUE.lock().unwrap().push_back(Box::new(move || n)));
}
#[test]
fn list() {
    (0..ENTRIES).for_each(|n| LIST.lock().unwrap().push(n));
}
#[test]
fn text() {
    (0..ENTRIES).for_each(|_| TEXT.lock().unwrap().push_str("0123456789"));
}
#[test]
fn tree() {
    let mut tree = TREE.lock().unwrap();
    for n in tree.len() as u64..tree.len() as u64 + ENTRIES {
        tree.insert(n, [n; 3]);
    }
}
#[test]
fn cache() {
    let mut cache = CACHE.lock().unwrap();
    for n in cache.len() as u64..cache.len() as u64 + ENTRIES {
        cache.insert(n, format!("{n:016}"));
    }
}
#[test]
fn flags() {
    let mut flags = FLAGS.lock().unwrap();
    for n in flags.len() as u64..flags.len() as u64 + ENTRIES {
        flags.insert(n, 1);
    }
}
"#;

/// The bytes a run of a buffer are a mean over the runs. So a test that ran less often, because the
/// machine was slow, made the run red.
#[test]
fn the_number_of_runs_makes_no_known_leak_grow() {
    let project = Project::copy("demo", "baseline-buffers");
    project.write(LIB, COLLECTIONS);
    // As many runs as a quick machine has time for.
    let args = "--runs 600 --write-baseline --report many.json";
    project.tracemalloc(args).run().code(exit::CLEAN);
    let file = read(&project, FILE);
    assert_eq!(file.matches("[[known-leaks]]").count(), 6, "{file}");
    for runs in [3, 5, 8, 12, 13, 33, 64] {
        let args = format!("--runs {runs} --report few.json");
        let output = project.tracemalloc(&args).run().code(exit::CLEAN);
        assert!(!output.stdout.contains("known up to"), "{runs} runs: {}", output.stdout);
        // A buffer with room for all of these runs is no proof that its leak has gone.
        assert!(!output.stdout.contains("no longer occurs"), "{runs} runs: {}", output.stdout);
        let against = "few.json --against many.json";
        let output = project.subcommand("report", against).run().code(exit::CLEAN);
        assert!(!output.stdout.contains("gone"), "{runs} runs: {}", output.stdout);
    }
    // The baseline of few runs, and many runs.
    project.tracemalloc("--runs 33 --write-baseline").run().code(exit::CLEAN);
    let output = project.tracemalloc("--runs 600").run().code(exit::CLEAN);
    assert!(output.stdout.contains("6 known;"), "{}", output.stdout);

    // A second entry is growth, in any number of runs.
    project.write(LIB, &COLLECTIONS.replace("ENTRIES: u64 = 1", "ENTRIES: u64 = 2"));
    for (runs, grown) in [(33_u32, 5), (600, 6)] {
        let args = format!("--runs {runs} --report grown.json");
        project.tracemalloc(&args).run().code(exit::LEAK);
        // Few runs may say less of a tree, whose nodes come now and then.
        let report = Report::read(&project.root.join("grown.json"));
        let leaks = report.count("leak");
        assert!(leaks >= grown, "{runs} runs: {leaks} leaks");
    }
    // So is a larger element of a list, and a larger block.
    let larger = COLLECTIONS.replace("Mutex<Vec<u64>>", "Mutex<Vec<[u64; 2]>>");
    let larger = larger.replace("push(n)", "push([n; 2])").replace("{n:016}", "{n:032}");
    project.write(LIB, &larger);
    let output = project.tracemalloc("").run().code(exit::LEAK);
    assert!(output.stdout.contains("\ntracemalloc: 2 leaks;"), "{}", output.stdout);
}

/// The second entry was called stale.
#[test]
fn an_id_that_a_baseline_has_twice_is_called_a_duplicate() {
    let project = Project::copy("causes", "baseline-twice");
    project.tracemalloc("--lib --write-baseline -- ties").run().code(exit::CLEAN);
    let first = read(&project, FILE);
    let entry = &first[first.find("[[known-leaks]]").unwrap()..];
    project.write(FILE, &format!("{first}\n{entry}"));
    let output = project.tracemalloc("--deny stale").run().code(exit::LEAK);
    let duplicate = "is a duplicate: tracemalloc-baseline.toml:";
    assert!(output.stderr.contains(duplicate), "{}", output.stderr);
    assert!(!output.stdout.contains("no longer occurs"), "{}", output.stdout);
}

/// An ignored test that did not run made its leak stale.
#[test]
fn a_known_leak_of_an_ignored_test_is_not_stale() {
    let project = Project::copy("demo", "baseline-ignored");
    let ignored = "#[test]\n#[ignore = \"slow\"]\nfn slow() { std::mem::forget(vec![1_u8; 9]); }\n";
    project.write(LIB, ignored);
    project.tracemalloc("--write-baseline -- --include-ignored").run();
    let output = project.tracemalloc("").run();
    assert!(!output.stdout.contains("no longer occurs"), "{}", output.stdout);
    // The test is there, and its leak is mended.
    project.write(LIB, "#[test]\nfn slow() {}\n");
    let output = project.tracemalloc("").run();
    assert!(output.stdout.contains("no longer occurs"), "{}", output.stdout);
    assert!(output.stdout.contains("(lost Vec<u8> (src/lib.rs:3): 9 B"), "{}", output.stdout);
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
