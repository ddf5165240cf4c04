//! The check of imports between source files, on a copy of the sources with a forbidden import
//! added.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const CRATES: [&str; 4] =
    ["tracemalloc-rt", "tracemalloc-macros", "cargo-tracemalloc/harness", "cargo-tracemalloc"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A copy of all sources and of the check.
fn copy() -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary directory");
    for directory in CRATES.map(|name| format!("{name}/src")) {
        let to = copy.path().join(&directory);
        fs::create_dir_all(&to).expect("a directory in the copy");
        cp_r::CopyOptions::new()
            .create_destination(false)
            .copy_tree(root().join(&directory), &to)
            .expect("the sources can be copied");
    }
    fs::create_dir(copy.path().join("ci")).expect("a directory in the copy");
    for script in ["ci/rooms.sh", "ci/imports.awk"] {
        fs::copy(root().join(script), copy.path().join(script)).expect("the check can be copied");
    }
    copy
}

/// Exit code and standard error of the check.
fn check(copy: &TempDir) -> (Option<i32>, String) {
    let output = Command::new("bash")
        .arg(copy.path().join("ci/rooms.sh"))
        .output()
        .expect("bash can be started");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn append(copy: &TempDir, file: &str, line: &str) {
    let file = copy.path().join(file);
    let text = fs::read_to_string(&file).expect("the file exists");
    fs::write(file, format!("{text}\n{line}\n")).expect("the copy can be written");
}

#[test]
fn imports_of_this_checkout_point_downwards() {
    assert_eq!(check(&copy()), (Some(0), String::new()));
}

#[test]
fn an_import_from_a_room_above_fails_with_both_files() {
    let copy = copy();
    append(&copy, "tracemalloc-rt/src/trace/ledger.rs", "use crate::heap::holder::Holder;");
    let (code, stderr) = check(&copy);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("trace/ledger.rs imports heap/holder.rs"), "{stderr}");
}

#[test]
fn files_that_import_each_other_fail() {
    let copy = copy();
    append(&copy, "tracemalloc-rt/src/os/memory.rs", "use super::page_map::PageMap as _;");
    append(&copy, "tracemalloc-rt/src/os/page_map.rs", "use crate::os::{memory, spin_lock};");
    let (code, stderr) = check(&copy);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("os/memory.rs\nos/page_map.rs")
            || stderr.contains("os/page_map.rs\nos/memory.rs"),
        "{stderr}"
    );
}
