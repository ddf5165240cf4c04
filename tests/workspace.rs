//! Calls of the command in many places, on many targets, and the files that it leaves.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use support::{Call, Project, Report, exit, files, write_below};

const LEAKS: [&str; 1] = ["cache::tests::forgets_the_oldest"];

/// Everything below a directory, with its time and content.
fn state(root: &Path) -> Vec<(PathBuf, SystemTime, Vec<u8>)> {
    let state = |file: PathBuf| {
        let path = root.join(&file);
        (file, fs::metadata(&path).unwrap().modified().unwrap(), fs::read(&path).unwrap())
    };
    files(root).into_iter().map(state).collect()
}

#[test]
fn a_second_run_compiles_nothing_and_leaves_cargo_test_alone() {
    let project = Project::copy("demo", "second");
    project.cargo_test("").run().code(exit::CLEAN);
    project.tracemalloc("").run().code(exit::LEAK);
    let traced = project.tracemalloc("").run().code(exit::LEAK);
    assert!(!traced.compiled(), "the second run compiles");
    let plain = project.cargo_test("").run().code(exit::CLEAN);
    assert!(!plain.compiled(), "cargo test compiles again because of us");
    let traced = project.tracemalloc("--report target/other.json --runs 3").run().code(exit::LEAK);
    assert!(!traced.compiled(), "we compile again because of cargo test, or of our own options");
}

#[test]
fn a_path_may_have_spaces_and_the_manifest_may_be_elsewhere() {
    let project = Project::copy("demo", "a path with spaces, and \u{e4}\u{f6}\u{fc}");
    project.tracemalloc("").run().code(exit::LEAK);
    assert_eq!(project.report().leaks(), LEAKS);

    // From anywhere else, by the manifest's path.
    let elsewhere = project.root.join("..");
    let manifest = project.root.join("Cargo.toml");
    fs::remove_file(project.root.join("target/tracemalloc/report.json")).unwrap();
    Call::tracemalloc().arg("--manifest-path").arg(manifest).dir(elsewhere).run().code(exit::LEAK);
    assert_eq!(project.report().leaks(), LEAKS);
    let report = project.report();
    assert_eq!(report.test(LEAKS[0]).growth[0].traceback.last().unwrap().file, "src/cache.rs");

    // From a directory inside.
    let output = project.tracemalloc("").dir(project.root.join("src")).run().code(exit::LEAK);
    assert!(!output.compiled());
}

#[test]
fn a_target_directory_may_be_elsewhere_and_the_sources_read_only() {
    let project = Project::copy("demo", "read-only");
    let target_dir = project.root.parent().unwrap().join("target elsewhere");
    set_read_only(&project.root, true);
    let before = state(&project.root);
    let traced = project.tracemalloc("--locked").env("CARGO_TARGET_DIR", &target_dir).run();
    let plain = project.cargo_test("--locked").env("CARGO_TARGET_DIR", &target_dir).run();
    set_read_only(&project.root, false);
    assert_eq!((traced.code, plain.code), (Some(exit::LEAK), Some(exit::CLEAN)));
    assert_eq!(state(&project.root), before, "the sources are as they were");
    assert!(!project.root.join("target").exists(), "nothing is built beside the sources");
    assert_eq!(Report::read(&target_dir.join("tracemalloc/report.json")).leaks(), LEAKS);
}

/// Forbids, or allows, writing to a directory and all that is in it.
fn set_read_only(root: &Path, read_only: bool) {
    let mut paths: Vec<PathBuf> = files(root).into_iter().map(|file| root.join(file)).collect();
    paths.extend([root.join("src"), root.to_owned()]);
    for path in paths {
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(read_only);
        fs::set_permissions(path, permissions).unwrap();
    }
}

#[test]
fn packages_targets_and_features_are_selected_as_by_cargo() {
    let project = Project::copy("behaviour", "selection");
    let member = project.root.join("targets");
    let selected = |call: Call| -> Vec<String> {
        call.run().code(exit::CLEAN);
        let report = project.report();
        let mut names: Vec<String> = report
            .tests()
            .map(|(target, test)| {
                format!("{}: {}", target.kind, test.name.trim_start_matches("tests::"))
            })
            .collect();
        names.sort();
        names
    };

    let all = [
        "bin: of_the_binary",
        "doctest: targets/src/lib.rs - greet (line 5)",
        "example: of_the_example",
        "lib: of_the_library",
        "test: a_parsed_number_has_the_type_of_what_it_is_compared_with",
        "test: an_empty_array_has_the_type_of_what_it_is_compared_with",
        "test: it_finds_the_binary",
        "test: of_the_integration",
    ];
    assert_eq!(selected(project.tracemalloc("-p targets")), all);
    assert_eq!(selected(project.tracemalloc("").dir(&member)), all);
    assert_eq!(selected(project.tracemalloc("--manifest-path targets/Cargo.toml")), all);
    assert_eq!(selected(project.tracemalloc("-p targets --lib")), ["lib: of_the_library"]);
    assert_eq!(
        selected(project.tracemalloc("-p targets --test outside integration")),
        ["test: of_the_integration"]
    );
    assert_eq!(selected(project.tracemalloc("-p targets --bins")), ["bin: of_the_binary"]);
    assert_eq!(
        selected(project.tracemalloc("-p targets --lib --features extra")),
        ["lib: of_the_feature", "lib: of_the_library"]
    );
    assert_eq!(
        selected(project.tracemalloc("-p targets --lib --release")),
        ["lib: of_a_release", "lib: of_the_library"]
    );
}

#[test]
fn an_optimised_build_finds_the_same_lines() {
    let project = Project::copy("demo", "release");
    project.tracemalloc("--release").run().code(exit::LEAK);
    let report = project.report();
    assert_eq!(report.leaks(), LEAKS);
    let frame = report.test(LEAKS[0]).growth[0].traceback.last().unwrap().clone();
    assert_eq!(
        (frame.function.as_str(), frame.file.as_str()),
        ("demo::cache::Cache::fill", "src/cache.rs")
    );
    let source = fs::read_to_string(project.root.join("src/cache.rs")).unwrap();
    let line = source.lines().nth(frame.line as usize - 1).unwrap();
    assert!(line.contains("vec![0_u8; PAGE_SIZE]"), "{line}");
}

#[test]
fn tests_that_another_tool_runs_fail_when_they_leak() {
    let project = Project::copy("demo", "by-hand");
    let output = project.tracemalloc("--no-run").run().code(exit::CLEAN);
    // Executable unittests src/lib.rs (target/tracemalloc/debug/deps/demo-0123456789abcdef)
    let executable =
        output.stderr.lines().find_map(|line| line.split_once("Executable ")?.1.rsplit_once('('));
    let (_, path) = executable.expect("cargo names the executable");
    let executable = project.root.join(path.trim_end_matches(')'));
    for (test, code) in [(LEAKS[0], exit::TEST_FAILED), ("cache::tests::remembers", exit::CLEAN)] {
        let call = Call::program(&executable).arg("--exact").arg(test).dir(&project.root);
        call.run().code(code);
    }
}

/// The wrapper is called with the rustc that follows it, and both are ours to pass on.
#[cfg(unix)]
#[test]
fn a_workspace_wrapper_of_the_user_is_called() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::copy("demo", "wrapped");
    let (wrapper, log) = (project.root.join("wrapper.sh"), project.root.join("wrapper.log"));
    fs::write(&wrapper, format!("#!/bin/sh\necho \"$@\" >>'{}'\nexec \"$@\"\n", log.display()))
        .unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    // Compiled anew, also where the target directory is left from an earlier test run.
    fs::write(project.root.join("src/lib.rs"), fs::read(project.root.join("src/lib.rs")).unwrap())
        .unwrap();
    let call = project.tracemalloc("--lib").env("RUSTC_WORKSPACE_WRAPPER", &wrapper);
    call.run().code(exit::LEAK);
    assert_eq!(project.report().leaks(), LEAKS);
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("--crate-name demo"), "{log}");
}

/// Cargo remembers what `rustc -vV` printed, also that it failed. A session that disappears must
/// not make it fail.
#[test]
fn a_session_that_is_deleted_during_the_run_leaves_the_next_run_alone() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let write = |name: &str, content: &str| fs::write(dir.join(name), content).unwrap();
    fs::create_dir(dir.join("src")).unwrap();
    write("Cargo.toml", "[package]\nname = \"demo\"\nedition = \"2024\"\n[workspace]\n");
    write("src/lib.rs", "#[test]\nfn passes() {}\n");
    let removes = "fn main() {\n\
                   println!(\"cargo::rerun-if-env-changed=REMOVE_SESSION\");\n\
                   if std::env::var_os(\"REMOVE_SESSION\").is_some() {\n\
                   let session = std::env::var(\"TRACEMALLOC_SESSION\").unwrap();\n\
                   std::fs::remove_dir_all(session).unwrap();\n\
                   }\n}\n";
    write("build.rs", removes);
    let call = || Call::tracemalloc().dir(dir);
    let removed = call().env("REMOVE_SESSION", "1").run().code(exit::COULD_NOT_RUN);
    let words = "was deleted during the run";
    assert_eq!(removed.stderr.matches(words).count(), 1, "said once: {}", removed.stderr);
    let next = call().run().code(exit::CLEAN);
    assert!(next.stdout.contains("1 test checked: 1 clean"), "{}", next.stdout);
}

/// rustup's proxy chooses the compiler by the directory. Cargo compiles a dependency in the
/// dependency's own directory, where a published package may have left its `rust-toolchain.toml`.
#[test]
fn a_dependency_with_a_toolchain_file_is_compiled_by_the_workspace_s_compiler() {
    let temp = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| write_below(temp.path(), name, content);
    let manifest = "[package]\nname = \"NAME\"\nedition = \"2024\"\n[workspace]\n";
    let depends = "[dependencies]\npinned = { path = \"../pinned\" }\n";
    write("demo/Cargo.toml", &(manifest.replace("NAME", "demo") + depends));
    write("demo/src/lib.rs", "#[test]\nfn passes() { assert_eq!(pinned::ONE, 1) }\n");
    write("pinned/Cargo.toml", &manifest.replace("NAME", "pinned"));
    write("pinned/src/lib.rs", "pub const ONE: u32 = 1;\n");
    write("pinned/rust-toolchain.toml", "[toolchain]\nchannel = \"nightly-2020-01-01\"\n");
    // It asks the compiler itself, as proc-macro2's does.
    let asks = "fn main() {\n\
                let rustc = std::env::var_os(\"RUSTC\").unwrap();\n\
                let output = std::process::Command::new(rustc).arg(\"-vV\").output().unwrap();\n\
                assert!(output.status.success(), \"{output:?}\");\n\
                }\n";
    write("pinned/build.rs", asks);
    // As `cargo-tracemalloc`, without rustup's proxy of cargo.
    let call = Call::tracemalloc().dir(temp.path().join("demo")).without_env("RUSTUP_TOOLCHAIN");
    let output = call.run().code(exit::CLEAN);
    assert!(output.stdout.contains("1 test checked: 1 clean"), "{}", output.stdout);
}

#[test]
fn cleaning_removes_builds_of_tests_and_runtimes_and_nothing_else() {
    let project = Project::copy("demo", "clean");
    project.cargo_test("--no-run").run().code(exit::CLEAN);
    project.tracemalloc("--no-run").run().code(exit::CLEAN);
    let (plain, traced) =
        (project.root.join("target/debug"), project.root.join("target/tracemalloc"));
    let cache = project.root.join("target/cache");
    let clean = |args: &str| {
        project
            .subcommand("clean", args)
            .env("TRACEMALLOC_CACHE_DIR", &cache)
            .run()
            .code(exit::CLEAN)
    };
    project.write("target/cache/0.0.1-0123456789abcdef/lib/libx.rlib", "content");
    project.write("target/cache/notes/of-the-user", "content");

    let output = clean("--all-runtimes --dry-run");
    assert_eq!(output.stderr.matches("Would remove").count(), 2);
    assert!(traced.exists() && cache.join("0.0.1-0123456789abcdef").exists());
    let output = clean("");
    assert_eq!(output.stderr.matches("Removed").count(), 1, "the runtime is new");
    assert!(!traced.exists() && plain.exists());
    let output = clean("--all-runtimes");
    assert!(output.stderr.contains("0.0.1-0123456789abcdef` (1 file, 7 B)"), "{}", output.stderr);
    assert!(!cache.join("0.0.1-0123456789abcdef").exists());
    assert!(cache.join("notes/of-the-user").exists());
    assert_eq!(clean("--all-runtimes").stderr, "", "nothing is left");

    project.write("target/tracemalloc/of-the-user", "content");
    let output = project.subcommand("clean", "").env("TRACEMALLOC_CACHE_DIR", &cache).run();
    assert_eq!(output.code, Some(exit::COULD_NOT_RUN));
    assert!(traced.join("of-the-user").exists(), "cargo never built there");
    std::fs::remove_dir_all(traced).unwrap();
}

/// The files of std have such names in a report: `core/src/clone.rs`.
#[test]
fn a_member_in_a_directory_called_core_is_the_workspaces_code() {
    let project = Project::copy("demo", "called-core");
    project.write("Cargo.toml", "[workspace]\nresolver = '3'\nmembers = ['core']\n");
    let manifest = "[package]\nname = 'app-core'\nversion = '0.1.0'\nedition = '2024'\n";
    project.write("core/Cargo.toml", manifest);
    project.write(
        "core/src/lib.rs",
        r"
mod clone;
mod iter;

#[test]
fn a_method_of_a_trait_of_std() {
    std::mem::forget(clone::Page(vec![1; 100]).clone());
}

#[test]
fn a_method_of_a_generic_implementation() {
    iter::Keep::keep(&vec![1_u8; 10]);
}
",
    );
    project.write(
        "core/src/clone.rs",
        r"pub struct Page(pub Vec<u8>);
impl Clone for Page {
    #[inline(never)]
    fn clone(&self) -> Self {
        let mut copy = Vec::with_capacity(200);
        copy.extend_from_slice(&self.0);
        Page(std::hint::black_box(copy))
    }
}
",
    );
    project.write(
        "core/src/iter.rs",
        r"pub trait Keep {
    fn keep(&self);
}
impl<T: Clone> Keep for Vec<T> {
    #[inline(never)]
    fn keep(&self) {
        std::mem::forget(std::hint::black_box(self.to_vec()));
    }
}
",
    );
    for profile in ["", "--release"] {
        let output = project.tracemalloc(&format!("--sarif leaks.sarif {profile}")).run();
        let text = output.code(exit::LEAK).stdout;
        for (head, frame) in [
            ("lost Vec<u8> (./core/src/clone.rs:5)", "<app_core::clone::Page as Clone>::clone"),
            ("lost Vec<u8> (./core/src/iter.rs:7)", "<Vec<u8> as app_core::iter::Keep>::keep"),
        ] {
            let leak = &text[text.find(head).unwrap_or_else(|| panic!("{head}: {text}"))..];
            let frames = leak.split("seen by").next().unwrap();
            assert!(frames.contains(frame) && !frames.contains("of std"), "{profile}: {frames}");
        }
        let sarif = fs::read_to_string(project.root.join("leaks.sarif")).unwrap();
        assert!(sarif.contains(r#""core/src/clone.rs""#), "{sarif}");
    }
}
