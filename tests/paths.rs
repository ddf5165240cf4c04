//! Paths from holders to memory: with the debug information of types, as a person would write them.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod support;

use std::collections::BTreeMap;

use support::{Project, exit};

/// The path to the leak of each test, and the fingerprint.
fn paths(project: &Project, args: &str) -> BTreeMap<String, (String, String)> {
    let output = project.tracemalloc(args).run().code(exit::LEAK);
    let headlines = output.stdout.split("\nheld by ").skip(1);
    headlines
        .map(|leak| {
            let (headline, rest) = leak.split_once('\n').expect("lines follow");
            let (_, id) = headline.split_once("   id ").expect("a leak has a fingerprint");
            let (_, test) = rest.split_once("seen by tests::").expect("a test shows it");
            let test = test.split_once(' ').map_or(test, |(test, _)| test);
            let path = rest.lines().next().unwrap_or_default().trim();
            // The number of runs decides about the length of a list.
            let path = match path.split_once(" and ").zip(path.split_once(" more blocks")) {
                Some(((before, _), (_, after))) => format!("{before} and N more blocks{after}"),
                None => path.to_owned(),
            };
            (test.to_owned(), (path, id.to_owned()))
        })
        .collect()
}

#[test]
fn paths_have_fields_and_read_as_a_person_would_write_them() {
    let project = Project::copy("paths", "paths");
    let with_types = paths(&project, "-v");
    let text: Vec<String> =
        with_types.iter().map(|(test, (path, _))| format!("{test}: {path}")).collect();
    insta::assert_snapshot!("paths", text.join("\n"));

    // Line tables alone describe no types. Fingerprints have no fields, so they stay the same.
    let without = paths(&project, "-v --config profile.test.debug=1");
    for (test, (path, id)) in &with_types {
        let (other_path, other_id) = &without[test];
        assert_eq!(id, other_id, "{test}: {path}, {other_path}");
        assert!(other_path.contains(" -> "), "{test}: {other_path}");
    }
}
