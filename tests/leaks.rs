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

/// The leaks whose fingerprints are not there any more. Their number stays the same.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    assert_eq!(before.len(), after.len(), "{before:?} {after:?}");
    let is_gone = |id: &String| !after.values().any(|other| other == id);
    before.iter().filter(|(_, id)| is_gone(id)).map(|(key, _)| key.clone()).collect()
}

/// `docs/report.md` says which refactorings change a fingerprint, and why.
#[test]
fn refactorings_change_the_fingerprints_that_the_page_names() {
    let project = Project::copy("causes", "refactorings");
    let before = ids(&project, "");
    let source = std::fs::read_to_string(project.root.join(LIB)).unwrap();
    let edited = |edits: &[(&str, &str)]| {
        let text = edits.iter().fold(source.clone(), |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replace(old, new)
        });
        project.write(LIB, &text);
        ids(&project, "")
    };
    let nothing: [&str; 0] = [];

    let generic = edited(&[
        ("pub fn lose()", "pub fn lose<T>()"),
        (" lose();", " lose::<u8>();"),
        ("pub fn keep(line: usize,", "pub fn keep<S: Into<usize>>(line: S,"),
        ("    let mut kept", "    let line: usize = line.into();\n    let mut kept"),
        ("keep($line,", "keep::<usize>($line,"),
        ("pub struct Node {", "pub struct Node<T = u8> {\n    /// More.\n    pub more: Option<T>,"),
        ("Rc<Node>>>", "Rc<Node<T>>>>"),
        ("Node { name", "Node { more: None, name"),
    ]);
    assert_eq!(changed(&before, &generic), nothing, "with generic parameters");

    let extracted = edited(&[
        (
            "std::mem::forget(vec![\"content\".to_owned(); 3]);\n}",
            "std::mem::forget(content());\n}\n\nfn content() -> Vec<String> {\n    vec![\"content\".to_owned(); 3]\n}",
        ),
        (
            "list.lock().expect(\"no test panics\").push(Box::new(7));\n}",
            "push(list);\n}\n\nfn push(list: &Mutex<Vec<Box<u64>>>) {\n    list.lock().expect(\"no test panics\").push(Box::new(7));\n}",
        ),
    ]);
    assert_eq!(changed(&before, &extracted), ["lost Vec<String>"], "with functions of their own");

    let renamed = edited(&[("FIRST", "FIRST_LIST")]);
    assert_eq!(changed(&before, &renamed), ["held causes::FIRST"], "a static with another name");

    // The functions move, and the statics stay.
    let (head, tests) = source.split_once("#[cfg(test)]").unwrap();
    let (statics, functions) = head.split_once("/// Five lines").unwrap();
    let functions = format!("use super::*;\n\n/// Five lines{functions}");
    let statics = format!("{statics}mod parts {{\n{functions}}}\npub use parts::*;\n");
    project.write(LIB, &format!("{statics}\n#[cfg(test)]{tests}"));
    let in_module = ids(&project, "");
    let moved = changed(&before, &in_module);
    assert_eq!(moved, ["cycle Rc<causes::Node>", "lost Vec<String>"], "in another module");

    let in_file = statics.replace(&format!("mod parts {{\n{functions}}}"), "mod parts;");
    project.write("src/parts.rs", &functions);
    project.write(LIB, &format!("{in_file}\n#[cfg(test)]{tests}"));
    assert_eq!(changed(&in_module, &ids(&project, "")), nothing, "that module in its own file");
}

#[test]
fn a_crate_with_another_name_has_other_fingerprints() {
    let project = Project::copy("causes", "renamed-crate");
    let before = ids(&project, "");
    let manifest = std::fs::read_to_string(project.root.join("Cargo.toml")).unwrap();
    project.write("Cargo.toml", &manifest.replace("\"causes\"", "\"effects\""));
    assert_eq!(changed(&before, &ids(&project, "")).len(), 5);
}

/// A leak of a test itself goes by file and line, all others by names.
#[test]
fn a_renamed_directory_of_a_crate_changes_the_fingerprints_of_tests_that_leak_themselves() {
    let ids_in = |directory: &str| {
        let project = Project::copy("causes", &format!("renamed-directory-{directory}"));
        let own = "    #[test]\n    fn is_clean() {\n        std::mem::forget(vec![7_u16; 3]);\n";
        let source = std::fs::read_to_string(project.root.join(LIB)).unwrap();
        let source = source.replace("    #[test]\n    fn is_clean() {\n", own);
        let manifest = std::fs::read_to_string(project.root.join("Cargo.toml")).unwrap();
        let manifest = manifest.replace("[workspace]", "");
        project.write(&format!("{directory}/Cargo.toml"), &manifest);
        project.write(&format!("{directory}/{LIB}"), &source);
        project.write(
            "Cargo.toml",
            &format!("[workspace]\nmembers = [\"{directory}\"]\nresolver = \"3\"\n"),
        );
        std::fs::remove_dir_all(project.root.join("src")).unwrap();
        project.tracemalloc("--lib").run().code(exit::LEAK);
        let mut leaks = project.report().leaks;
        let own = leaks.iter().position(|leak| leak.bytes == 6).unwrap();
        let own = leaks.remove(own).id;
        let ids: Vec<String> = leaks.into_iter().map(|leak| leak.id).collect();
        (own, ids)
    };
    let ((own, others), (own_then, others_then)) = (ids_in("core"), ids_in("engine"));
    assert_eq!((others.len(), others_then), (5, others));
    assert_ne!(own, own_then);
}
