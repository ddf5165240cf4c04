//! `flamegraph` and `export` over a snapshot that the model has dumped. Readers that are not ours
//! open what they write.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use assert_cmd::Command;
use flate2::read::GzDecoder;
use pprof::protos::{Message as _, Profile};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;
use tracemalloc::{Frame, Snapshot, Trace, Traceback};

const USAGE: i32 = 2;
const COULD_NOT_RUN: i32 = 103;

/// A directory with two snapshots, `old.json` and `new.json`.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        snapshot(1).dump(place.path("old.json")).unwrap();
        snapshot(3).dump(place.path("new.json")).unwrap();
        place
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-tracemalloc"));
        command.current_dir(self.0.path()).arg("tracemalloc").args(line.split_whitespace());
        command.env("CARGO_TERM_COLOR", "never");
        command
    }

    fn run(&self, line: &str) -> Vec<u8> {
        self.command(line).assert().code(0).get_output().stdout.clone()
    }

    fn text(&self, line: &str) -> String {
        String::from_utf8(self.run(line)).unwrap()
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_slice(&self.run(line)).unwrap()
    }

    /// One line on stderr, nothing on stdout.
    #[track_caller]
    fn fails(&self, line: &str, code: i32) -> String {
        let assert = self.command(line).assert().code(code).stdout("");
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    }
}

/// So many pages of a cache, a table and a block of unknown origin. Names are as hostile as a name
/// can be.
fn snapshot(pages: usize) -> Snapshot {
    let main = || Frame::new("src/main.rs", 3).with_function("demo::main");
    let page = Frame::new("src/cache.rs", 12).with_function("demo::Cache<[u8; 4]>::fill");
    let page = Traceback::new([main(), page], None);
    let table = Frame::new("src/<b>&\"table\".rs", 7).with_function("demo::\u{1b}[31mred;\nmain 9");
    let table = Traceback::new([main(), table], None);
    let mut traces = vec![Trace::new(0, 4096, page); pages];
    traces.push(Trace::new(0, 100, table));
    traces.push(Trace::new(0, 7, Traceback::new([Frame::unknown()], None)));
    Snapshot::new(traces, 2)
}

#[test]
fn folded_stacks_have_a_line_for_each_stack() {
    assert_eq!(
        Place::new().text("export new.json --format folded"),
        "demo::main (src/main.rs:3);demo::Cache<[u8 x 4]>::fill (src/cache.rs:12) 12288\n\
         demo::main (src/main.rs:3);demo::_[31mred__main 9 (src/<b>&\"table\".rs:7) 100\n\
         <unknown> 7\n"
    );
}

#[test]
fn filters_choose_the_blocks_of_all_formats() {
    let place = Place::new();
    let fill = "demo::main (src/main.rs:3);demo::Cache<[u8 x 4]>::fill (src/cache.rs:12) 12288\n";
    let only = |options: &str| place.text(&format!("export new.json --format folded {options}"));
    assert_eq!(only("--include */cache.rs"), fill);
    assert_eq!(only("--exclude *table* --exclude <unknown>"), fill);
    assert_eq!(only("--domain c"), "");
    assert_eq!(only("--include */main.rs --all-frames").lines().count(), 2);
    let svg = place.text("flamegraph new.json --include */cache.rs -o -");
    assert!(svg.contains("all (12,288 bytes, 100%)"), "{svg}");
    let none = place.fails("flamegraph new.json --domain 7", COULD_NOT_RUN);
    assert_eq!(none, "error: \"new.json\" has no memory to draw\n");
}

#[test]
fn a_flame_graph_has_each_frame_with_its_bytes() {
    let place = Place::new();
    let assert = place.command("flamegraph new.json").assert().code(0).stdout("");
    assert.stderr("  Flamegraph flamegraph.svg\n");
    let svg = fs::read_to_string(place.path("flamegraph.svg")).unwrap();
    assert!(
        svg.contains("demo::Cache&lt;[u8 x 4]&gt;::fill (src/cache.rs:12) (12,288 bytes, 99.14%)"),
        "{svg}"
    );
    assert!(svg.contains("demo::main (src/main.rs:3) (12,388 bytes, 99.94%)"), "{svg}");
    assert!(svg.contains("all (12,395 bytes, 100%)"), "{svg}");
    assert!(!svg.contains("<b>") && !svg.contains('\u{1b}'), "{svg}");
    let blocks = place.text("flamegraph new.json --unit blocks -o -");
    assert!(blocks.contains("demo::main (src/main.rs:3) (4 blocks, 80.00%)"), "{blocks}");
}

#[test]
fn a_flame_graph_against_an_older_snapshot_tells_the_change() {
    let svg = Place::new().text("flamegraph new.json --against old.json -o -");
    assert!(svg.contains("4203 bytes before, 12395 now; red grew, blue shrank"), "{svg}");
    assert!(svg.contains("::fill (src/cache.rs:12) (12,288 bytes, 99.14%; +66.09%)"), "{svg}");
}

#[test]
fn a_crate_for_pprof_reads_the_profile() {
    let place = Place::new();
    let mut bytes = Vec::new();
    GzDecoder::new(&*place.run("export new.json --format pprof")).read_to_end(&mut bytes).unwrap();
    let profile = Profile::decode(&*bytes).unwrap();
    let text = |index: i64| profile.string_table[usize::try_from(index).unwrap()].as_str();
    assert_eq!(text(0), "");
    let types: Vec<_> =
        profile.sample_type.iter().map(|kind| (text(kind.ty), text(kind.unit))).collect();
    assert_eq!(types, [("inuse_objects", "count"), ("inuse_space", "bytes")]);
    assert_eq!(text(profile.default_sample_type), "inuse_space");
    let place_of = |id: &u64| {
        let location = profile.location.iter().find(|location| location.id == *id).unwrap();
        let [line] = location.line.as_slice() else { panic!("one line a location") };
        let function = profile.function.iter().find(|function| function.id == line.function_id);
        let function = function.unwrap();
        format!("{} {}:{}", text(function.name), text(function.filename), line.line)
    };
    let samples: Vec<(Vec<String>, &[i64])> = profile
        .sample
        .iter()
        .map(|sample| (sample.location_id.iter().map(place_of).collect(), &*sample.value))
        .collect();
    let fill = "demo::Cache<[u8; 4]>::fill src/cache.rs:12".to_owned();
    let main = "demo::main src/main.rs:3".to_owned();
    assert_eq!(samples[0], (vec![fill, main], &[3, 12288][..]), "the most recent frame first");
    assert_eq!(samples[1].1, [1, 100]);
    assert_eq!(samples[2], (vec!["<unknown> <unknown>:0".to_owned()], &[1, 7][..]));
}

/// The rules of speedscope's file format for a sampled profile.
fn speedscope_schema() -> Value {
    let frame = json!({
        "type": "object",
        "required": ["name"],
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string" },
            "file": { "type": "string" },
            "line": { "type": "number" },
            "col": { "type": "number" },
        },
    });
    let profile = json!({
        "type": "object",
        "required": ["type", "name", "unit", "startValue", "endValue", "samples", "weights"],
        "additionalProperties": false,
        "properties": {
            "type": { "const": "sampled" },
            "name": { "type": "string" },
            "unit": { "enum": ["bytes", "none"] },
            "startValue": { "type": "number" },
            "endValue": { "type": "number" },
            "samples": { "type": "array", "items": { "type": "array", "items": { "type": "number" } } },
            "weights": { "type": "array", "items": { "type": "number" } },
        },
    });
    json!({
        "type": "object",
        "required": ["$schema", "shared", "profiles"],
        "additionalProperties": false,
        "properties": {
            "$schema": { "const": "https://www.speedscope.app/file-format-schema.json" },
            "shared": {
                "type": "object",
                "required": ["frames"],
                "properties": { "frames": { "type": "array", "items": frame } },
            },
            "profiles": { "type": "array", "items": profile },
            "name": { "type": "string" },
            "activeProfileIndex": { "type": "number" },
            "exporter": { "type": "string" },
        },
    })
}

#[test]
fn speedscope_s_file_keeps_to_its_format() {
    let document = Place::new().json("export new.json --format speedscope");
    jsonschema::validate(&speedscope_schema(), &document).unwrap();
    let frames = document["shared"]["frames"].as_array().unwrap();
    assert_eq!(
        frames[1],
        json!({ "name": "demo::Cache<[u8; 4]>::fill", "file": "src/cache.rs", "line": 12 })
    );
    let [bytes, blocks] = document["profiles"].as_array().unwrap().as_slice() else { panic!() };
    assert_eq!(bytes["samples"], json!([[0, 1], [0, 2], [3]]));
    assert_eq!(bytes["weights"], json!([12288, 100, 7]));
    assert_eq!(bytes["endValue"], json!(12395));
    assert_eq!(blocks["weights"], json!([3, 1, 1]));
    assert_eq!(blocks["samples"], bytes["samples"]);
}

#[test]
fn the_firefox_profiler_gets_an_allocation_for_each_stack() {
    let document = Place::new().json("export new.json --format firefox");
    assert_eq!(document["meta"]["product"], "Live memory");
    let thread = &document["threads"][0];
    let allocations = &thread["nativeAllocations"];
    assert_eq!(allocations["weight"], json!([12288, 100, 7]));
    // A stack is a frame and the stack of its callers.
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let name = |stack: usize| {
        let frame = number(&thread["stackTable"]["frame"][stack]);
        let function = number(&thread["frameTable"]["func"][frame]);
        let string = number(&thread["funcTable"]["name"][function]);
        thread["stringArray"][string].as_str().unwrap()
    };
    let fill = number(&allocations["stack"][0]);
    assert_eq!(name(fill), "demo::Cache<[u8; 4]>::fill (src/cache.rs:12)");
    let caller = number(&thread["stackTable"]["prefix"][fill]);
    assert_eq!(name(caller), "demo::main (src/main.rs:3)");
}

#[test]
fn what_cannot_be_exported_has_one_error() {
    let place = Place::new();
    fs::write(place.path("other.json"), "{}").unwrap();
    Snapshot::new(Vec::new(), 1).dump(place.path("empty.json")).unwrap();
    let other = place.fails("export other.json --format folded", COULD_NOT_RUN);
    assert!(other.contains("other.json"), "{other}");
    let missing = place.fails("flamegraph missing.json", COULD_NOT_RUN);
    assert!(missing.contains("missing.json"), "{missing}");
    let empty = place.fails("flamegraph empty.json", COULD_NOT_RUN);
    assert_eq!(empty, "error: \"empty.json\" has no memory to draw\n");
    assert!(!place.path("flamegraph.svg").exists());
    let unwritable = place.fails("export new.json --format folded -o no/dir/out", COULD_NOT_RUN);
    assert!(unwritable.contains("failed to write `no/dir/out`"), "{unwritable}");
    place.fails("export new.json --format gif", USAGE);
    place.fails("export new.json", USAGE);
}
