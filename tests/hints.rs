//! Hints: what blocks and code prove about a cause is said, and nothing else.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod support;

use std::collections::BTreeMap;

use support::{Project, exit};

/// The kind and the text of each test's hint.
fn hints(project: &Project) -> BTreeMap<String, Option<(String, String)>> {
    let of_test = |leak: &support::Leak| {
        let test = leak.tests[0]["name"].as_str().unwrap().trim_start_matches("tests::").to_owned();
        let hint = leak.hints.first().map(|hint| {
            let field = |name: &str| hint[name].as_str().unwrap().to_owned();
            (field("kind"), field("text"))
        });
        (test, hint)
    };
    project.report().leaks.iter().map(of_test).collect()
}

/// The fingerprint of each test's leak.
fn ids(project: &Project) -> BTreeMap<String, String> {
    let name = |leak: &support::Leak| leak.tests[0]["name"].as_str().unwrap().to_owned();
    project.report().leaks.iter().map(|leak| (name(leak), leak.id.clone())).collect()
}

#[test]
fn only_what_is_proven_is_hinted_at() {
    let project = Project::copy("hints", "hints");
    let output = project.tracemalloc("-v").run().code(exit::LEAK);
    let found = hints(&project);
    let weak = "strong; `parent` of Rc<hints::Child> (src/lib.rs:31) could be a `Weak`";
    let removes = "; it only inserts";
    for (test, expected) in [
        ("children_own_their_parent", Some(("strong_cycle", weak))),
        ("a_handle_of_a_cycle_is_forgotten", None),
        ("a_tree_is_forgotten", None),
        ("links_own_each_other", Some(("strong_cycle", "(src/lib.rs:79) could be a `Weak`"))),
        ("a_vector_is_forgotten", Some(("given_up", "`mem::forget` at src/lib.rs:"))),
        ("a_page_is_leaked", Some(("given_up", "`Box::leak` at src/lib.rs:"))),
        ("a_handle_stays_open", None),
        ("a_wrapper_is_forgotten", None),
        ("a_map_is_only_inserted_into", Some(("only_inserted", removes))),
        ("a_queue_is_only_pushed_to", Some(("only_inserted", removes))),
        ("a_tree_has_only_entries", Some(("only_inserted", removes))),
        ("a_log_is_only_pushed_to", Some(("only_inserted", removes))),
        ("a_queue_is_filled", None),
        ("a_state_grows", None),
        ("a_thread_is_not_joined", Some(("not_joined", "(`hints::work`) that is not joined"))),
        ("a_worker_collects", None),
        ("a_task_is_not_joined", Some(("not_joined", "a task (`hints::tests::wait_for_ever`)"))),
        ("the_handle_of_a_task_that_has_ended_is_kept", None),
    ] {
        let hint = found.get(test).unwrap_or_else(|| panic!("{test} leaks: {found:#?}"));
        match (expected, hint) {
            (Some((kind, text)), Some(hint)) if hint.0 == kind && hint.1.contains(text) => {}
            (None, None) => {}
            _ => panic!("{test}: {hint:?}, expected {expected:?}"),
        }
    }
    assert!(output.stdout.contains("\n  hint: `mem::forget` at"), "{}", output.stdout);
    // One line that leaks for two instances of a type, and all that one thread holds.
    let seen_by = |test: &str| {
        let shows = |leak: &&support::Leak| leak.tests.iter().any(|one| one["name"] == test);
        let leaks: Vec<_> =
            project.report().leaks.into_iter().filter(|leak| shows(&leak)).collect();
        let [leak] = leaks.as_slice() else { panic!("{test}: {leaks:#?}") };
        leak.tests.len()
    };
    assert_eq!(seen_by("tests::a_bag_of_texts_loses_its_mark"), 2);
    assert_eq!(seen_by("tests::a_thread_is_not_joined"), 1);
    let way = "Rc<hints::Child>.parent (src/lib.rs:31) -> and round again";
    assert!(output.stdout.contains(way), "{}", output.stdout);

    // Optimised code says nothing of calls, and the blocks say the same.
    let before = ids(&project);
    project.tracemalloc("--release").run().code(exit::LEAK);
    let optimised = ids(&project);
    assert!(optimised.len() > 8, "{optimised:#?}");
    for (test, id) in optimised {
        assert_eq!(before.get(&test), Some(&id), "{test} in release");
    }
    let found = hints(&project);
    let kinds: Vec<&str> = found.values().flatten().map(|(kind, _)| kind.as_str()).collect();
    assert!(kinds.iter().all(|kind| ["strong_cycle", "not_joined"].contains(kind)), "{found:#?}");
}
