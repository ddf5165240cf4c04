//! The page for Python programmers shows the real output of the examples.

use std::process::Command;

#[test]
fn the_page_shows_what_the_examples_print() {
    let page = include_str!("../../docs/python.md");
    for example in ["top_10", "differences", "biggest_block", "pretty_top", "peak", "mapped_memory"]
    {
        // Cargo decides if the examples are built already, and where.
        let mut run = Command::new(env!("CARGO"));
        run.args(["run", "--quiet", "--package", "tracemalloc-rt", "--example", example]);
        let output = run.env_remove("TRACEMALLOC").output().unwrap();
        assert!(output.status.success(), "{example}: {output:?}");
        let manifest_dir = format!("{}/", env!("CARGO_MANIFEST_DIR"));
        let printed = String::from_utf8(output.stdout).unwrap().replace(&manifest_dir, "");
        let shown =
            page.split("\n## ").find(|part| part.contains(&format!("--example {example}\n")));
        let shown = shown.unwrap_or_else(|| panic!("{example} is not on the page"));
        assert!(shown.contains(&format!("```text\n{printed}```")), "{example} prints:\n{printed}");
    }
}
