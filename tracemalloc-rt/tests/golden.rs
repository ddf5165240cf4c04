//! Replays recorded calls of CPython's `tracemalloc`, and expects the same results to the letter.
//!
//! The cases are those of `tests/golden`, or of the directory that `TRACEMALLOC_GOLDEN_DIR` names.
//! Make more with the oracle (see the README there) and run `TRACEMALLOC_GOLDEN_DIR=DIR cargo test
//! -p tracemalloc-rt --test golden`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tracemalloc::{
    BaseFilter, DomainFilter, Filter, Frame, KeyType, KeyTypeError, Snapshot, Sources, Statistic,
    StatisticDiff, Trace, Traceback, format_size, pretty_top,
};

#[test]
fn answers_are_those_of_cpython() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in case_files() {
        let text = fs::read_to_string(&path).unwrap();
        let case = Case::new(serde_json::from_str(&text).unwrap());
        for (index, op) in array(&case.data["ops"]).iter().enumerate() {
            let place = format!("{}: op {index}, {}", path.display(), op["op"]);
            case.replay(op, &place);
            *counts.entry(text_of(&op["op"]).to_owned()).or_default() += 1;
        }
    }
    println!("ops replayed: {counts:?}");
    let expected = [
        "compare_to",
        "error",
        "filter_traces",
        "fnmatch",
        "format_size",
        "live",
        "pretty_top",
        "statistics",
        "trace_str",
        "traceback_eq",
        "traceback_format",
        "traceback_order",
    ];
    assert!(counts.keys().eq(expected), "every kind of op is there");
}

fn case_files() -> Vec<PathBuf> {
    let directory = std::env::var_os("TRACEMALLOC_GOLDEN_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"), PathBuf::from);
    let mut paths: Vec<PathBuf> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("read {}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "cases in {}", directory.display());
    paths
}

/// One case file, and the state that its operations work on.
struct Case {
    data: Value,
    old: Snapshot,
    new: Snapshot,
}

impl Case {
    fn new(data: Value) -> Case {
        assert_eq!(data["schema"], "tracemalloc-oracle/1");
        assert_eq!(data["frame_order"], "oldest_first");
        Case { old: snapshot(&data["old"]), new: snapshot(&data["new"]), data }
    }

    /// The source lines of the oracle. No other file has source lines.
    fn sources(&self) -> Sources {
        let mut sources = Sources::in_memory();
        for (filename, lines) in self.data["sources"].as_object().unwrap() {
            let lines: Vec<&str> = array(lines).iter().map(text_of).collect();
            sources.insert(filename, lines.concat());
        }
        sources
    }

    fn snapshot(&self, name: &Value) -> &Snapshot {
        match text_of(name) {
            "old" => &self.old,
            "new" => &self.new,
            name => panic!("no snapshot is called {name}"),
        }
    }

    fn replay(&self, op: &Value, place: &str) {
        let expected = &op["expect"];
        match text_of(&op["op"]) {
            "statistics" => {
                let statistics = self
                    .snapshot(&op["snap"])
                    .statistics(key_type(op), op["cumulative"].as_bool().unwrap())
                    .unwrap();
                let rows: Vec<Value> = statistics.iter().map(statistic_row).collect();
                assert_rows(&rows, expected, place);
            }
            "compare_to" => {
                let differences = self
                    .snapshot(&op["new_snap"])
                    .compare_to(
                        self.snapshot(&op["old_snap"]),
                        key_type(op),
                        op["cumulative"].as_bool().unwrap(),
                    )
                    .unwrap();
                let rows: Vec<Value> = differences.iter().map(difference_row).collect();
                assert_rows(&rows, expected, place);
            }
            "error" => {
                let error = self.error(text_of(&op["call"]));
                assert_eq!(error.to_string(), text_of(&expected["message"]), "{place}");
            }
            "filter_traces" => self.replay_filter_traces(op, place),
            "fnmatch" => replay_fnmatch(op, place),
            "traceback_format" => {
                let traceback = traceback(&op["frames"], None);
                let mut sources = self.sources();
                let rows: Vec<Value> = array(&op["calls"])
                    .iter()
                    .map(|call| {
                        let most_recent_first = call["most_recent_first"].as_bool().unwrap();
                        let limit = call["limit"].as_i64();
                        traceback.format_with(&mut sources, limit, most_recent_first).into()
                    })
                    .collect();
                assert_rows(&rows, expected, place);
            }
            "traceback_order" => {
                let tracebacks: Vec<Traceback> =
                    array(&op["tracebacks"]).iter().map(|frames| traceback(frames, None)).collect();
                let mut sorted: Vec<usize> = (0..tracebacks.len()).collect();
                sorted.sort_by_key(|&index| &tracebacks[index]);
                assert_eq!(Value::from(sorted), expected["sorted"], "{place}");
                let strs: Vec<Value> = tracebacks.iter().map(|t| t.to_string().into()).collect();
                assert_rows(&strs, &expected["strs"], place);
                let reprs: Vec<Value> =
                    tracebacks.iter().map(|t| format!("{t:?}").into()).collect();
                assert_rows(&reprs, &expected["reprs"], place);
            }
            "traceback_eq" => {
                let side = |name: &str| traceback_with_total(&op[name]);
                let equal = side("a") == side("b");
                assert_eq!(equal, expected.as_bool().unwrap(), "{place}");
            }
            "format_size" => {
                let rows: Vec<Value> = array(&op["items"])
                    .iter()
                    .map(|item| {
                        let size = item[0].as_f64().unwrap() / item[1].as_f64().unwrap();
                        format_size(size, item[2].as_bool().unwrap()).into()
                    })
                    .collect();
                assert_rows(&rows, expected, place);
            }
            "trace_str" => {
                let traces = self.snapshot(&op["snap"]).traces();
                let rows: Vec<Value> = traces.iter().map(|t| t.to_string().into()).collect();
                assert_rows(&rows, expected, place);
            }
            "pretty_top" => {
                let rows = self.pretty_top(op);
                assert_rows(&rows, expected, place);
            }
            // Events on the registry of the tracing allocator, which the model knows nothing of:
            // `live.rs` replays them. Here they are only counted.
            "live" => assert!(!array(&op["events"]).is_empty(), "{place}"),
            name => panic!("{place}: no op is called {name}"),
        }
    }

    fn error(&self, call: &str) -> KeyTypeError {
        match call {
            "statistics('traceback', cumulative=True)" => {
                self.new.statistics(KeyType::Traceback, true).unwrap_err()
            }
            "statistics('line')" => "line".parse::<KeyType>().unwrap_err(),
            "compare_to(old, 'traceback', cumulative=True)" => {
                self.new.compare_to(&self.old, KeyType::Traceback, true).unwrap_err()
            }
            _ => panic!("no call is {call}"),
        }
    }

    fn replay_filter_traces(&self, op: &Value, place: &str) {
        let snapshot = self.snapshot(&op["snap"]);
        let expected = &op["expect"];
        let filters = filters(&op["filters"]);

        let filtered = snapshot.filter_traces(&borrowed(&filters));
        let kept: Vec<&Trace> = array(&expected["kept"])
            .iter()
            .map(|index| &snapshot.traces()[index_of(index)])
            .collect();
        assert!(filtered.traces().iter().eq(kept), "{place}: kept");
        assert_eq!(filtered.traceback_limit(), number(&expected["traceback_limit"]), "{place}");

        for (filter, expected) in filters.iter().zip(array(&expected["single"])) {
            let answers: Vec<usize> = (0..snapshot.traces().len())
                .filter(|&index| {
                    let trace = &snapshot.traces()[index];
                    filter.inclusive() == filter.matches(trace.domain(), trace.traceback())
                })
                .collect();
            assert_eq!(&Value::from(answers), expected, "{place}: single");
        }

        let statistics = filtered.statistics(KeyType::Lineno, false).unwrap();
        let rows: Vec<Value> = statistics.iter().map(|s| s.to_string().into()).collect();
        assert_rows(&rows, &expected["lineno_str"], place);
    }

    /// The "Pretty top" recipe of Python's documentation.
    fn pretty_top(&self, op: &Value) -> Vec<Value> {
        let filtered =
            self.snapshot(&op["snap"]).filter_traces(&borrowed(&filters(&op["filters"])));
        let statistics = filtered.statistics(key_type(op), false).unwrap();
        let lines = pretty_top(&statistics, index_of(&op["limit"]), &mut self.sources());
        lines.into_iter().map(Value::from).collect()
    }
}

fn replay_fnmatch(op: &Value, place: &str) {
    let filenames: Vec<&str> = array(&op["filenames"]).iter().map(text_of).collect();
    let patterns = array(&op["patterns"]).iter();
    for (pattern, row) in patterns.zip(array(&op["expect"])) {
        let filter = Filter::new(true, text_of(pattern));
        assert_eq!(filter.filename_pattern(), row["normalized"], "{place}: {pattern}");
        let matching: Vec<usize> = (0..filenames.len())
            .filter(|&index| {
                let traceback = Traceback::new([Frame::new(filenames[index], 0)], None);
                filter.matches(0, &traceback)
            })
            .collect();
        assert_eq!(Value::from(matching), row["match"], "{place}: {pattern} of {filenames:?}");
    }
}

fn statistic_row(statistic: &Statistic) -> Value {
    assert_eq!(statistic.traceback.total_nframe(), None);
    serde_json::json!({
        "frames": frame_rows(&statistic.traceback),
        "size": statistic.size,
        "count": statistic.count,
        "str": statistic.to_string(),
    })
}

fn difference_row(difference: &StatisticDiff) -> Value {
    assert_eq!(difference.traceback.total_nframe(), None);
    serde_json::json!({
        "frames": frame_rows(&difference.traceback),
        "size": difference.size,
        "size_diff": difference.size_diff,
        "count": difference.count,
        "count_diff": difference.count_diff,
        "str": difference.to_string(),
    })
}

fn frame_rows(traceback: &Traceback) -> Vec<Value> {
    traceback.iter().map(|frame| serde_json::json!([frame.filename(), frame.lineno()])).collect()
}

fn snapshot(data: &Value) -> Snapshot {
    let traces = array(&data["traces"])
        .iter()
        .map(|trace| {
            let size = trace["size"].as_u64().unwrap();
            Trace::new(number(&trace["domain"]), size, traceback_with_total(trace))
        })
        .collect();
    Snapshot::new(traces, number(&data["traceback_limit"]))
}

fn traceback_with_total(data: &Value) -> Traceback {
    let total_nframe = &data["total_nframe"];
    let total_nframe = (!total_nframe.is_null()).then(|| number(total_nframe));
    traceback(&data["frames"], total_nframe)
}

fn traceback(frames: &Value, total_nframe: Option<u32>) -> Traceback {
    let frames: Vec<Frame> = array(frames)
        .iter()
        .map(|frame| Frame::new(text_of(&frame[0]), number(&frame[1])))
        .collect();
    Traceback::new(frames, total_nframe)
}

fn filters(data: &Value) -> Vec<Box<dyn BaseFilter>> {
    array(data).iter().map(filter).collect()
}

fn filter(data: &Value) -> Box<dyn BaseFilter> {
    let inclusive = data["inclusive"].as_bool().unwrap();
    if data["type"] == "DomainFilter" {
        return Box::new(DomainFilter::new(inclusive, number(&data["domain"])));
    }
    assert_eq!(data["type"], "Filter");
    let optional = |value: &Value| (!value.is_null()).then(|| number(value));
    let mut filter = Filter::new(inclusive, text_of(&data["filename_pattern"]))
        .with_all_frames(data["all_frames"].as_bool().unwrap());
    filter.lineno = optional(&data["lineno"]);
    filter.domain = optional(&data["domain"]);
    Box::new(filter)
}

fn borrowed(filters: &[Box<dyn BaseFilter>]) -> Vec<&dyn BaseFilter> {
    filters.iter().map(AsRef::as_ref).collect()
}

fn key_type(op: &Value) -> KeyType {
    text_of(&op["key_type"]).parse().unwrap()
}

fn assert_rows(rows: &[Value], expected: &Value, place: &str) {
    let expected = array(expected);
    for (index, (row, expected)) in rows.iter().zip(expected).enumerate() {
        assert_eq!(row, expected, "{place}: row {index}");
    }
    assert_eq!(rows.len(), expected.len(), "{place}: number of rows");
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn index_of(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}
