//! Programs on allocators that are written in C. They take a while to compile: `ci/allocators.sh`
//! runs these tests.

mod support;

use std::fs;

use support::{Listing, Project, exit};
use tracemalloc_harness::{Outcome, Verdict};

/// Plain and traced, the tests come to the same; and exactly the marked lines leak.
fn check(package: &str) {
    let project = Project::copy("allocators", package);
    for profile in ["", " --release"] {
        let args = format!("-p {package} --no-fail-fast{profile}");
        let plain = project.cargo_test(&args).run().code(exit::CLEAN);
        let traced = project.tracemalloc(&args).run().code(exit::LEAK);
        assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout), "{args}");
        let report = project.report();
        for (target, test) in report.tests().filter(|(_, test)| test.outcome == Outcome::Passed) {
            assert!(target.traced, "{}: {:?}", target.name, target.note);
            let leaks = test.name.contains("leak");
            assert_eq!(test.verdict == Some(Verdict::Leak), leaks, "{args}: {test:#?}");
            if leaks {
                let frame = test.growth[0].traceback.last().unwrap();
                let source = fs::read_to_string(project.root.join(&frame.file)).unwrap();
                let line = source.lines().nth(frame.line as usize - 1).unwrap();
                assert!(line.ends_with("// the leak"), "{args}: {}: {line}", test.name);
            } else {
                assert_eq!(test.verdict, Some(Verdict::Clean), "{args}: {test:#?}");
            }
        }
        assert_eq!(
            (report.count("leak"), report.count("clean"), report.count("ignored")),
            (2, 2, 1),
            "{args}"
        );
    }
}

#[test]
#[ignore = "compiles C"]
fn on_mimalloc() {
    check("on-mimalloc");
}

#[test]
#[ignore = "compiles C"]
fn on_jemalloc() {
    check("on-jemalloc");
}
