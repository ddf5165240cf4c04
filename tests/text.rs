//! The whole text that the command prints for the demo.

mod support;

use support::{Project, exit};

/// Takes out the parts that differ from run to run and from machine to machine.
fn redact(text: &str) -> String {
    let mut redacted = String::new();
    for line in text.lines() {
        let line = match line.split_once("finished in ") {
            Some((before, _)) => format!("{before}finished in [TIME]"),
            None => line.to_owned(),
        };
        redacted += line.trim_end();
        redacted.push('\n');
    }
    redacted
}

#[test]
fn the_demo_reads_well() {
    let project = Project::copy("demo", "text");
    // One thread, so that the tests are in order.
    let output = project.tracemalloc("-- --test-threads 1").run().code(exit::LEAK);
    insta::assert_snapshot!("demo", redact(&output.stdout));
}

#[test]
fn so_it_does_without_its_leak() {
    let project = Project::copy("demo", "text-clean");
    let output = project.tracemalloc("remembers --lib").run().code(exit::CLEAN);
    insta::assert_snapshot!("demo-clean", redact(&output.stdout));
}
