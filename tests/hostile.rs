//! Hostile surroundings: signals, missing directories, closed pipes, damaged files. Each ends with
//! one clear answer, and with the results of all other tests.

#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use support::process::{runs, signal, wait_for};
use support::{Call, Project, exit};
use tracemalloc_harness::Outcome;

/// One workspace serves all tests of this file, one after the other.
static WORKSPACE: Mutex<()> = Mutex::new(());

const SOURCE: &str = r#"
#[cfg(test)]
mod tests {
    use std::path::Path;

    fn marker(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(name)
    }

    #[test]
    fn a_quick_one() {}

    #[test]
    #[ignore = "its test asks for it"]
    fn b_deletes_its_binary() {
        std::fs::remove_file(std::env::current_exe().unwrap()).unwrap();
    }

    #[test]
    #[ignore = "its test asks for it"]
    fn b_writes_garbage() {
        let sessions = std::fs::read_dir(marker("tracemalloc")).unwrap();
        let sessions = sessions.map(|entry| entry.unwrap().path().join("fragments"));
        for fragments in sessions.filter(|fragments| fragments.is_dir()) {
            for target in std::fs::read_dir(fragments).unwrap() {
                std::fs::write(target.unwrap().path().join("99.entry"), "garbage").unwrap();
            }
        }
    }

    #[test]
    #[ignore = "its test asks for it"]
    fn b_sleeps() {
        std::fs::write(marker("sleeping"), std::process::id().to_string()).unwrap();
        std::thread::sleep(std::time::Duration::from_secs(600));
    }

    #[test]
    fn c_another_quick_one() {}
}
"#;

/// The workspace, for as long as the second value lives.
fn workspace() -> (Project, MutexGuard<'static, ()>) {
    let guard = WORKSPACE.lock().unwrap_or_else(PoisonError::into_inner);
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    let project = Project { root };
    project.write("Cargo.toml", "[package]\nname = \"hostile\"\nedition = \"2024\"\n[workspace]\n");
    if !fs::read_to_string(project.root.join("src/lib.rs")).is_ok_and(|old| old == SOURCE) {
        project.write("src/lib.rs", SOURCE);
    }
    for stale in ["tracemalloc.toml", "target/sleeping", "target/tracemalloc/report.json"] {
        let _absent = fs::remove_file(project.root.join(stale));
    }
    (project, guard)
}

/// Starts a run that comes to the sleeping test. Returns that test's process too.
fn started(project: &Project) -> (Child, i32) {
    let args = "-- --include-ignored --test-threads 1 --skip garbage --skip deletes";
    let quiet = "exec \"$@\" >target/output 2>&1";
    let call = project.tracemalloc(args).in_shell(quiet).spawn();
    let marker = project.root.join("target/sleeping");
    let pid =
        wait_for("the sleeping test", PATIENCE, || fs::read_to_string(&marker).ok()?.parse().ok());
    (call, pid)
}

/// A build may come first.
const PATIENCE: Duration = Duration::from_secs(600);

fn outcomes(project: &Project) -> Vec<(String, Outcome)> {
    project.report().tests().map(|(_, test)| (test.name.clone(), test.outcome)).collect()
}

#[test]
fn a_terminated_command_ends_the_tests_and_leaves_a_report() {
    let (project, _guard) = workspace();
    let (mut call, test) = started(&project);
    signal("TERM", call.id());
    assert_eq!(call.wait().unwrap().code(), Some(exit::COULD_NOT_RUN));
    wait_for("the test's end", PATIENCE, || (!runs(test)).then_some(()));
    let outcomes = outcomes(&project);
    assert!(outcomes.contains(&("tests::a_quick_one".to_owned(), Outcome::Passed)), "{outcomes:?}");
}

#[test]
fn the_run_after_a_killed_one_cleans_up_and_reports_that() {
    let (project, _guard) = workspace();
    let (mut call, test) = started(&project);
    signal("KILL", call.id());
    call.wait().unwrap();
    signal("KILL", test);
    let sessions = || -> Vec<PathBuf> {
        let entries = fs::read_dir(project.root.join("target/tracemalloc")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let is_session =
            |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("session-");
        paths.filter(is_session).collect()
    };
    assert_eq!(sessions().len(), 1);
    let output = project.tracemalloc("").run().code(exit::CLEAN);
    assert!(output.stderr.contains("Removed the files of 1 run that was killed"));
    assert_eq!(sessions().len(), 0);
}

#[test]
fn tests_that_need_no_temporary_files_pass_without_a_directory_for_them() {
    let (project, _guard) = workspace();
    let file = project.root.join("target/no-directory");
    fs::create_dir_all(project.root.join("target")).unwrap();
    fs::write(&file, "").unwrap();
    for directory in [project.root.join("target/missing"), file] {
        // Rust's linker needs the directory, so everything is built before. So does rustdoc.
        project.tracemalloc("--no-run").run().code(exit::CLEAN);
        project.tracemalloc("--lib").env("TMPDIR", &directory).run().code(exit::CLEAN);
        assert_eq!(project.report().count("clean"), 2);
    }
}

#[test]
fn tests_after_one_that_deletes_its_binary_are_in_the_report() {
    let (project, _guard) = workspace();
    let args = "-- --include-ignored --test-threads 1 --skip garbage --skip sleeps";
    let output = project.tracemalloc(args).run().code(exit::TEST_FAILED);
    assert!(output.stdout.contains("failed to start the test's process"));
    let failed = ("tests::c_another_quick_one".to_owned(), Outcome::Failed);
    let outcomes = outcomes(&project);
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
    assert!(outcomes.contains(&failed), "{outcomes:?}");
}

#[test]
fn garbage_in_one_result_keeps_all_others() {
    let (project, _guard) = workspace();
    let args = "-- --include-ignored --skip sleeps --skip deletes";
    let output = project.tracemalloc(args).run().code(exit::COULD_NOT_RUN);
    assert!(output.stderr.contains("warning: the report lacks the result of a test: "));
    let passed = outcomes(&project);
    let passed = passed.iter().filter(|(_, outcome)| *outcome == Outcome::Passed);
    assert_eq!(passed.count(), 3);
}

#[test]
fn a_reader_that_goes_away_leaves_the_report() {
    let (project, _guard) = workspace();
    // The exit code is that of `head`.
    project.tracemalloc("").in_shell("\"$@\" | head -n 1").run().code(exit::CLEAN);
    assert_eq!(project.report().count("clean"), 2);
}

#[test]
fn a_report_path_that_is_a_pipe_without_a_reader_is_refused() {
    let (project, _guard) = workspace();
    let pipe = project.root.join("target/pipe");
    let _absent = fs::remove_file(&pipe);
    fs::create_dir_all(project.root.join("target")).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let output = project.tracemalloc("--report target/pipe").run().code(exit::USAGE);
    assert!(output.stderr.contains("nothing reads the pipe"), "{}", output.stderr);

    // Opened for both, the pipe waits for nothing, and does not end before it is closed.
    let both = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let end = fs::File::open(&pipe).unwrap();
    let reader = Command::new("cat").stdin(end).stdout(Stdio::piped()).spawn().unwrap();
    project.tracemalloc("--report target/pipe").run().code(exit::CLEAN);
    drop(both);
    let read = String::from_utf8(reader.wait_with_output().unwrap().stdout).unwrap();
    assert!(read.starts_with('{') && read.ends_with("}\n"), "{read}");
}

#[test]
fn a_configuration_that_is_a_dangling_link_is_an_error() {
    let (project, _guard) = workspace();
    let link = project.root.join("tracemalloc.toml");
    std::os::unix::fs::symlink("nowhere.toml", &link).unwrap();
    let output = project.tracemalloc("").run().code(exit::COULD_NOT_RUN);
    assert!(output.stderr.contains("failed to read the configuration"), "{}", output.stderr);
    fs::remove_file(link).unwrap();
}

/// A directory for temporary files that takes no more, or that cannot be written. The test's own
/// process mounts it, if it may.
#[test]
fn tests_pass_where_the_directory_for_temporary_files_is_full_or_read_only() {
    let (project, _guard) = workspace();
    project.tracemalloc("--no-run").run().code(exit::CLEAN);
    let directory = project.root.join("target/mounted");
    fs::create_dir_all(&directory).unwrap();
    let may_mount = Call::program("unshare").args("--map-root-user --mount true").run();
    if may_mount.code != Some(0) {
        println!("skipped: this user may mount nothing, {}", may_mount.stderr);
        return;
    }
    let mount = "mount -t tmpfs -o size=16k,nr_inodes=3 none \"$TMPDIR\" && ";
    let full = "{ ! head -c 64k /dev/zero >\"$TMPDIR/file\"; } && touch \"$TMPDIR/other\" && ";
    let read_only = "mount -o remount,ro \"$TMPDIR\" && ";
    for script in [format!("{mount}{full}exec \"$@\""), format!("{mount}{read_only}exec \"$@\"")] {
        let script = format!("exec unshare --map-root-user --mount sh -c '{script}' sh \"$@\"");
        let call = project.tracemalloc("--lib").env("TMPDIR", &directory).in_shell(&script);
        call.run().code(exit::CLEAN);
        assert_eq!(project.report().count("clean"), 2, "{script}");
    }
}

#[test]
fn many_known_leaks_take_no_time_that_grows_with_their_square() {
    let (project, _guard) = workspace();
    let known = |number| {
        format!("[[known-leaks]]\nfunction = \"nowhere::f{number}\"\nreason = \"r{number}\"\n")
    };
    project.write("tracemalloc.toml", &(0..16_000).map(known).collect::<String>());
    // It took 113 s, and now takes 2. A machine may be slow.
    let output = project.tracemalloc("").run().code(exit::CLEAN);
    assert!(output.duration < Duration::from_secs(100));
}

#[test]
fn patterns_with_control_characters_neither_reach_the_terminal_nor_forge_a_message() {
    let (project, _guard) = workspace();
    let evil = "x\u{1b}[31m\u{7}\u{9b}2J\u{202e}\nerror: forged\r";
    let in_toml: String = evil.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    project.write(
        "tracemalloc.toml",
        &format!(
            "[[overrides]]\npackage = \"{in_toml}\"\ntest = \"{in_toml}\"\nmax-growth = 1\n\
             [[known-leaks]]\nfunction = \"{in_toml}\"\nreason = \"{in_toml}\"\n"
        ),
    );
    let run = || project.tracemalloc("--color always --include").arg(evil);
    let unknown_key = format!("\"{in_toml}\" = 1\n");
    let outputs = [
        run().run().code(exit::CLEAN),
        project.subcommand("config", "").run().code(exit::CLEAN),
        project.subcommand("top", "").arg(evil).run().code(exit::COULD_NOT_RUN),
        {
            project.write("tracemalloc.toml", &unknown_key);
            project.tracemalloc("--color always").run().code(exit::USAGE)
        },
    ];
    for output in outputs {
        for text in [&output.stdout, &output.stderr] {
            let text = anstream::adapter::strip_str(text).to_string();
            let is_control = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert_eq!(text.chars().find(|c| is_control(*c)), None, "{text:?}");
            assert!(!text.contains("\nerror: forged"), "{text}");
        }
    }
}
