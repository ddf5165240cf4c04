//! Snapshots, statistics, filters and texts behave as CPython's own tests of `tracemalloc` demand.
//!
//! `docs/conformance.md` lists CPython's tests with ours. Cases and wording are our own.

use std::fs;
use std::path::Path;

use tracemalloc::{
    BaseFilter, DomainFilter, Filter, Frame, KeyType, KeyTypeError, Snapshot, Sources, Statistic,
    StatisticDiff, Trace, Traceback,
};

/// `file:line`, oldest first.
fn traceback(places: &[&str]) -> Traceback {
    let frames: Vec<Frame> = places
        .iter()
        .map(|place| {
            let (filename, lineno) = place.rsplit_once(':').unwrap();
            Frame::new(filename, lineno.parse().unwrap())
        })
        .collect();
    Traceback::new(frames, None)
}

fn trace(domain: u32, size: u64, places: &[&str], total_nframe: u32) -> Trace {
    let frames = traceback(places).to_vec();
    Trace::new(domain, size, Traceback::new(frames, Some(total_nframe)))
}

const FILL: [&str; 2] = ["main.rs:8", "cache.rs:20"];
const GROW: [&str; 2] = ["main.rs:8", "cache.rs:31"];
const READ: [&str; 1] = ["main.rs:3"];
const LOAD: [&str; 1] = ["plugin.rs:700"];
const UNKNOWN: [&str; 1] = ["<unknown>:0"];

/// Two pages, one table in domain 1, one line of input in domain 2, one block of unknown origin in
/// domain 3.
fn before() -> Snapshot {
    let traces = vec![
        trace(0, 40, &FILL, 6),
        trace(0, 40, &FILL, 6),
        trace(1, 9, &GROW, 6),
        trace(2, 500, &READ, 1),
        trace(3, 11, &UNKNOWN, 1),
    ];
    Snapshot::new(traces, 2)
}

/// The pages are still there, the table has grown, a plugin was loaded.
fn after() -> Snapshot {
    let traces = vec![
        trace(0, 40, &FILL, 6),
        trace(0, 40, &FILL, 6),
        trace(1, 9, &GROW, 6),
        trace(1, 7000, &GROW, 6),
        trace(5, 300, &LOAD, 1),
    ];
    Snapshot::new(traces, 2)
}

fn statistics(snapshot: &Snapshot, key_type: KeyType, cumulative: bool) -> Vec<Statistic> {
    snapshot.statistics(key_type, cumulative).unwrap()
}

fn differences(key_type: KeyType) -> Vec<StatisticDiff> {
    after().compare_to(&before(), key_type, false).unwrap()
}

fn group(places: &[&str], size: u64, count: u64) -> Statistic {
    Statistic { traceback: traceback(places), size, count, size_error: 0 }
}

fn change(
    places: &[&str],
    (size, size_diff): (u64, i64),
    (count, count_diff): (u64, i64),
) -> StatisticDiff {
    StatisticDiff { traceback: traceback(places), size, size_diff, count, count_diff }
}

/// The places in a snapshot's traces that some filters keep.
fn kept(snapshot: &Snapshot, filters: &[&dyn BaseFilter]) -> Vec<usize> {
    let kept = snapshot.filter_traces(filters);
    let mut rest = kept.traces().iter().peekable();
    let places =
        snapshot.traces().iter().enumerate().filter(|(_, trace)| rest.next_if_eq(trace).is_some());
    let places = places.map(|(index, _)| index).collect();
    assert_eq!(rest.next(), None, "they are in the order of the snapshot");
    places
}

/// Whether a filter alone keeps a block of this stack.
fn keeps(filter: &Filter, places: &[&str]) -> bool {
    let snapshot = Snapshot::new(vec![trace(0, 1, places, 1)], 1);
    !snapshot.filter_traces(&[filter]).traces().is_empty()
}

fn matches(filename: &str, pattern: &str) -> bool {
    let traceback = Traceback::new([Frame::new(filename, 0)], None);
    Filter::new(true, pattern).matches(0, &traceback)
}

#[test]
fn a_traceback_is_shown_with_its_frames_and_their_number() {
    let frames = "(<Frame filename='old.rs' lineno=5>, <Frame filename='new.rs' lineno=6>)";
    let two = traceback(&["old.rs:5", "new.rs:6"]);
    assert_eq!(format!("{two:?}"), format!("<Traceback {frames}>"));
    assert_eq!(
        format!("{:?}", Traceback::new(two.to_vec(), Some(12))),
        format!("<Traceback {frames} total_nframe=12>")
    );
    // Python shows `()` here, and never makes such a traceback of an allocation.
    let none = Traceback::new([], Some(0));
    assert_eq!(
        format!("{none:?}"),
        "<Traceback (<Frame filename='<unknown>' lineno=0>,) total_nframe=0>"
    );
}

#[test]
fn a_snapshot_holds_what_it_was_made_of() {
    let snapshot = Snapshot::new(vec![trace(4, 24, &["a.rs:2"], 31)], 7);
    assert_eq!(snapshot.traceback_limit(), 7);
    let [trace] = snapshot.traces() else { panic!("one trace: {:?}", snapshot.traces()) };
    assert_eq!((trace.domain(), trace.size()), (4, 24));
    assert_eq!(trace.traceback().total_nframe(), Some(31));
    let [frame] = &trace.traceback()[..] else { panic!("one frame: {trace:?}") };
    assert_eq!((frame.filename(), frame.lineno()), ("a.rs", 2));
}

#[test]
fn filters_make_a_new_snapshot_in_the_old_order() {
    let snapshot = before();
    let not_main = Filter::new(false, "main.rs");
    assert_eq!(kept(&snapshot, &[&not_main]), [0, 1, 2, 4], "the most recent frame counts");
    assert_eq!(snapshot, before(), "the original is as it was");

    let line_20 = Filter::new(true, "cache.rs").with_lineno(20);
    let line_31 = Filter::new(true, "cache.rs").with_lineno(31);
    assert_eq!(kept(&snapshot, &[&line_20, &line_31]), [0, 1, 2], "one inclusive filter is enough");
    let twice = snapshot.filter_traces(&[&not_main]).filter_traces(&[&line_31]);
    assert_eq!(twice.traces(), &snapshot.traces()[2..3]);
    assert_eq!(snapshot.filter_traces(&[]), snapshot, "no filter, a copy");
}

#[test]
fn a_filter_with_a_domain_asks_for_both() {
    let snapshot = after();
    let cache_in = |inclusive, domain| Filter::new(inclusive, "cache.rs").with_domain(domain);
    assert_eq!(kept(&snapshot, &[&cache_in(false, 1)]), [0, 1, 4]);
    assert_eq!(kept(&snapshot, &[&cache_in(true, 1)]), [2, 3]);
    assert_eq!(kept(&snapshot, &[&cache_in(true, 5)]), [0; 0]);
}

#[test]
fn a_domain_filter_asks_for_the_domain_alone() {
    let snapshot = before();
    assert_eq!(kept(&snapshot, &[&DomainFilter::new(false, 2)]), [0, 1, 2, 4]);
    assert_eq!(kept(&snapshot, &[&DomainFilter::new(true, 2)]), [3]);
    assert_eq!(
        kept(&snapshot, &[&DomainFilter::new(true, 2), &DomainFilter::new(true, 0)]),
        [0, 1, 3]
    );
}

#[test]
fn groups_by_line() {
    let expected = [group(&READ, 500, 1), group(&["cache.rs:20"], 80, 2), group(&UNKNOWN, 11, 1)];
    let expected = [&expected[..], &[group(&["cache.rs:31"], 9, 1)]].concat();
    assert_eq!(statistics(&before(), KeyType::Lineno, false), expected);
    assert_eq!(
        statistics(&after(), KeyType::Lineno, false),
        [group(&["cache.rs:31"], 7009, 2), group(&LOAD, 300, 1), group(&["cache.rs:20"], 80, 2)]
    );
    assert_eq!(
        differences(KeyType::Lineno),
        [
            change(&["cache.rs:31"], (7009, 7000), (2, 1)),
            change(&READ, (0, -500), (0, -1)),
            change(&LOAD, (300, 300), (1, 1)),
            change(&UNKNOWN, (0, -11), (0, -1)),
            change(&["cache.rs:20"], (80, 0), (2, 0)),
        ]
    );
}

#[test]
fn groups_by_file() {
    assert_eq!(
        statistics(&before(), KeyType::Filename, false),
        [group(&["main.rs:0"], 500, 1), group(&["cache.rs:0"], 89, 3), group(&UNKNOWN, 11, 1)]
    );
    assert_eq!(
        statistics(&after(), KeyType::Filename, false),
        [group(&["cache.rs:0"], 7089, 4), group(&["plugin.rs:0"], 300, 1)]
    );
    assert_eq!(
        differences(KeyType::Filename),
        [
            change(&["cache.rs:0"], (7089, 7000), (4, 1)),
            change(&["main.rs:0"], (0, -500), (0, -1)),
            change(&["plugin.rs:0"], (300, 300), (1, 1)),
            change(&UNKNOWN, (0, -11), (0, -1)),
        ]
    );
}

#[test]
fn groups_by_traceback() {
    assert_eq!(
        statistics(&before(), KeyType::Traceback, false),
        [group(&READ, 500, 1), group(&FILL, 80, 2), group(&UNKNOWN, 11, 1), group(&GROW, 9, 1)]
    );
    assert_eq!(
        statistics(&after(), KeyType::Traceback, false),
        [group(&GROW, 7009, 2), group(&LOAD, 300, 1), group(&FILL, 80, 2)]
    );
    assert_eq!(
        differences(KeyType::Traceback),
        [
            change(&GROW, (7009, 7000), (2, 1)),
            change(&READ, (0, -500), (0, -1)),
            change(&LOAD, (300, 300), (1, 1)),
            change(&UNKNOWN, (0, -11), (0, -1)),
            change(&FILL, (80, 0), (2, 0)),
        ]
    );
    let cumulative = before().statistics(KeyType::Traceback, true);
    assert_eq!(cumulative, Err(KeyTypeError::CumulativeTraceback));
    let cumulative = after().compare_to(&before(), KeyType::Traceback, true);
    assert_eq!(cumulative, Err(KeyTypeError::CumulativeTraceback));
}

#[test]
fn cumulative_groups_count_every_frame() {
    assert_eq!(
        statistics(&before(), KeyType::Filename, true),
        [group(&["main.rs:0"], 589, 4), group(&["cache.rs:0"], 89, 3), group(&UNKNOWN, 11, 1)]
    );
    assert_eq!(
        statistics(&before(), KeyType::Lineno, true),
        [
            group(&["main.rs:3"], 500, 1),
            group(&["main.rs:8"], 89, 3),
            group(&["cache.rs:20"], 80, 2),
            group(&UNKNOWN, 11, 1),
            group(&["cache.rs:31"], 9, 1),
        ]
    );
}

#[test]
fn texts_of_a_trace_name_its_oldest_frame() {
    let snapshot = before();
    let trace = &snapshot.traces()[0];
    assert_eq!(trace.to_string(), "main.rs:8: 40 B");
    assert_eq!(trace.traceback().to_string(), "main.rs:8");
    assert_eq!(trace.traceback()[0].to_string(), "main.rs:8");
    assert_eq!(trace.traceback()[1].to_string(), "cache.rs:20");
}

#[test]
fn the_text_of_a_statistic_has_size_count_and_average() {
    let texts: Vec<String> =
        statistics(&before(), KeyType::Lineno, false).iter().map(ToString::to_string).collect();
    assert_eq!(texts[0], "main.rs:3: size=500 B, count=1, average=500 B");
    assert_eq!(texts[1], "cache.rs:20: size=80 B, count=2, average=40 B");
}

#[test]
fn the_text_of_a_difference_has_signs() {
    let texts: Vec<String> = differences(KeyType::Lineno).iter().map(ToString::to_string).collect();
    // 3504.5, half to even.
    assert_eq!(texts[0], "cache.rs:31: size=7009 B (+7000 B), count=2 (+1), average=3504 B");
    assert_eq!(texts[1], "main.rs:3: size=0 B (-500 B), count=0 (-1)");
    assert_eq!(texts[4], "cache.rs:20: size=80 B (+0 B), count=2 (+0), average=40 B");
}

#[test]
fn traces_and_frames_have_slices() {
    let snapshot = before();
    let traces = snapshot.traces();
    assert_eq!(traces[1..3], [traces[1].clone(), traces[2].clone()]);
    let traceback = traces[2].traceback();
    assert_eq!(traceback[..], [Frame::new("main.rs", 8), Frame::new("cache.rs", 31)]);
    assert_eq!(traceback[1..], [traceback[1].clone()]);
}

#[test]
fn a_limit_chooses_frames_before_they_are_turned_round() {
    let mut sources = Sources::in_memory();
    sources.insert("main.rs", "\n".repeat(7) + "  run(); \n");
    sources.insert("cache.rs", "\n".repeat(19) + "\tlet page = new();");
    let main = ["  File \"main.rs\", line 8", "    run();"];
    let cache = ["  File \"cache.rs\", line 20", "    let page = new();"];
    let unknown = ["  File \"<unknown>\", line 0"];
    let traceback = traceback(&["main.rs:8", "<unknown>:0", "cache.rs:20"]);
    let mut format =
        |limit, most_recent_first| traceback.format_with(&mut sources, limit, most_recent_first);

    assert_eq!(format(None, false), [&main[..], &unknown, &cache].concat());
    assert_eq!(format(None, true), [&cache[..], &unknown, &main].concat());
    assert_eq!(format(Some(2), false), [&unknown[..], &cache].concat());
    assert_eq!(format(Some(2), true), [&cache[..], &unknown].concat());
    assert_eq!(format(Some(-2), false), main);
    assert_eq!(format(Some(-1), true), [&unknown[..], &main].concat());
    assert_eq!(format(Some(9), false), format(None, false));
    assert_eq!(format(Some(0), false), [""; 0]);
    assert_eq!(format(Some(-3), false), [""; 0]);
}

#[test]
fn a_filter_has_python_s_attributes_and_defaults() {
    let filter = Filter::new(true, "src/*");
    assert_eq!((filter.inclusive, filter.filename_pattern()), (true, "src/*"));
    assert_eq!((filter.lineno, filter.all_frames, filter.domain), (None, false, None));

    let mut filter =
        Filter::new(false, "a.rs").with_lineno(77).with_all_frames(true).with_domain(3);
    assert_eq!((filter.inclusive, filter.filename_pattern()), (false, "a.rs"));
    assert_eq!((filter.lineno, filter.all_frames, filter.domain), (Some(77), true, Some(3)));
    // All but the pattern can be set. The pattern has no field.
    (filter.inclusive, filter.lineno, filter.all_frames, filter.domain) = (true, None, false, None);
    assert_eq!(filter, Filter::new(true, "a.rs"));
}

#[test]
fn a_line_number_applies_to_the_frame_whose_file_matches() {
    for (lineno, lines_that_match) in [
        (None, [true, true, true]),
        (Some(12), [false, true, false]),
        (Some(0), [true, false, false]),
    ] {
        for (place, matches) in ["a.rs:0", "a.rs:12", "a.rs:13"].into_iter().zip(lines_that_match) {
            let mut filter = Filter::new(true, "a.rs");
            filter.lineno = lineno;
            assert_eq!(keeps(&filter, &[place]), matches, "{lineno:?}, {place}");
            assert!(
                !keeps(&filter, &[&place.replace('a', "b")]),
                "another file, {lineno:?}, {place}"
            );
            filter.inclusive = false;
            assert_eq!(keeps(&filter, &[place]), !matches, "exclusive, {lineno:?}, {place}");
            assert!(
                keeps(&filter, &[&place.replace('a', "b")]),
                "exclusive, another file, {lineno:?}, {place}"
            );
        }
    }
    // Name and line match, but not in one frame.
    let filter = Filter::new(true, "a.rs").with_lineno(12).with_all_frames(true);
    assert!(!keeps(&filter, &["a.rs:13", "b.rs:12"]));
}

#[test]
fn a_pattern_without_wildcards_is_the_name() {
    for (place, matches) in
        [("a.rs:1", true), ("b.rs:1", false), ("src/a.rs:1", false), ("<unknown>:0", false)]
    {
        assert_eq!(keeps(&Filter::new(true, "a.rs"), &[place]), matches, "{place}");
        assert_eq!(keeps(&Filter::new(false, "a.rs"), &[place]), !matches, "exclusive, {place}");
    }
}

#[test]
fn wildcards_match_the_whole_name() {
    for (pattern, matching, others) in [
        ("", &[""][..], &["x"][..]),
        ("*", &["", "x", "x/y.rs"], &[]),
        ("lib", &["lib"], &["", "li", "libs"]),
        ("li*", &["li", "lib", "lib/a.rs"], &["l", "a/lib"]),
        ("l*.rs", &["l.rs", "lib.rs", "l.rs.rs"], &["lib.rsx", "ib.rs"]),
        ("l*b*s", &["lbs", "lib.rs", "lbxbxs"], &["lis", "lib.r"]),
        ("a*bd*eg", &["abdeg", "abxabdxegeg"], &["abdef", "abxdeg"]),
    ] {
        for name in matching {
            assert!(matches(name, pattern), "{pattern:?} matches {name:?}");
        }
        for name in others {
            assert!(!matches(name, pattern), "{pattern:?} does not match {name:?}");
        }
    }
    assert!(
        matches("mod.pyc", "mod.py") && matches("mod.py", "mod.pyc"),
        "compiled files are their sources"
    );
    assert!(!matches("mod.pyo", "mod.py"), "but for these");
    assert_eq!(matches("mod.pyc", "mod.PY"), cfg!(windows));
    assert_eq!(matches("Lib.rs", "lIB.RS"), cfg!(windows));
    assert_eq!(matches("src/Lib.rs", "S*b.rs"), cfg!(windows));
    assert_eq!(matches(r"src\bin/a.rs", "src/bin\\a.rs"), cfg!(windows));
}

#[test]
fn all_frames_are_compared_on_request() {
    let stacks = [
        &["cache.rs:1", "main.rs:2"][..],
        &["cache.rs:3", "cache.rs:4"],
        &["<unknown>:0", "x.rs:5"],
        &UNKNOWN,
    ];
    for (pattern, all_frames, expected) in [
        ("cache.rs", true, [true, true, false, false]),
        ("cache.rs", false, [false, true, false, false]),
        ("<unknown>", true, [false, false, true, true]),
        ("<unknown>", false, [false, false, false, true]),
    ] {
        for (stack, expected) in stacks.into_iter().zip(expected) {
            let filter = |inclusive| Filter::new(inclusive, pattern).with_all_frames(all_frames);
            assert_eq!(keeps(&filter(true), stack), expected, "{pattern}, {all_frames}: {stack:?}");
            assert_eq!(
                keeps(&filter(false), stack),
                !expected,
                "not {pattern}, {all_frames}: {stack:?}"
            );
        }
    }
}

/// The page must name only tests that exist.
#[test]
fn the_table_is_whole_and_names_tests_that_exist() {
    let page = include_str!("../../docs/conformance.md");
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| `test_")) {
        rows += 1;
        let covered_by = row.split('|').nth(2).unwrap();
        for (file, test) in covered_by.split('`').filter_map(|code| code.split_once(".rs::")) {
            let source = fs::read_to_string(package.join(format!("{file}.rs"))).unwrap();
            assert!(source.contains(&format!("fn {test}() {{")), "{row}");
        }
    }
    assert_eq!(rows, 48, "one for each test method");
}
