//! Directories for temporary files: private, under random names, and removed in the end.

#![cfg(unix)]

mod support;

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use support::{Call, Project, exit};
use tempfile::TempDir;
use tracemalloc_harness::private_dir::LOCK_FILE;
use tracemalloc_harness::{ListedTest, TestList, to_bytes};

/// Users need not exist to own files and processes.
const ATTACKER: u32 = 65534;
const VICTIM: u32 = 65533;
/// The number of process ids for which the attacker prepares directories.
const PREPARED: u32 = 2000;

/// The test binary `private` of the fixture.
fn binary(project: &Project) -> PathBuf {
    project.tracemalloc("-p surroundings --test private --no-run").run().code(exit::CLEAN);
    let built = fs::read_dir(project.root.join("target/tracemalloc/debug/deps")).unwrap();
    built
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with("private-") && path.extension().is_none()
        })
        .expect("the test binary is built")
}

/// A directory for temporary files of all users, like `/tmp`.
fn shared_dir() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    fs::set_permissions(temp.path(), Permissions::from_mode(0o1777)).unwrap();
    temp
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// A test binary that starts by itself must not read a list of tests that another user has
/// prepared. Such a list once named the program to run.
#[test]
fn files_of_another_user_are_not_read() {
    let temp = shared_dir();
    if fs::metadata(temp.path()).unwrap().uid() != 0 {
        println!("skipped: only root can act as two other users");
        return;
    }
    let project = Project::copy("behaviour", "another-user");
    let binary = binary(&project);
    let evil = ListedTest {
        name: "evil".to_owned(),
        ignored: false,
        ignore_message: None,
        should_panic: false,
        is_bench: false,
    };
    let list = to_bytes(&TestList { installed: true, c_untraced: None, tests: vec![evil] });
    let next = std::process::id();
    // As the names were when they were predictable, and as they are now.
    let names = (next..next + PREPARED).map(|id| format!("tracemalloc-fragments-{id}"));
    for name in names.chain(["tm-evil01".to_owned()]) {
        let directory = temp.path().join(name);
        fs::create_dir(&directory).unwrap();
        for (file, content) in [("tests", &*list), (LOCK_FILE, b"")] {
            fs::write(directory.join(file), content).unwrap();
            chown(directory.join(file), Some(ATTACKER), Some(ATTACKER)).unwrap();
        }
        chown(&directory, Some(ATTACKER), Some(ATTACKER)).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o1777)).unwrap();
    }
    let before = entries(temp.path()).len();

    let mut command = Command::new(&binary);
    command
        .args(["--ignored", "--skip", "sleeps", "--test-threads", "1"])
        .env("TMPDIR", temp.path())
        .current_dir("/");
    let output = match command.uid(VICTIM).gid(VICTIM).output() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            println!("skipped: another user cannot run {binary:?}");
            return;
        }
        output => output.unwrap(),
    };
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("has_a_private_directory"), "{output:?}");
    assert!(!stdout.contains("evil"), "{output:?}");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(entries(temp.path()).len(), before, "nothing is left, and nothing is taken away");
}

#[test]
fn each_run_has_other_directories_and_removes_them() {
    let project = Project::copy("behaviour", "private-directories");
    let binary = binary(&project);
    let temp = shared_dir();
    let mut directories = Vec::new();
    for _ in 0..2 {
        let call = Call::program(&binary)
            .args("--ignored --skip sleeps --show-output")
            .env("TMPDIR", temp.path());
        let output = call.dir(&project.root).run().code(exit::CLEAN);
        let directory = output.stdout.lines().find_map(|line| line.strip_prefix("directory: "));
        directories.push(directory.expect("the test prints it").to_owned());
        assert_eq!(entries(temp.path()), <[PathBuf; 0]>::default());
    }
    assert_ne!(directories[0], directories[1]);
}

#[test]
fn the_next_run_removes_what_a_killed_one_has_left() {
    let project = Project::copy("behaviour", "killed");
    let binary = binary(&project);
    let temp = shared_dir();
    let call = || Call::program(&binary).env("TMPDIR", temp.path()).dir(&project.root);
    let mut killed = call().args("--exact sleeps --ignored").spawn();
    let deadline = Instant::now() + Duration::from_secs(60);
    let left_by_test = || {
        let inside = entries(temp.path()).into_iter().flat_map(|dir| entries(&dir));
        inside.filter(|path| path.is_dir()).any(|dir| dir.join("left").exists())
    };
    while !left_by_test() {
        assert!(Instant::now() < deadline, "the test has started");
        thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_ne!(entries(temp.path()).len(), 0, "a killed process leaves its directories");
    call().args("--ignored --skip sleeps").run().code(exit::CLEAN);
    assert_eq!(entries(temp.path()), <[PathBuf; 0]>::default());
}
