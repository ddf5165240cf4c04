//! One leak is one entry: causes by fingerprint, with all tests that show them.

mod support;

use std::collections::BTreeMap;

use support::{Output, Project, Report, exit};

const LIB: &str = "src/lib.rs";

/// The part of the output behind libtest's own.
fn leaks_text(output: &Output) -> &str {
    let (start, _) = output.stdout.rmatch_indices("finished in").next().expect("tests have run");
    output.stdout[start..].split_once('\n').expect("a line ends").1.trim_start()
}

/// The ids of a project's leaks, by kind and root.
fn ids(project: &Project, args: &str) -> BTreeMap<String, String> {
    project.tracemalloc(args).run().code(exit::LEAK);
    let of_leak = |leak: &support::Leak| {
        let root = leak.holder.as_ref().map(|holder| holder.name.clone());
        let root = root.or_else(|| leak.type_name.clone()).expect("it has a root");
        (format!("{} {root}", leak.kind), leak.id.clone())
    };
    let mut ids = BTreeMap::new();
    for (root, id) in project.report().leaks.iter().map(of_leak) {
        // The optimizer makes one function of equal tests.
        assert_eq!(ids.insert(root.clone(), id), None, "{root} has two ids");
    }
    ids
}

#[test]
fn a_leak_is_one_entry_for_all_tests_that_show_it() {
    let project = Project::copy("causes", "one-entry");
    let output = project.tracemalloc("").run().code(exit::LEAK);
    let text = leaks_text(&output);
    assert!(text.lines().count() < 60, "{text}");
    let Report { leaks, .. } = project.report();
    assert_eq!(leaks.len(), 5, "{text}");
    let find = |kind: &str, root: &str| {
        let mut found = leaks.iter().filter(|leak| {
            let holder = leak.holder.as_ref().map(|holder| holder.name.as_str());
            leak.kind == kind && holder.or(leak.type_name.as_deref()) == Some(root)
        });
        let leak = found.next().unwrap_or_else(|| panic!("no {kind} {root}: {leaks:#?}"));
        assert!(found.next().is_none(), "two are {kind} {root}");
        leak
    };
    let kept = find("held", "causes::KEPT");
    assert_eq!(kept.tests.len(), 15);
    assert!(text.contains("seen by 15 tests: "), "{text}");
    let lines: std::collections::BTreeSet<_> = kept
        .sites
        .iter()
        .map(|site| site["traceback"].as_array().unwrap().last())
        .collect::<Vec<_>>()
        .into_iter()
        .map(|frame| frame.unwrap()["line"].as_u64())
        .collect();
    assert_eq!(lines.len(), 5, "five lines grow it");

    let cycle = find("cycle", "Rc<causes::Node>");
    assert_eq!((cycle.tests.len(), cycle.cycle.len(), cycle.blocks), (3, 2, 4));
    // Two nodes with their counts, and their names.
    assert_eq!(cycle.bytes, cycle.cycle.iter().map(|step| step.bytes).sum::<u64>() + 5 + 6);
    assert_eq!(cycle.cycle[0].type_name.as_deref(), Some("Rc<causes::Node>"));

    let lost = find("lost", "Vec<String>");
    assert_eq!((lost.blocks, lost.bytes, lost.tests.len()), (4, 3 * 24 + 3 * 7, 1));
    let (first, second) = (find("held", "causes::FIRST"), find("held", "causes::SECOND"));
    assert_ne!(first.id, second.id, "one function, two paths");
}

#[test]
fn a_fingerprint_survives_lines_renamed_tests_other_directories_and_optimisation() {
    let project = Project::copy("causes", "fingerprints");
    let before = ids(&project, "");
    assert_eq!(before.len(), 5, "{before:?}");
    assert_eq!(ids(&project, "--release"), before, "in release");

    let moved = Project::copy("causes", "fingerprints-elsewhere");
    let source = std::fs::read_to_string(moved.root.join(LIB)).unwrap();
    let lines = source.replacen("use std::cell", &("//\n".repeat(100) + "use std::cell"), 1);
    moved.write(LIB, &lines);
    assert_eq!(ids(&moved, ""), before, "elsewhere, a hundred lines further down");

    let renamed = lines
        .replace("keeps_", "retains_")
        .replace("ties_", "makes_a_cycle_")
        .replace("loses_a_content", "reads")
        .replace("fn is_clean", "fn other_name");
    moved.write(LIB, &renamed);
    assert_eq!(ids(&moved, ""), before, "with other names of tests");
}

#[test]
fn a_leak_of_the_test_itself_keeps_its_fingerprint_when_the_test_is_renamed() {
    let project = Project::copy("demo", "own-leak");
    let source = |name: &str, size: &str| {
        format!("#[test]\nfn {name}() {{\n    std::mem::forget(vec![{size}]);\n}}\n")
    };
    project.write("src/lib.rs", &(source("one", "1_u8; 9") + &source("two", "2_u64; 9")));
    project.tracemalloc("--lib").run().code(exit::LEAK);
    let before: Vec<String> = project.report().leaks.into_iter().map(|leak| leak.id).collect();
    assert_eq!(before.len(), 2, "two tests, two leaks");
    project.write("src/lib.rs", &(source("first", "1_u8; 9") + &source("second", "2_u64; 9")));
    project.tracemalloc("--lib").run().code(exit::LEAK);
    let after: Vec<String> = project.report().leaks.into_iter().map(|leak| leak.id).collect();
    assert_eq!(after, before);
}
