//! `top`, `diff` and `show` over snapshots that the model has dumped: their output to the letter,
//! and their errors. Nothing is traced here, and no runtime is built.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;

use assert_cmd::Command;
use predicates::str::{contains, starts_with};
use serde_json::Value;
use tempfile::TempDir;
use tracemalloc::internal::held_memory::{HeldKind, HeldMemory, HeldPlace, HeldRow};
use tracemalloc::{Frame, Snapshot, Trace, Traceback};

const USAGE: i32 = 2;
const COULD_NOT_RUN: i32 = 103;

const MAIN: &str =
    "fn main() {\n    let cache = Cache::new();\n    serve(&cache, recursion(3));\n}\n";
const CACHE: &str =
    "impl Cache {\n    fn fill(&mut self) {\n\t\tself.pages.push(vec![0u8; 4096]);\n    }\n}\n";

/// A workspace's directory with sources and two snapshots, `old.json` and `new.json`.
struct Place {
    temp: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { temp: tempfile::tempdir().unwrap() };
        place.write("Cargo.toml", "[workspace]\n");
        place.write("src/main.rs", MAIN);
        place.write("src/cache.rs", CACHE);
        old().dump(place.dir().join("old.json")).unwrap();
        new().dump(place.dir().join("new.json")).unwrap();
        place
    }

    fn dir(&self) -> &Path {
        self.temp.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-tracemalloc"));
        let args = line.split_whitespace();
        command
            .current_dir(self.dir())
            .arg("tracemalloc")
            .args(args)
            .env("CARGO_TERM_COLOR", "never");
        command
    }

    /// The output of a call that succeeds.
    #[track_caller]
    fn run(&self, line: &str) -> String {
        let assert = self.command(line).assert().code(0).stderr("");
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    }

    /// Calls with their output, for one look at all of them.
    #[track_caller]
    fn session(&self, lines: &[&str]) -> String {
        lines
            .iter()
            .map(|line| format!("$ cargo tracemalloc {line}\n{}\n", self.run(line)))
            .collect()
    }

    #[track_caller]
    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.run(line)).unwrap()
    }

    /// One line on stderr, nothing on stdout.
    #[track_caller]
    fn fails(&self, line: &str, code: i32, error: &str) {
        self.command(line).assert().code(code).stdout("").stderr(format!("error: {error}\n"));
    }
}

fn main_frame(lineno: u32) -> Frame {
    Frame::new("src/main.rs", lineno).with_function("demo::main").with_column(17)
}

fn page() -> Traceback {
    let fill = Frame::new("src/cache.rs", 3).with_function("demo::Cache::fill").with_column(25);
    Traceback::new([main_frame(3), fill], Some(9))
}

fn cache() -> Traceback {
    Traceback::new([main_frame(2)], Some(8))
}

/// The same line three times in one stack.
fn recursion() -> Traceback {
    Traceback::new([main_frame(3), main_frame(3), main_frame(3)], Some(30))
}

fn mmap() -> Traceback {
    Traceback::new([main_frame(2), Frame::new("/deps/memmap-1.0.0/src/lib.rs", 40)], None)
}

fn old() -> Snapshot {
    let traces = vec![
        Trace::new(0, 4096, page()),
        Trace::new(0, 512, cache()),
        Trace::new(0, 100, recursion()),
        Trace::new(0, 7, Traceback::new([], None)),
    ];
    Snapshot::new(traces, 3)
}

/// Two more pages, a mapping in another domain; the block of unknown origin is gone.
fn new() -> Snapshot {
    let pages = std::iter::repeat_n(Trace::new(0, 4096, page()), 3);
    let others = [
        Trace::new(0, 512, cache()),
        Trace::new(0, 100, recursion()),
        Trace::new(7, 1 << 20, mmap()),
    ];
    Snapshot::new(pages.chain(others).collect(), 3)
}

#[test]
fn top_is_the_recipe_of_python_s_documentation() {
    let place = Place::new();
    insta::assert_snapshot!(
        "top",
        place.session(&[
            "top new.json",
            "top new.json --limit 2",
            "top new.json --limit 0",
            "top new.json --by filename",
            "top new.json --by traceback",
            "top new.json --cumulative",
            "top new.json --by filename --cumulative --domain 0",
            "top new.json --by domain",
            "top new.json --by domain --domain rust",
        ])
    );
}

#[test]
fn diff_prints_python_s_lines_in_python_s_order() {
    let place = Place::new();
    insta::assert_snapshot!(
        "diff",
        place.session(&[
            "diff old.json new.json",
            "diff new.json old.json --limit 3",
            "diff old.json new.json --by filename",
            "diff old.json new.json --by traceback",
            "diff old.json new.json --by domain",
            "diff old.json new.json --cumulative",
            "diff new.json new.json --limit 1",
        ])
    );
}

#[test]
fn show_prints_whole_tracebacks() {
    let place = Place::new();
    insta::assert_snapshot!(
        "show",
        place.session(&[
            "show new.json",
            "show new.json --limit 1",
            "show new.json --by lineno --limit 2",
            "show new.json --by filename --cumulative",
        ])
    );
}

#[test]
fn filters_are_python_s() {
    let place = Place::new();
    insta::assert_snapshot!(
        "filters",
        place.session(&[
            "top new.json --include src/*",
            "top new.json --include src/cache.rs --include /deps/*",
            "top new.json --include src/cache.rs --all-frames",
            "top new.json --exclude src/main.rs",
            "top new.json --exclude src/main.rs --all-frames",
            "top new.json --domain 7",
            "top new.json --include src/main.rs --all-frames --domain 7",
            "diff old.json new.json --exclude src/cache.rs --domain 0",
            "show new.json --include nowhere.rs",
        ])
    );
}

#[test]
fn json_is_as_documented() {
    let place = Place::new();
    insta::assert_snapshot!("json-top", place.run("top new.json --format json --limit 2"));
    insta::assert_snapshot!(
        "json-diff",
        place.run("diff old.json new.json --format json --limit 2 --by filename --exclude <unknown> --domain 0")
    );
    let show = place.json("show new.json --format json --include *.rs --all-frames");
    assert_eq!(
        (&show["command"], &show["options"]["key_type"]),
        (&"show".into(), &"traceback".into())
    );
    assert_eq!(
        show["statistics"][1]["traceback"].as_array().unwrap().len(),
        2,
        "oldest first: {show:#}"
    );
    assert_eq!(show["statistics"][1]["traceback"][0]["filename"], "src/main.rs");
}

#[test]
fn every_field_of_the_json_is_in_the_documentation() {
    let page = include_str!("../docs/snapshot.md");
    let place = Place::new();
    let mut fields = Vec::new();
    for line in ["top new.json --format json", "diff old.json new.json --format json"] {
        collect_fields(&place.json(line), &mut fields);
    }
    for field in fields {
        assert!(page.contains(&format!("`{field}`")), "docs/snapshot.md says nothing of `{field}`");
    }
}

fn collect_fields(value: &Value, fields: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_fields(item, fields)),
        Value::Object(members) => {
            for (name, value) in members {
                fields.push(name.clone());
                collect_fields(value, fields);
            }
        }
        _ => {}
    }
}

#[test]
fn sources_are_found_from_inside_the_workspace() {
    let place = Place::new();
    place.write("crates/demo/Cargo.toml", "[package]\n");
    place.write("crates/demo/src/main.rs", "\nthis package's own\n");
    let elsewhere = |dir: &str| {
        let assert =
            place.command("top ../../new.json").current_dir(place.dir().join(dir)).assert().code(0);
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    };
    let text = elsewhere("crates/demo");
    assert!(text.contains("    self.pages.push(vec![0u8; 4096]);\n"), "from the workspace: {text}");
    assert!(text.contains("    this package's own\n"), "the nearest file of that name: {text}");
    place.write("crates/readme.txt", "no package");
    place.write("crates/empty/readme.txt", "no package");
    let text = elsewhere("crates/empty");
    assert!(text.contains("    let cache = Cache::new();\n"), "{text}");
}

#[test]
fn without_blocks_there_is_something_to_read() {
    let place = Place::new();
    Snapshot::new(vec![], 1).dump(place.dir().join("empty.json")).unwrap();
    assert_eq!(place.run("top empty.json"), "Top 10 lines\nTotal allocated size: 0.0 KiB\n");
    assert_eq!(place.run("diff empty.json empty.json"), "[ Top 10 differences ]\n");
    assert_eq!(place.run("show empty.json"), "0 memory blocks: 0.0 KiB\n");
    assert_eq!(place.json("top empty.json --format json")["statistics"], serde_json::json!([]));
}

#[test]
fn a_name_from_a_file_does_not_command_the_terminal() {
    let place = Place::new();
    let frame = Frame::new("a\u{1b}[2J\n.rs", 1);
    let snapshot = Snapshot::new(vec![Trace::new(0, 1, Traceback::new([frame], None))], 1);
    snapshot.dump(place.dir().join("odd.json")).unwrap();
    assert_eq!(
        place.run("top odd.json"),
        "Top 10 lines\n#1: a\\u{1b}[2J\\n.rs:1: 0.0 KiB\nTotal allocated size: 0.0 KiB\n"
    );
}

#[test]
fn a_key_is_one_of_python_s_or_the_domain() {
    let place = Place::new();
    for command in ["top new.json", "diff old.json new.json", "show new.json"] {
        let line = format!("{command} --by size");
        place.command(&line).assert().code(USAGE).stdout("").stderr(starts_with(
            "error: invalid value 'size' for '--by <KEY>': \
                 expected `filename`, `lineno`, `traceback` or `domain`\n",
        ));
    }
}

#[test]
fn whole_tracebacks_are_not_cumulative() {
    let place = Place::new();
    let error = "`--cumulative` cannot be used with `--by traceback`, which counts each block \
                 once; use `--by filename` or `--by lineno`";
    place.fails("top new.json --by traceback --cumulative", USAGE, error);
    place.fails("diff old.json new.json --by traceback --cumulative", USAGE, error);
    place.fails("show new.json --cumulative", USAGE, error);
    place.fails("show no/such/file.json --cumulative", USAGE, error);
}

#[test]
fn other_options_are_checked() {
    let place = Place::new();
    for (line, names) in [
        ("top", ["required", "<SNAPSHOT>"]),
        ("diff new.json", ["required", "<NEW>"]),
        ("top new.json --limit -1", ["unexpected", "-1"]),
        ("top new.json --limit many", ["--limit", "many"]),
        ("top new.json --domain 4294967296", ["--domain", "4294967296"]),
        ("top new.json --domain cpp", ["from 0 to 4294967295, `rust` or `c`", "cpp"]),
        ("top new.json --include src/[z-a]*", ["--include", "matches no file"]),
        ("top new.json --format xml", ["--format", "json"]),
        ("top new.json --cumulativ", ["--cumulativ", "--cumulative"]),
    ] {
        place
            .command(line)
            .assert()
            .code(USAGE)
            .stdout("")
            .stderr(starts_with("error: "))
            .stderr(contains(names[0]))
            .stderr(contains(names[1]));
    }
}

#[test]
fn a_file_that_is_no_snapshot_is_named_with_the_reason() {
    let place = Place::new();
    let good = fs::read_to_string(place.dir().join("new.json")).unwrap();
    place.write("newer.json", &good.replace("\"version\": 1", "\"version\": 2"));
    place.write("cut.json", &good[..good.len() - 20]);
    place.write("damaged.json", &good.replace("\"traceback_limit\": 3", "\"traceback_limit\": -3"));
    place.write("report.json", "{\"schema\": 1}");
    place.write("empty.json", "");

    let fails = |line: &str, error: &str| {
        place.fails(line, COULD_NOT_RUN, &format!("the snapshot {error}"))
    };
    let nowhere =
        "\"nowhere.json\" cannot be read\n  caused by: No such file or directory (os error 2)";
    let newer = "\"newer.json\" cannot be read: its format has version 2, and this version of \
                 tracemalloc reads version 1";
    fails("top nowhere.json", nowhere);
    fails("top newer.json", newer);
    fails(
        "show report.json",
        "\"report.json\" cannot be read: the file is not a snapshot, or is damaged\n  caused by: the \
         section \"format\" is missing",
    );
    fails("diff new.json nowhere.json", nowhere);
    fails("diff newer.json new.json", newer);
    for (line, reason) in [
        (
            "top cut.json",
            "\"cut.json\" cannot be read: the file is cut off in its section \"traces\"\n  \
             caused by: EOF while parsing",
        ),
        (
            "top damaged.json",
            "\"damaged.json\" cannot be read: its section \"traceback_limit\" is not that of a \
             snapshot, or is damaged\n  caused by: invalid value",
        ),
        (
            "show empty.json",
            "\"empty.json\" cannot be read: the file is cut off\n  caused by: EOF while parsing",
        ),
        ("show src", "\"src\" cannot be read\n  caused by: "),
    ] {
        let assert = place.command(line).assert().code(COULD_NOT_RUN).stdout("");
        let stderr = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert!(stderr.starts_with(&format!("error: the snapshot {reason}")), "{stderr}");
        assert_eq!(stderr.lines().count(), 2, "{stderr}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let place = Place::new();
    let traces =
        (0..20_000).map(|line| Trace::new(0, 1, Traceback::new([Frame::new("a.rs", line)], None)));
    Snapshot::new(traces.collect(), 1).dump(place.dir().join("many.json")).unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_cargo-tracemalloc"))
        .args(["top", "many.json", "--limit", "20000"])
        .current_dir(place.dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut start = [0; 12];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    assert_eq!(&start, b"Top 20000 li");
    // The reading end is closed by now, with most of the text unread.
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let place = Place::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cargo-tracemalloc"))
        .args(["top", "new.json"])
        .current_dir(place.dir())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(COULD_NOT_RUN));
    assert!(output.stderr.starts_with(b"error: failed to write to stdout\n"), "{output:?}");
}

#[test]
fn help_says_what_the_commands_do_and_how_they_exit() {
    let place = Place::new();
    place
        .command("--help")
        .assert()
        .code(0)
        .stdout(contains("\n  top   "))
        .stdout(contains("\n  diff  "))
        .stdout(contains("\n  show  "));
    for (command, key) in [("top", "lineno"), ("diff", "lineno"), ("show", "traceback")] {
        place
            .command(&format!("{command} --help"))
            .assert()
            .code(0)
            .stdout(contains(format!("[default: {key}]")))
            .stdout(contains("\n  103  "));
    }
}

/// A static that holds this many strings of 100 bytes, and one lost block.
fn held(strings: u64) -> HeldMemory {
    let place = |kind, name: &str, line| HeldPlace {
        kind,
        name: Some(name.to_owned()),
        thread: None,
        start: None,
        file: Some("src/cache.rs".to_owned()).filter(|_| line > 0),
        line: Some(line).filter(|line| *line > 0),
    };
    let row = |parent, place, bytes, blocks| HeldRow { parent, place, bytes, blocks };
    let rows = vec![
        row(None, place(HeldKind::Static, "demo::SEEN\u{1b}[2J", 0), 0, 0),
        row(Some(0), place(HeldKind::Blocks, "Vec<String>", 3), 4 * 24, 1),
        row(Some(1), place(HeldKind::Blocks, "String", 3), strings * 100, strings),
        row(None, place(HeldKind::Lost, "", 0), 0, 0),
        row(Some(3), place(HeldKind::Blocks, "Box<Page>", 4), 4096, 1),
    ];
    HeldMemory { rows, note: None }
}

#[test]
fn the_holders_that_hold_more_come_before_the_lines() {
    let place = Place::new();
    old().with_held_memory(Some(held(2))).dump(place.dir().join("old.json")).unwrap();
    new().with_held_memory(Some(held(4))).dump(place.dir().join("new.json")).unwrap();
    insta::assert_snapshot!(
        "holders",
        place.session(&[
            "diff old.json new.json --limit 1",
            "diff old.json new.json --limit 1 --by traceback",
            "diff old.json old.json --limit 1",
            "diff old.json new.json --limit 1 --include src/*",
            "holders new.json --limit 2",
        ])
    );
    let json = place.json("diff old.json new.json --format json");
    assert_eq!(json["holders"][0]["size_diff"], 200);
    assert_eq!(json["holders"][0]["path"][0]["kind"], "static");
    assert_eq!(json["holders"][0]["path"][2]["line"], 3);
    let json = place.json("holders new.json --format json");
    assert_eq!((&json["groups"], &json["holders"][0]["size"]), (&3.into(), &4096.into()));

    let why = "another program traces this one".to_owned();
    let unknown = HeldMemory { rows: Vec::new(), note: Some(why) };
    new().with_held_memory(Some(unknown)).dump(place.dir().join("new.json")).unwrap();
    let text = place.run("diff old.json new.json");
    assert!(text.starts_with(
        "[ Top 10 holders ]\nunknown, because another program traces this one\n\n[ Top 10 diff"
    ));
    old().dump(place.dir().join("old.json")).unwrap();
    let error =
        "the snapshot \"old.json\" has no holders; those that `cargo tracemalloc run` writes do";
    place.fails("holders old.json", COULD_NOT_RUN, error);
}

#[test]
fn a_file_of_another_kind_is_told_with_the_command_that_opens_it() {
    let place = Place::new();
    let report = r#"{ "schema": 2, "tool_version": "0.1.0", "rustc": "rustc 1.95.0" }"#;
    place.write("report.json", report);
    let nothing = r#"{ "bytes": 0, "blocks": 0, "groups": [] }"#;
    place.write(
        "heap.json",
        &format!(r#"{{ "schema": 1, "lost": {nothing}, "held": [], "note": null }}"#),
    );
    place.write(
        "sarif.json",
        r#"{ "$schema": "https://example.org/sarif-2.1.0.json", "runs": [] }"#,
    );
    place.write("top.json", &place.run("top new.json --format json"));
    let report =
        "`report.json` is a report of tests; `cargo tracemalloc report report.json` opens it";
    let heap = "`heap.json` is the lost and held memory of a program's end; \
                `cargo tracemalloc holders heap.json` opens it";
    let snapshot = "`new.json` is a snapshot; `cargo tracemalloc top new.json` opens it";
    let sarif =
        "`sarif.json` is a report in SARIF, for other programs; no command opens it; expected";
    let output = "`top.json` is the JSON output of a command; no command opens it; expected";
    for (line, error) in [
        ("top report.json", report.to_owned()),
        ("show report.json", report.to_owned()),
        ("diff report.json new.json", report.to_owned()),
        ("diff new.json report.json", report.to_owned()),
        ("holders report.json", report.to_owned()),
        ("top heap.json", heap.to_owned()),
        ("show heap.json", heap.to_owned()),
        ("diff new.json heap.json", heap.to_owned()),
        ("report heap.json", heap.to_owned()),
        ("report new.json", snapshot.to_owned()),
        ("report new.json --against report.json", snapshot.to_owned()),
        ("top sarif.json", format!("{sarif} a snapshot")),
        ("show sarif.json", format!("{sarif} a snapshot")),
        ("diff sarif.json sarif.json", format!("{sarif} a snapshot")),
        ("holders sarif.json", format!("{sarif} a snapshot")),
        ("report sarif.json", format!("{sarif} a report of tests")),
        ("top top.json", format!("{output} a snapshot")),
        ("show top.json", format!("{output} a snapshot")),
        ("diff top.json new.json", format!("{output} a snapshot")),
        ("holders top.json", format!("{output} a snapshot")),
        ("report top.json", format!("{output} a report of tests")),
    ] {
        place.fails(line, COULD_NOT_RUN, &error);
    }
    assert!(place.run("holders heap.json").starts_with("Lost: nothing\n"));
}
