//! Every planted leak is reported, once, where it is, as large as it is; and nothing else is.
//!
//! The expectations are comments in the sources: see `tests/fixtures/README.md`.

mod support;

use std::collections::BTreeMap;
use std::{env, fs};

use support::{Project, Report, exit, files};
use tracemalloc_harness::{GrowthEntry, GrowthKind, HolderKind, Outcome, Retained, Verdict};

/// A test, and the line at which it leaks.
type Place = (String, String, u32);

/// Bytes and blocks, `None` if any number will do; and the holder, `None` if nothing holds it.
type Amount = (Option<u64>, Option<u64>, Option<String>);

/// The expectations in the comments of the sources.
fn planted() -> BTreeMap<Place, Amount> {
    let root = Project::source("planted");
    let mut planted = BTreeMap::new();
    for file in files(&root).iter().filter(|file| file.extension() == Some("rs".as_ref())) {
        let source = fs::read_to_string(root.join(file)).unwrap();
        for (line, number) in source.lines().zip(1..) {
            for comment in line.split("// leak: ").skip(1) {
                let (test, amount) = parse(comment);
                let place = (test, file.to_str().unwrap().replace('\\', "/"), number);
                assert_eq!(
                    planted.insert(place, amount),
                    None,
                    "{}: said twice: {line}",
                    file.display()
                );
            }
        }
    }
    planted
}

/// `test=crate::path size=48 count=any held=crate::STATIC`.
fn parse(comment: &str) -> (String, Amount) {
    let words: BTreeMap<&str, &str> =
        comment.split_whitespace().filter_map(|word| word.split_once('=')).collect();
    let held = words.get("held").map(|holder| (*holder).to_owned());
    assert_eq!(words.len(), 3 + usize::from(held.is_some()), "{comment}");
    let number = |word: &str| match words[word] {
        "any" => None,
        number => Some(number.parse().unwrap_or_else(|error| panic!("{comment}: {error}"))),
    };
    (words["test"].to_owned(), (number("size"), number("count"), held))
}

/// The content of a report, in the same form. Where any number will do, any that is not zero is let
/// pass.
fn reported(report: &Report, planted: &BTreeMap<Place, Amount>) -> BTreeMap<Place, Amount> {
    let mut sums: BTreeMap<Place, (u64, u64, Option<String>)> = BTreeMap::new();
    for (target, test) in report.tests().filter(|(_, test)| test.verdict == Some(Verdict::Leak)) {
        for growth in test.growth.iter().filter(|growth| growth.kind == GrowthKind::Leak) {
            let frame = growth.traceback.last().expect("growth has a traceback");
            let place =
                (format!("{}::{}", target.crate_name(), test.name), frame.file.clone(), frame.line);
            let sum = sums.entry(place).or_default();
            *sum = (sum.0 + growth.bytes, sum.1 + growth.blocks, holder(growth));
        }
    }
    let loosen = |(place, (bytes, blocks, holder)): (Place, (u64, u64, Option<String>))| {
        assert!(bytes > 0 && blocks > 0, "nothing leaked at {place:?}");
        let any = planted.get(&place).cloned().unwrap_or((Some(0), Some(0), None));
        let amount = (any.0.map(|_| bytes), any.1.map(|_| blocks), holder);
        (place, amount)
    };
    sums.into_iter().map(loosen).collect()
}

/// The holder in the report: a static or a thread-local by its name, a thread's stack as such.
fn holder(growth: &GrowthEntry) -> Option<String> {
    match (growth.retained, &growth.holder) {
        (Some(Retained::Lost), _) => None,
        (Some(Retained::Held), Some(holder)) if holder.kind == HolderKind::Stack => {
            Some("stack".to_owned())
        }
        (Some(Retained::Held), Some(holder)) => Some(holder.name.clone()),
        (retained, _) => Some(format!("{retained:?}")),
    }
}

/// A line each, so that a difference is easy to read.
fn lines(places: &BTreeMap<Place, Amount>) -> String {
    let amount =
        |number: Option<u64>| number.map_or(String::from("any"), |number| number.to_string());
    let line = |((test, file, line), (bytes, blocks, held)): (&Place, &Amount)| {
        let held = held.as_ref().map(|holder| format!(" held={holder}")).unwrap_or_default();
        format!("{test} {file}:{line} size={} count={}{held}\n", amount(*bytes), amount(*blocks))
    };
    places.iter().map(line).collect()
}

fn check(report: &Report) {
    let planted = planted();
    assert!(planted.len() > 20, "the comments are not found");
    pretty_assertions::assert_eq!(lines(&reported(report, &planted)), lines(&planted));
    for (target, test) in report.tests() {
        let name = format!("{}::{}", target.crate_name(), test.name);
        assert_eq!(test.outcome, Outcome::Passed, "{name}: {:?}", test.message);
        let leaks = planted.keys().any(|(planted, ..)| *planted == name);
        let verdicts: &[Verdict] =
            if leaks { &[Verdict::Leak] } else { &[Verdict::Clean, Verdict::Once] };
        assert!(
            test.verdict.is_some_and(|verdict| verdicts.contains(&verdict)),
            "{name}: {test:#?}"
        );
        // A block that nothing holds is known after one run, or after the run that loses it again.
        // A word of the thread that has just run may still point to it for a run or two.
        let all_lost = test.growth.iter().all(|growth| growth.retained != Some(Retained::Held));
        assert!(!leaks || !all_lost || test.runs.len() <= 4, "{name}: {test:#?}");
        assert_eq!(test.heap_note, None, "{name}");
    }
    assert!(report.targets.iter().all(|target| target.traced));
}

#[test]
fn planted_leaks_are_reported_and_nothing_else() {
    let project = Project::copy("planted", "planted");
    let rounds = env::var("PLANTED_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    for _ in 0..rounds {
        for threads in ["", "-- --test-threads 1", "-- --test-threads 2", "-- --test-threads 8"] {
            project.tracemalloc(threads).run().code(exit::LEAK);
            check(&project.report());
        }
    }
}
