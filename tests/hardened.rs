//! Tests and programs that take rights, files or system calls from their own process end as they
//! would untraced. The harness opens its files before.

#![cfg(target_os = "linux")]

mod support;

use support::{Call, Project, exit};
use tracemalloc_harness::{Outcome, Verdict};

#[test]
fn hardened_tests_pass_and_their_leaks_are_not_hidden() {
    let project = Project::copy("behaviour", "hardened");
    project.tracemalloc("-p hardened --no-fail").run().code(exit::CLEAN);
    let report = project.report();
    for (test, verdict) in [
        ("leaks_in_another_root_directory", Verdict::Leak),
        ("leaks_as_another_user", Verdict::Leak),
        ("leaks_without_new_files", Verdict::Leak),
        ("leaks_without_writing_to_files", Verdict::Leak),
        ("leaks_without_memory", Verdict::Leak),
        ("leaks_without_more_data", Verdict::Leak),
        ("leaks_without_new_addresses", Verdict::Leak),
        ("leaks_without_new_mappings", Verdict::Leak),
        ("leaks_without_new_processes", Verdict::Leak),
        ("keeps_without_new_processes", Verdict::Leak),
        ("leaks_where_new_processes_are_refused", Verdict::Leak),
        ("is_clean_where_new_processes_are_refused", Verdict::Clean),
        ("leaks_after_it_has_closed_all_files", Verdict::Leak),
        ("leaks_beside_a_child_that_returns_from_the_test", Verdict::Leak),
    ] {
        let entry = report.test(&format!("tests::{test}"));
        assert_eq!((entry.outcome, &entry.message), (Outcome::Passed, &None), "{test}");
        assert_eq!(entry.verdict, Some(verdict), "{test}: {:?}", entry.verdict_reason);
        let reason = entry.verdict_reason.as_deref().unwrap_or_default();
        assert!(!reason.contains("could not be named"), "{test}: {reason}");
    }
}

#[test]
fn a_hardened_program_ends_with_its_own_exit_code() {
    let project = Project::copy("behaviour", "hardened-program");
    Call::program("cargo").args("build -p hardened").dir(&project.root).run().code(exit::CLEAN);
    for way in ["none", "root", "user", "processes"] {
        let plain = Call::program(project.root.join("target/debug/hardened")).arg(way);
        let plain = plain.dir(&project.root).run();
        // Only root may change the root directory and the user.
        assert!(plain.code == Some(7) || way == "root" || way == "user", "{way}");
        let traced = project.run(&format!("-p hardened -- {way}")).run();
        assert_eq!(traced.code, plain.code, "{way}");
    }
}
