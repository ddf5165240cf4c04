//! The command as the front of a test binary: its look-up, its errors, and the surroundings that it
//! must not change.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{Call, Listing, Project, exit};
use tracemalloc_harness::Outcome;

const COMMAND: &str = env!("CARGO_BIN_EXE_cargo-tracemalloc");

/// The demo's test binary, taken away from where it was built, with the note beside it or without.
/// It leaks.
fn moved(project: &Project, with_note: bool) -> PathBuf {
    project.tracemalloc("--lib --no-run").run().code(exit::CLEAN);
    let elsewhere = project.root.join("moved");
    fs::create_dir_all(&elsewhere).unwrap();
    let is_binary =
        |path: &Path| path.with_extension("tracemalloc").exists() && path.extension().is_none();
    let built = fs::read_dir(project.root.join("target/tracemalloc/debug/deps")).unwrap();
    let built = built
        .map(|entry| entry.unwrap().path())
        .find(|path| is_binary(path))
        .expect("there is a test binary");
    let binary = elsewhere.join(built.file_name().unwrap());
    fs::copy(&built, &binary).unwrap();
    let note = binary.with_extension("tracemalloc");
    if with_note {
        fs::copy(built.with_extension("tracemalloc"), note).unwrap();
    } else if note.exists() {
        fs::remove_file(note).unwrap();
    }
    binary
}

/// The headline of the leak, as the test itself prints it.
const LEAKED: &str = "leaked 4096 B in 1 block a run (1 of 1 run), limit 0 B";

#[test]
fn a_binary_finds_the_command_by_the_note_beside_it() {
    let project = Project::copy("demo", "front-note");
    let output = Call::program(moved(&project, true))
        .env("PATH", "")
        .dir(&project.root)
        .run()
        .code(exit::TEST_FAILED);
    assert!(output.stdout.contains(LEAKED) && output.stdout.contains("3 passed; 1 failed;"));
}

#[cfg(unix)]
#[test]
fn a_moved_binary_finds_the_command_in_path() {
    let project = Project::copy("demo", "front-path");
    let binary = moved(&project, false);
    let bin = project.root.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let link = bin.join("cargo-tracemalloc");
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link).unwrap();
    }
    std::os::unix::fs::symlink(COMMAND, &link).unwrap();
    let temp = project.root.join("temp");
    fs::create_dir_all(&temp).unwrap();
    let call = || Call::program(&binary).env("PATH", &bin).env("TMPDIR", &temp).dir(&project.root);
    let output = call().run().code(exit::TEST_FAILED);
    assert!(output.stdout.contains(LEAKED) && output.stdout.contains("3 passed; 1 failed;"));
    call().args("--skip forgets").run().code(exit::CLEAN);
    assert_eq!(
        fs::read_dir(&temp).unwrap().count(),
        0,
        "nothing is left in the directory for temporary files"
    );
}

#[test]
fn a_command_that_is_not_found_is_named_with_the_way_out() {
    let project = Project::copy("demo", "front-missing");
    let binary = moved(&project, false);
    let output =
        Call::program(&binary).env("PATH", "").dir(&project.root).run().code(exit::TEST_FAILED);
    let expected = format!(
        "error: tracemalloc: cannot find the command that runs the tests of {binary:?}: there is no \
         `cargo-tracemalloc` in PATH; install version {} of it, which built these tests\n",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!((output.stdout.as_str(), output.stderr), ("", expected));
}

#[test]
fn a_list_of_another_version_is_refused() {
    let project = Project::copy("demo", "front-version");
    let list = project.root.join("tests");
    for (content, words) in [
        (
            "tracemalloc 9.9.9-0 TestList\n",
            "caused by: the file was written by cargo-tracemalloc 9.9.9-0, and this is version ",
        ),
        ("not ours", "caused by: the file was not written by cargo-tracemalloc, or is truncated"),
    ] {
        fs::write(&list, content).unwrap();
        let output =
            Call::program(COMMAND).env("TRACEMALLOC_FRONT", &list).dir(&project.root).run();
        assert_eq!(output.code, Some(exit::TEST_FAILED));
        assert!(
            output.stderr.starts_with("error: failed to read the list of tests"),
            "{}",
            output.stderr
        );
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
}

#[test]
fn wrong_arguments_end_as_under_cargo_test() {
    let project = Project::copy("demo", "front-arguments");
    for (arguments, variable, words) in [
        ("--no-such-option", "1", "--no-such-option"),
        ("--test-threads 0", "1", "argument for --test-threads must not be 0"),
        ("", "none", "RUST_TEST_THREADS is `none`, should be a positive integer"),
    ] {
        let args = format!("--lib -- {arguments}");
        let plain = project.cargo_test(&args).env("RUST_TEST_THREADS", variable).run();
        let traced = project.tracemalloc(&args).env("RUST_TEST_THREADS", variable).run();
        assert_eq!(
            (plain.code, traced.code),
            (Some(exit::TEST_FAILED), Some(exit::TEST_FAILED)),
            "{arguments}"
        );
        assert!(traced.stderr.contains(words), "{}", traced.stderr);
    }
    let help = project.tracemalloc("--lib -- --help").run().code(exit::CLEAN);
    assert!(help.stdout.contains("--test-threads"));
}

/// Tests that start their own binary look at how it ends.
#[test]
fn a_binary_that_a_test_starts_ends_as_under_cargo_test() {
    let project = Project::copy("behaviour", "front-inside");
    let args = "-p surroundings own_executable";
    let plain = project.cargo_test(args).run().code(exit::CLEAN);
    let traced = project.tracemalloc(args).run().code(exit::CLEAN);
    assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout));
    let report = project.report();
    assert_eq!(report.tests().filter(|(_, test)| test.outcome == Outcome::Passed).count(), 4);
}
