//! Programs on allocators that are written in C. They take a while to compile: `ci/allocators.sh`
//! runs these tests.

mod support;

use std::fs;

use support::Project;
use tracemalloc_harness::Verdict;

/// Plain and traced, the tests have the same outcomes, and exactly the marked lines leak.
fn check(package: &str) {
    let project = Project::copy("allocators", package);
    for profile in ["", " --release"] {
        let args = format!("-p {package} --no-fail-fast{profile}");
        let report = project.leaks_by_name(&args);
        for (_, test) in report.tests().filter(|(_, test)| test.verdict == Some(Verdict::Leak)) {
            let frame = test.growth[0].traceback.last().unwrap();
            let source = fs::read_to_string(project.root.join(&frame.file)).unwrap();
            let line = source.lines().nth(frame.line as usize - 1).unwrap();
            assert!(line.ends_with("// the leak"), "{args}: {}: {line}", test.name);
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
