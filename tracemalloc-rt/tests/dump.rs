//! Snapshot files: a written snapshot is read back, and any other file is refused with the reason.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use tracemalloc::internal::held_memory::{HeldKind, HeldMemory, HeldPlace, HeldRow};
use tracemalloc::{Frame, LoadError, Snapshot, Trace, Traceback};

/// A directory of the test's own, empty.
fn directory(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dump").join(test);
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// Two stacks that share a frame, an odd name, numbers at their bounds.
fn sample() -> Snapshot {
    let main = Frame::new("src/main.rs", 9).with_function("demo::main").with_column(5);
    let odd = Frame::new("a \"b\"\\\n\u{1f600}\u{0}.rs", u32::MAX).with_function("<T as U>::f");
    let deep = Traceback::new([main.clone(), odd], Some(65535));
    let shallow = Traceback::new([main], None);
    Snapshot::new(
        vec![
            Trace::new(0, 4096, deep.clone()),
            Trace::new(u32::MAX, u64::MAX, shallow.clone()),
            Trace::new(0, 0, shallow),
            Trace::new(7, 64, deep),
        ],
        25,
    )
}

const SMALL: &str = r#"{
"format": "tracemalloc snapshot",
"version": 1,
"traceback_limit": 2,
"filenames": [
"src/main.rs",
"src/cache.rs"
],
"functions": [
"demo::main"
],
"frames": [
[0,9,0,5],
[1,12,null,null]
],
"tracebacks": [
[0,1]
],
"traces": [
[0,4096,0,7],
[0,64,0,7]
]
}
"#;

fn small() -> Snapshot {
    let main = Frame::new("src/main.rs", 9).with_function("demo::main").with_column(5);
    let traceback = Traceback::new([main, Frame::new("src/cache.rs", 12)], Some(7));
    let traces = vec![Trace::new(0, 4096, traceback.clone()), Trace::new(0, 64, traceback)];
    Snapshot::new(traces, 2)
}

fn load(directory: &Path, text: impl AsRef<[u8]>) -> Result<Snapshot, LoadError> {
    let path = directory.join("input.json");
    fs::write(&path, text).unwrap();
    Snapshot::load(path)
}

/// The message behind the file's name, and that of the cause.
fn messages(directory: &Path, text: impl AsRef<[u8]>) -> (String, String) {
    let error = load(directory, text).unwrap_err();
    let message = error.to_string();
    let subject = format!("the snapshot {:?} cannot be read: ", directory.join("input.json"));
    let reason = message.strip_prefix(&subject).unwrap_or_else(|| panic!("{message}"));
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    assert!(error.source().is_none_or(|cause| cause.source().is_none()), "{error:?}");
    (reason.to_owned(), cause)
}

fn annotations(snapshot: &Snapshot) -> Vec<(Option<&str>, Option<u32>)> {
    let traces = snapshot.traces().iter();
    let frames = traces.flat_map(|trace| trace.traceback().iter());
    frames.map(|frame| (frame.function(), frame.column())).collect()
}

#[test]
fn a_dumped_snapshot_comes_back() {
    let path = directory("comes_back").join("x.json");
    for snapshot in [sample(), small(), Snapshot::new(vec![], 1)] {
        snapshot.dump(&path).unwrap();
        let loaded = Snapshot::load(&path).unwrap();
        assert_eq!(loaded.traces(), snapshot.traces());
        assert_eq!(loaded.traceback_limit(), snapshot.traceback_limit());
        assert_eq!(annotations(&loaded), annotations(&snapshot));
    }
}

#[test]
fn the_file_is_as_documented() {
    let directory = directory("as_documented");
    let path = directory.join("x.json");
    small().dump(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), SMALL);
    let page = include_str!("../../docs/snapshot.md");
    let example: String = SMALL.lines().map(|line| format!("    {line}\n")).collect();
    assert!(page.contains(&example));
}

#[test]
fn equal_frames_and_tracebacks_are_written_once() {
    let path = directory("written_once").join("x.json");
    // The tracebacks are equal and share no memory.
    let traceback = || Traceback::new([Frame::new(String::from("a.rs"), 1)], None);
    let traces = (0..50).map(|size| Trace::new(0, size, traceback())).collect();
    Snapshot::new(traces, 1).dump(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"filenames\": [\n\"a.rs\"\n]"), "{text}");
    assert!(text.contains("\"frames\": [\n[0,1,null,null]\n]"), "{text}");
    assert!(text.contains("\"tracebacks\": [\n[0]\n]"), "{text}");
}

#[test]
fn functions_on_one_line_stay_apart() {
    let path = directory("stay_apart").join("x.json");
    let trace = |function: &str| {
        let frame = Frame::new("a.rs", 1).with_function(function);
        Trace::new(0, 1, Traceback::new([frame], None))
    };
    let snapshot = Snapshot::new(vec![trace("f"), trace("g")], 1);
    snapshot.dump(&path).unwrap();
    let loaded = Snapshot::load(&path).unwrap();
    assert_eq!(annotations(&loaded), [(Some("f"), None), (Some("g"), None)]);
}

#[test]
fn a_dump_replaces_the_file_and_leaves_nothing_beside_it() {
    let directory = directory("replaces");
    let path = directory.join("x.json");
    fs::write(&path, "something else").unwrap();
    sample().dump(&path).unwrap();
    assert_eq!(Snapshot::load(&path).unwrap(), sample());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_failed_dump_names_the_file_and_leaves_nothing_behind() {
    let directory = directory("failed");
    let target = directory.join("is_a_directory");
    fs::create_dir(&target).unwrap();
    let error = sample().dump(&target).unwrap_err();
    assert_eq!(error.to_string(), format!("the snapshot {target:?} cannot be written"));
    let cause = error.source().expect("the system says why").to_string();
    assert!(cause.contains("os error"), "{cause}");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    for path in ["", "/", "/no/such/directory/x.json"] {
        let error = sample().dump(path).unwrap_err().to_string();
        assert_eq!(error, format!("the snapshot {path:?} cannot be written"));
    }
}

#[test]
fn order_blanks_and_unknown_members_do_not_matter() {
    let directory = directory("do_not_matter");
    let value: serde_json::Value = serde_json::from_str(SMALL).unwrap();
    let mut members = value.as_object().unwrap().clone();
    members.insert("comment".to_owned(), serde_json::json!({"any": ["thing", 1.5]}));
    let names: Vec<&String> = members.keys().rev().collect();
    let members: Vec<String> =
        names.into_iter().map(|name| format!("  {name:?} :\t{}", members[name])).collect();
    let text = format!("\n{{{}}}\n\n", members.join(",\r\n"));
    assert_eq!(load(&directory, text).unwrap(), small());
}

#[test]
fn a_newer_version_is_called_newer() {
    let directory = directory("newer");
    let newer = SMALL.replace("\"version\": 1", "\"version\": 2");
    let expected = "its format has version 2, and this version of tracemalloc reads version 1";
    let expected = (expected.to_owned(), String::new());
    assert_eq!(messages(&directory, &newer), expected);
    // The result does not depend on later sections.
    let changed = newer.replace("\"traceback_limit\": 2", "\"traceback_limit\": {\"new\": true}");
    assert_eq!(messages(&directory, changed), expected);
    let huge = SMALL.replace("\"version\": 1", "\"version\": 18446744073709551615");
    assert!(matches!(load(&directory, huge), Err(LoadError::NewerVersion { .. })));
}

#[test]
fn a_file_that_ends_early_is_called_cut_off() {
    let directory = directory("cut_off");
    let whole = SMALL.trim_end().len();
    for end in 0..whole {
        let result = load(&directory, &SMALL[..end]);
        assert!(matches!(result, Err(LoadError::CutOff { .. })), "{end}: {result:?}");
    }
    let (message, cause) = messages(&directory, &SMALL[..whole - 4]);
    assert_eq!(message, "the file is cut off in its section \"traces\"");
    assert_eq!(cause, "EOF while parsing a list at line 21 column 10");
    assert_eq!(messages(&directory, "").0, "the file is cut off");
}

#[test]
fn damaged_files_are_refused_by_member_and_place() {
    let directory = directory("damaged");
    for (from, to, section, expected) in [
        (
            "tracemalloc snapshot",
            "heap profile",
            "format",
            "the format has to be \"tracemalloc snapshot\"",
        ),
        ("\"format\": \"tracemalloc snapshot\",\n", "", "", "the section \"format\" is missing"),
        ("\"version\": 1,\n", "", "", "the section \"version\" is missing"),
        ("\"traceback_limit\": 2,\n", "", "", "the section \"traceback_limit\" is missing"),
        ("\"version\": 1", "\"version\": 0", "version", "no format had the version 0"),
        (
            "\"version\": 1",
            "\"version\": \"1\"",
            "version",
            "invalid type: string \"1\", expected u64",
        ),
        (
            "\"version\": 1",
            "\"version\": 1, \"version\": 1",
            "version",
            "the file has this section twice",
        ),
        ("\"traceback_limit\": 2", "\"traceback_limit\": -2", "traceback_limit", "invalid value"),
        ("\"src/main.rs\"", "7", "filenames", "invalid type: integer `7`, expected a string"),
        ("\"demo::main\"", "\"\\ud800\"", "functions", ""),
        ("[0,9,0,5]", "[2,9,0,5]", "frames", "row 0 refers to file name 2, and the file has 2"),
        ("[0,9,0,5]", "[0,9,1,5]", "frames", "row 0 refers to function 1, and the file has 1"),
        ("[0,9,0,5]", "[0,9,0,4294967296]", "frames", "invalid value: integer `4294967296`"),
        ("[0,9,0,5]", "[0,9,0]", "frames", "invalid length 3, expected a tuple of size 4"),
        ("[0,9,0,5]", "[0,9,0,5,1]", "frames", ""),
        ("[0,9,0,5]", "[0,9.5,0,5]", "frames", "invalid type: floating point `9.5`"),
        ("[0,9,0,5]", "{}", "frames", "invalid type: map"),
        (
            "[0,1]",
            "[0,4294967295]",
            "tracebacks",
            "row 0 refers to frame 4294967295, and the file has 2",
        ),
        ("[0,1]", "[]", "tracebacks", "row 0 has no frames"),
        ("[0,64,0,7]", "[0,64,1,7]", "traces", "row 1 refers to traceback 1, and the file has 1"),
        ("[0,64,0,7]", "[0,18446744073709551616,0,7]", "traces", "invalid type: floating point"),
        ("[0,64,0,7]", "[0,1e400,0,7]", "traces", "number out of range"),
        ("[0,64,0,7]", "[0,-1,0,7]", "traces", "invalid value: integer `-1`, expected u64"),
        ("[0,64,0,7]", "[null,64,0,7]", "traces", "invalid type: null, expected u32"),
        ("[0,64,0,7]", "[0,64,0,true]", "traces", "invalid type: boolean `true`, expected u32"),
        ("\n}\n", "\n} {}", "", "trailing characters"),
        ("\n}\n", ",\n}\n", "traces", "trailing comma"),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let text = SMALL.replacen(from, to, 1);
        let result = load(&directory, &text);
        assert!(matches!(result, Err(LoadError::Malformed { .. })), "{to}: {result:?}");
        let (message, cause) = messages(&directory, &text);
        let is_at = match section {
            "" => "the file is not a snapshot, or is damaged".to_owned(),
            section => format!("its section {section:?} is not that of a snapshot, or is damaged"),
        };
        assert_eq!(message, is_at, "{to}");
        assert!(!cause.is_empty() && cause.starts_with(expected), "{to}: {cause}");
    }
    let (_, cause) = messages(&directory, SMALL.replace("9,0,5", "9,0,\"x\""));
    assert!(cause.ends_with("at line 13 column 10"), "{cause}");
}

#[test]
fn other_files_are_refused() {
    let directory = directory("something_else");
    for text in ["[]", "7", "null", "\"snapshot\"", "{}", "\0\0\0\0", "<xml/>", "\u{feff}{}"] {
        let result = load(&directory, text);
        assert!(matches!(result, Err(LoadError::Malformed { .. })), "{text:?}: {result:?}");
    }
    assert_eq!(
        messages(&directory, "[]").1,
        "invalid type: sequence, expected a tracemalloc snapshot at line 1 column 1"
    );
    let not_utf8 = SMALL.as_bytes().iter().map(|&b| if b == b'm' { 0xff } else { b });
    let result = load(&directory, not_utf8.collect::<Vec<u8>>());
    assert!(matches!(result, Err(LoadError::Malformed { .. })), "{result:?}");
    for path in [directory.as_path(), Path::new("/no/such/file.json")] {
        let error = Snapshot::load(path).unwrap_err();
        assert!(matches!(error, LoadError::Read { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("the snapshot {path:?} cannot be read"));
        assert!(error.source().is_some_and(|cause| cause.is::<std::io::Error>()), "{error:?}");
    }
}

#[test]
fn deep_nesting_neither_overflows_the_stack_nor_passes() {
    let directory = directory("nesting");
    let deep = "[".repeat(2_000_000);
    let objects = "{\"a\":".repeat(500_000);
    for text in [
        deep.clone(),
        objects.clone(),
        format!("{{\"frames\": {deep}"),
        format!("{{\"tracebacks\": [{deep}"),
        format!("{{\"version\": {objects}"),
        format!("{{\"comment\": {deep}"),
        format!("{{\"comment\": {objects}"),
    ] {
        load(&directory, text).unwrap_err();
    }
}

#[test]
fn no_damaged_byte_makes_it_panic() {
    let directory = directory("damaged_byte");
    let bytes = [b'"', b'[', b'}', b'9', 0xff];
    for index in 0..SMALL.len() {
        for byte in bytes {
            let mut text = SMALL.as_bytes().to_vec();
            text[index] = byte;
            // Some are still snapshots, of another name or number.
            if let Ok(snapshot) = load(&directory, &text) {
                assert_eq!(snapshot.traces().len(), 2);
            }
        }
    }
}

/// A thread-local with a list of strings, and a lost block.
fn held() -> HeldMemory {
    let place = |kind, name: Option<&str>| HeldPlace {
        kind,
        name: name.map(str::to_owned),
        thread: None,
        start: None,
        file: None,
        line: None,
    };
    let thread = Some("the \"main\" thread".to_owned());
    let file = Some("src/\u{1b}main.rs".to_owned());
    let local = HeldPlace { thread, ..place(HeldKind::ThreadLocal, Some("demo::SEEN")) };
    let texts = HeldPlace { file, line: Some(9), ..place(HeldKind::Blocks, Some("String")) };
    let rows = vec![
        HeldRow { parent: None, place: local, bytes: 0, blocks: 0 },
        HeldRow { parent: Some(0), place: texts, bytes: u64::MAX, blocks: 3 },
        HeldRow { parent: None, place: place(HeldKind::Lost, None), bytes: 7, blocks: 1 },
    ];
    HeldMemory { rows, note: Some("a reason".to_owned()) }
}

#[test]
fn the_holders_of_a_snapshot_are_read_back() {
    let directory = directory("holders");
    let path = directory.join("held.json");
    let snapshot = sample().with_held_memory(Some(held()));
    snapshot.dump(&path).unwrap();
    let loaded = Snapshot::load(&path).unwrap();
    assert_eq!(loaded.held_memory(), Some(&held()));
    assert_eq!(loaded, snapshot);
    assert_eq!(sample().held_memory(), None);

    let text = fs::read_to_string(&path).unwrap();
    for (from, to, reason) in [
        ("[0,\"blocks\"", "[1,\"blocks\"", "row 1 does not stand behind its parent"),
        ("\"lost\"", "\"found\"", "row 2 has the kind \"found\""),
    ] {
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = Snapshot::load(&path).unwrap_err();
        let LoadError::Malformed { section: Some("holders"), .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.source().unwrap().to_string(), reason);
    }
}
