//! The configuration in `tracemalloc.toml` or `[workspace.metadata.tracemalloc]`, and options that
//! win over it. The demo leaks 4,096 bytes in 1 block.

mod support;

use std::fs;

use support::{Output, Project, exit};
use tracemalloc_harness::{Outcome, Verdict};

const FILE: &str = "tracemalloc.toml";
const LEAKS: &str = "cache::tests::forgets_the_oldest";

/// A test whose growth a static holds, so that only further runs can tell that it is a leak.
const KEEPS: &str = r"
use std::sync::Mutex;

fn keep() {
    static KEPT: Mutex<[Option<Box<u32>>; 64]> = Mutex::new([const { None }; 64]);
    let mut kept = KEPT.lock().unwrap();
    *kept.iter_mut().find(|kept| kept.is_none()).unwrap() = Some(Box::new(1));
}

#[test]
fn keeps_more_in_every_run() {
    keep();
}
";

#[test]
fn the_configuration_says_what_is_a_leak_and_the_command_line_wins() {
    let project = Project::copy("demo", "configuration");
    for (config, args, verdict) in [
        ("", "", Verdict::Leak),
        ("max-growth = 4096", "", Verdict::Clean),
        ("max-growth = '4 KiB'", "--max-growth 4095", Verdict::Leak),
        ("max-growth = '1 MiB'\nmax-blocks = 0", "", Verdict::Leak),
        ("exclude = '*cache.rs'", "", Verdict::Clean),
        ("exclude = ['*cache.rs']", "--exclude *lib.rs", Verdict::Leak),
        ("include = ['src/lib.rs']", "", Verdict::Clean),
        ("[[overrides]]\ntest = 'cache::*'\nmax-growth = 4096", "", Verdict::Clean),
        ("[[overrides]]\ntest = 'cache'\nmax-growth = 4096", "", Verdict::Leak),
        ("[[overrides]]\npackage = 'dem?'\nmax-growth = 4096", "", Verdict::Clean),
        ("[[overrides]]\npackage = 'other'\nmax-growth = 4096", "", Verdict::Leak),
        ("max-growth = 4096\n[[overrides]]\npackage = 'demo'\nmax-growth = 0", "", Verdict::Leak),
        ("[[overrides]]\npackage = 'demo'\nmax-growth = 4096", "--max-growth 0", Verdict::Leak),
        (
            "[[overrides]]\ntest = '*::forgets_*'\nmax-growth = 4096\n[[overrides]]\npackage = 'demo'\nmax-growth = 0",
            "",
            Verdict::Clean,
        ),
    ] {
        project.write(FILE, config);
        let code = if verdict == Verdict::Leak { exit::LEAK } else { exit::CLEAN };
        project.tracemalloc(&format!("--lib {args}")).run().code(code);
        assert_eq!(project.report().verdict(LEAKS), Some(verdict), "{config} {args}");
    }

    // The same in the manifest, where a workspace may say it too.
    fs::create_dir_all(project.root.join("tests")).unwrap();
    project.write("tests/keeps.rs", KEEPS);
    project.write(FILE, "runs = 3\nframes = 1\n[[overrides]]\ntest = '*'\nruns = 4\n");
    let (config, manifest) = (project.root.join(FILE), project.root.join("Cargo.toml"));
    let in_manifest = "[workspace.metadata.tracemalloc]\nruns = 3\nframes = 1\n\
                       [[workspace.metadata.tracemalloc.overrides]]\ntest = '*'\nruns = 4\n";
    for place in [FILE, "Cargo.toml"] {
        if place == "Cargo.toml" {
            fs::remove_file(&config).unwrap();
            fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + in_manifest).unwrap();
        }
        project.tracemalloc("--test keeps").run().code(exit::LEAK);
        let report = project.report();
        let test = report.test("keeps_more_in_every_run");
        assert_eq!((test.runs.len(), test.growth[0].traceback.len()), (4, 1), "{place}");
    }
    project.write(FILE, "runs = 3\n");
    let output = project.tracemalloc("").run().code(exit::USAGE);
    let both = "error: there are two configurations, `tracemalloc.toml` and `workspace.metadata.tracemalloc` in Cargo.toml:8";
    assert!(output.stderr.starts_with(both), "{}", output.stderr);
}

#[test]
fn a_known_leak_is_listed_and_fails_nothing() {
    let project = Project::copy("demo", "known-leak");
    let known = |patterns: &str| {
        format!("[[known-leaks]]\n{patterns}\nreason = 'we pop without freeing'\n")
    };
    let shown = "known lost Vec<u8> (src/cache.rs:34): 4096 B in 1 block a run   id ";
    for patterns in
        ["test = '*oldest'", "file = 'src/cache.rs'", "function = '*Cache::fill'\npackage = 'demo'"]
    {
        project.write(FILE, &known(patterns));
        let output = project.tracemalloc("").run().code(exit::CLEAN);
        assert!(
            output.stdout.contains(shown)
                && output.stdout.contains("; we pop without freeing\n")
                && output.stdout.contains("3 clean, 1 known;"),
            "{patterns}"
        );
        let report = project.report();
        let test = report.test(LEAKS);
        assert_eq!((test.verdict, test.runs.len()), (Some(Verdict::Known), 1), "{patterns}");
        assert_eq!(test.growth[0].known.as_ref().unwrap().place, "tracemalloc.toml:1");
        assert_eq!((report.count("known"), report.count("leak")), (1, 0));
        assert_eq!(report.stale_known_leaks, Some(Vec::new()));
    }
    for patterns in ["test = 'oldest'", "file = 'src/lib.rs'", "test = '*'\npackage = 'other'"] {
        project.write(FILE, &known(patterns));
        let output = project.tracemalloc("").run().code(exit::LEAK);
        let stale = "known leak at tracemalloc.toml:1 no longer occurs: we pop without freeing";
        assert!(output.stdout.contains(stale), "{patterns}");
        assert_eq!(project.report().stale_known_leaks.unwrap().len(), 1, "{patterns}");

        // Of tests that did not run, nothing is known.
        for args in ["remembers", "--lib", "-- --skip nothing"] {
            let output = project.tracemalloc(args).run();
            assert!(!output.stdout.contains("no longer occurs"), "{args}");
            assert_eq!(project.report().stale_known_leaks, None, "{args}");
        }
    }
}

#[test]
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn holders_of_the_configuration_excuse_growth_unless_they_may_not() {
    const TEST: &str = "keeps_more_in_every_run";
    let project = Project::copy("demo", "holders");
    fs::create_dir_all(project.root.join("tests")).unwrap();
    project.write("tests/keeps.rs", KEEPS);
    let holder = |pattern: &str| {
        format!("runs = 3\n[[holders]]\nstatic = '{pattern}'\nreason = 'they are few'\n")
    };
    for (config, args, verdict, runs) in [
        ("runs = 3\n", "", Verdict::Leak, 3),
        (&holder("keeps::*KEPT"), "", Verdict::Once, 1),
        (&holder("keeps::*KEPT"), "--no-known-holders", Verdict::Leak, 3),
        (&holder("other::*KEPT"), "", Verdict::Leak, 3),
    ] {
        project.write(FILE, config);
        let code = if verdict == Verdict::Leak { exit::LEAK } else { exit::CLEAN };
        let output = project.tracemalloc(&format!("--test keeps {args}")).run().code(code);
        let report = project.report();
        let test = report.test(TEST);
        assert_eq!((test.verdict, test.runs.len()), (Some(verdict), runs), "{config} {args}");
        let holder = test.growth[0].holder.as_ref().unwrap();
        assert_eq!(
            (holder.name.as_str(), holder.known),
            ("keeps::keep::KEPT", verdict == Verdict::Once)
        );
        // Cargo's profile for tests has full debug information. What has stopped growing is not
        // looked up.
        let place = (verdict == Verdict::Leak).then_some(("tests/keeps.rs", 5));
        assert_eq!(holder.file.as_deref().zip(holder.line), place);
        let shown = output.stdout.contains("held by keeps::keep::KEPT (tests/keeps.rs:5): ")
            && output.stdout.contains("\n  keeps::keep::KEPT: Box<u32>\n");
        assert_eq!(shown, verdict == Verdict::Leak, "{config} {args}");
    }
}

/// A test that loses a block while another thread lives, whose registers no process may read.
const UNASKED: &str = r#"
#[repr(C)]
struct Instruction(u16, u8, u8, u32);
#[repr(C)]
struct Program(u16, *const Instruction);

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn prctl(option: i32, ...) -> i32;
}

const PTRACE: u32 = if cfg!(target_arch = "x86_64") { 101 } else { 117 };
const SECCOMP: i64 = if cfg!(target_arch = "x86_64") { 317 } else { 277 };

/// Before `main`, so that it is no filter of a test.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = forbid_tracing;

/// From here on, `ptrace` fails in all threads: load the call's number; if it is that, fail with
/// EPERM; allow.
extern "C" fn forbid_tracing() {
    let code = [
        Instruction(0x20, 0, 0, 0),
        Instruction(0x15, 0, 1, PTRACE),
        Instruction(0x06, 0, 0, 0x5_0001),
        Instruction(0x06, 0, 0, 0x7fff_0000),
    ];
    let program = Program(4, code.as_ptr());
    unsafe {
        assert_eq!(prctl(38, 1_u64, 0_u64, 0_u64, 0_u64), 0);
        assert_eq!(syscall(SECCOMP, 1_u64, 1_u64, &raw const program), 0);
    }
}

#[test]
fn loses_a_block() {
    std::thread::spawn(|| loop {
        std::thread::park();
    });
    std::mem::forget(std::hint::black_box(vec![1_u8; 500]));
}

#[test]
fn loses_a_block_behind_a_filter() {
    forbid_tracing();
    loses_a_block();
}
"#;

#[test]
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn where_threads_cannot_be_asked_only_further_runs_tell_and_the_report_says_so() {
    let project = Project::copy("demo", "unasked");
    fs::create_dir_all(project.root.join("tests")).unwrap();
    project.write("tests/unasked.rs", UNASKED);
    let output = project.tracemalloc("--test unasked --runs 3").run().code(exit::LEAK);
    let report = project.report();
    for (test, why) in [
        ("loses_a_block", "other threads could not be stopped and asked for their registers"),
        (
            "loses_a_block_behind_a_filter",
            "the process was not copied to search the heap, because a filter for system calls could end it",
        ),
    ] {
        let test = report.test(test);
        assert_eq!(
            (test.verdict, test.runs.len(), test.heap_note.as_deref()),
            (Some(Verdict::Leak), 3, Some(why))
        );
        assert!(
            output.stdout.contains(&format!("{why}; repeated runs alone decided the verdict\n"))
        );
    }
}

#[test]
fn a_test_has_a_timeout_of_its_own() {
    let project = Project::copy("behaviour", "own-timeout");
    project.write(
        FILE,
        "timeout = '90s'\n[[overrides]]\npackage = 'crashes'\ntest = '*::hangs'\ntimeout = 1\n",
    );
    project
        .tracemalloc("-p crashes tests::hangs -- --ignored --exact")
        .run()
        .code(exit::TEST_FAILED);
    let report = project.report();
    assert_eq!(report.test("tests::hangs").outcome, Outcome::Failed);
    assert!(report.test("tests::hangs").message.as_ref().unwrap().contains("longer than 1 s"));
}

#[test]
fn options_in_effect_are_shown_with_their_origin() {
    let project = Project::copy("demo", "show-config");
    project.write(
        FILE,
        r#"# What we allow.
max-growth = "1 KiB"
exclude = ["*/generated/*", "*.pb.rs"]
deny = "unconfirmed"
timeout = 90

[[overrides]]
package = "demo"
test = "cache::*"
max-growth = "4 KiB"
runs = 3

[[known-leaks]]
test = "cache::*"
file = "src/cache.rs"
reason = "we pop without freeing"

[[holders]]
thread = "demo::reader::*"
reason = "pages are freed when the device is next idle"
"#,
    );
    let args = "--runs 5 --include src/*";
    let text = project.subcommand("config", args).run().code(exit::CLEAN);
    insta::assert_snapshot!("config-text", text.stdout);
    let json = project.subcommand("config", args).args("--format json").run().code(exit::CLEAN);
    insta::assert_snapshot!("config-json", json.stdout);
    assert!(!project.root.join("target").exists(), "nothing is built for it");

    // The output is a configuration that says the same.
    project.write(FILE, &text.stdout);
    let again = project.subcommand("config", "").run().code(exit::CLEAN);
    let values = |output: &Output| -> Vec<String> {
        output
            .stdout
            .lines()
            .filter_map(|line| Some(line.split_once('#')?.0.trim_end().to_owned()))
            .collect()
    };
    assert_eq!(values(&again), values(&text));

    // From a directory inside, and by the manifest's path.
    project.subcommand("config", "").dir(project.root.join("src")).run().code(exit::CLEAN);
    let elsewhere = project.subcommand("config", "--manifest-path show-config/demo/Cargo.toml");
    assert_eq!(
        elsewhere.dir(project.root.join("../..")).run().code(exit::CLEAN).stdout,
        again.stdout
    );
    let nowhere = project.subcommand("config", "--manifest-path nowhere").run().code(exit::USAGE);
    assert_eq!(nowhere.stderr, "error: the manifest `nowhere` does not exist\n");
}

#[test]
fn a_mistake_is_named_with_its_line_before_anything_is_built() {
    let project = Project::copy("demo", "mistakes");
    for (config, error) in [
        (
            "\n\nmax-grwoth = 1",
            "unknown key `max-grwoth` in tracemalloc.toml line 3, did you mean `max-growth`?",
        ),
        (
            "[[override]]\ntest = 'a'\nruns = 3",
            "unknown key `override` in tracemalloc.toml line 1, did you mean `overrides`?",
        ),
        (
            "[[overrides]]\ntset = 'a'\nruns = 3",
            "unknown key `tset` in tracemalloc.toml line 2, did you mean `test`?",
        ),
        (
            "no-fail = true",
            "unknown key `no-fail` in tracemalloc.toml line 1, expected one of `max-growth`, `max-blocks`, `runs`, \
             `frames`, `include`, `exclude`, `domain`, `timeout`, `deny`, `programs`, `overrides`, \
             `known-leaks`, `holders`",
        ),
        ("max-growth = '1 XB'", "`max-growth` in tracemalloc.toml line 1: "),
        (
            "max-growth = -1",
            "`max-growth` in tracemalloc.toml line 1: expected a number from 0 to 18446744073709551615, found `-1`",
        ),
        (
            "max-growth = true",
            "`max-growth` in tracemalloc.toml line 1: expected a size like \"4 KiB\", or a number of bytes, found a boolean",
        ),
        (
            "\nruns = 2",
            "`runs` in tracemalloc.toml line 2: expected a number from 3 to 4294967295, found `2`",
        ),
        (
            "frames = 129",
            "`frames` in tracemalloc.toml line 1: expected a number from 1 to 128, found `129`",
        ),
        (
            "domain = 'cpp'",
            "`domain` in tracemalloc.toml line 1: expected `all`, `rust` or `c`, found `cpp`",
        ),
        (
            "include = ['']",
            "`include` in tracemalloc.toml line 1: an empty pattern matches no file",
        ),
        (
            "timeout = '3 parsecs'",
            "`timeout` in tracemalloc.toml line 1: `parsecs` is not a unit of time",
        ),
        (
            "deny = ['often']",
            "`deny` in tracemalloc.toml line 1: expected `once`, `unconfirmed`, `stale` or `mismatch`, found `often`",
        ),
        (
            "[[overrides]]\nruns = 3",
            "`[[overrides]]` needs `package` or `test` in tracemalloc.toml line 1",
        ),
        (
            "\n[[overrides]]\ntest = 'a'",
            "`[[overrides]]` needs an option in tracemalloc.toml line 2",
        ),
        (
            "[[known-leaks]]\ntest = 'a'",
            "`[[known-leaks]]` needs a `reason` in tracemalloc.toml line 1",
        ),
        (
            "[[known-leaks]]\nreason = 'a'",
            "`[[known-leaks]]` needs `id`, `test`, `file` or `function` in tracemalloc.toml line 1",
        ),
        ("[[holders]]\nstatic = 'a'", "`[[holders]]` needs a `reason` in tracemalloc.toml line 1"),
        (
            "[[holders]]\nreason = 'a'",
            "`[[holders]]` needs either `static` or `thread` in tracemalloc.toml line 1",
        ),
        ("runs = \n", "failed to parse tracemalloc.toml line 1: "),
    ] {
        project.write(FILE, config);
        for command in ["test", "config"] {
            let output = project.subcommand(command, "").run().code(exit::USAGE);
            assert!(
                output.stderr.starts_with(&format!("error: {error}")),
                "{config:?}: {}",
                output.stderr
            );
            assert_eq!(output.stdout, "");
        }
    }
    assert!(!project.root.join("target").exists(), "nothing was built");
}

/// They gave exit code 0 and `clean` without a word.
#[test]
fn patterns_that_match_nothing_are_warned_of_with_the_nearest_name() {
    let project = Project::copy("demo", "unmatched-patterns");
    let config = "include = ['src/cahce*', '*/src/lib.rs', 'src/lib.rs', 'alloc/src/*']\n\
                  [[overrides]]\npackage = 'dmo'\nruns = 3\n\
                  [[overrides]]\ntest = 'cache::tests::forgets_oldest'\nruns = 4\n\
                  [[known-leaks]]\nfile = 'nowhere/*'\nreason = 'none'\n";
    project.write(FILE, config);
    let warnings = |output: &Output| -> Vec<String> {
        let lines = output.stderr.lines().filter_map(|line| line.strip_prefix("warning: "));
        lines.filter(|line| line.contains("pattern")).map(str::to_owned).collect()
    };
    let output = project.tracemalloc("").run().code(exit::CLEAN);
    let expected = [
        "the pattern `dmo` of `package` (tracemalloc.toml:2) matches no package of the workspace; did you mean `demo`?",
        "the pattern `cache::tests::forgets_oldest` of `test` (tracemalloc.toml:5) matches no test; did you mean \
         `cache::tests::forgets_the_oldest`?",
        "the pattern `*/src/lib.rs` of `include` (tracemalloc.toml:1) matches no source file; did you mean `src/lib.rs`?",
        "the pattern `src/cahce*` of `include` (tracemalloc.toml:1) matches no source file; did you mean `src/cache.rs`?",
        "the pattern `nowhere/*` of `file` (tracemalloc.toml:8) matches no source file",
    ];
    let said = warnings(&output);
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for warning in expected {
        assert!(said.iter().any(|one| one == warning), "{warning}\n{said:#?}");
    }
    // A run of some tests says nothing of the others.
    let some = project.tracemalloc("--lib -- cache").run();
    assert!(!warnings(&some).iter().any(|warning| warning.contains("no test")));

    project.write(FILE, "");
    let output = project.tracemalloc("--exclude demo").run().code(exit::LEAK);
    let expected = "the pattern `demo` of `exclude` (command line) is for files, and `demo` is a package; \
                    `--exclude-package demo` is cargo's `--exclude demo`";
    assert_eq!(warnings(&output), [expected]);
    let output = project.tracemalloc("--exclude src/cache.rs").run().code(exit::CLEAN);
    assert_eq!(warnings(&output), [""; 0]);
}
