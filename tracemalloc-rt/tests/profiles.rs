//! Tracebacks of a program with much, little or no debug information, built in several profiles.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

const PROGRAM: &str = include_str!("programs/profiles.rs");
/// Dependencies are built once for all profiles.
const MANIFEST: &str = r#"
[package]
name = "program"
edition = "2024"
[workspace]
[dependencies.tracemalloc-rt]
path = "LIBRARY"
default-features = false
features = ["symbolize"]
[profile.dev.package."*"]
debug = 0
opt-level = 1
"#;

/// Held while the program is built and run: all tests have one executable.
static PROGRAM_IS_BUILT: Mutex<()> = Mutex::new(());

/// The program's standard output and standard error.
fn run(debug: &str, opt_level: &str) -> (String, String) {
    let _built = PROGRAM_IS_BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("profiles");
    let library = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(place.join("src")).unwrap();
    let manifest = MANIFEST.replace("LIBRARY", env!("CARGO_MANIFEST_DIR"));
    fs::write(place.join("Cargo.toml"), manifest).unwrap();
    fs::write(place.join("src/main.rs"), PROGRAM).unwrap();
    fs::copy(library.join("../Cargo.lock"), place.join("Cargo.lock")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--offline", "--target-dir", "target"]).current_dir(&place);
    cargo.env("CARGO_PROFILE_DEV_DEBUG", debug).env("CARGO_PROFILE_DEV_OPT_LEVEL", opt_level);
    let output = cargo.env_remove("TRACEMALLOC").output().unwrap();
    assert!(output.status.success(), "{debug} {opt_level}: {output:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

/// The line of the program that says that it allocates so many bytes.
fn line_of(size: &str) -> usize {
    1 + PROGRAM.lines().position(|line| line.ends_with(&format!("// {size}"))).unwrap()
}

#[test]
fn lines_are_those_of_the_program_with_much_or_little_debug_information() {
    let little = "line-tables-only";
    for (debug, opt_level) in [("1", "3"), (little, "3"), (little, "0")] {
        let profile = format!("debug {debug}, opt-level {opt_level}");
        let (printed, errors) = run(debug, opt_level);
        assert_eq!(errors, "", "{profile}");
        for size in ["100 B", "200 B", "300 B", "400 B", "500 B"] {
            let frames = printed
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{size}: ")))
                .unwrap_or_else(|| panic!("{profile}: {size} in\n{printed}"));
            let most_recent = format!("main.rs:{}", line_of(size));
            assert!(frames.ends_with(&most_recent), "{profile}: {size}: {frames}");
            assert!(!frames.contains("library"), "{profile}: {size}: {frames}");
            let depth = frames.split(' ').count();
            assert!((1..=3).contains(&depth), "{profile}: {size}: {frames}");
        }
    }
}

#[test]
fn without_debug_information_frames_go_by_their_function_and_the_missing_setting_is_named() {
    let (printed, errors) = run("0", "3");
    assert!(printed.contains(": <program::main>:0\n"), "{printed}");
    assert!(printed.contains("400 B: <program::main>:0 <program::between>:0\n"), "{printed}");
    assert!(!printed.contains("<unknown>"), "{printed}");
    assert_eq!(
        errors,
        "tracemalloc: files and lines are unknown, because this program has no debug information: \
         set `debug = 1` in its Cargo profile\n"
    );
}
