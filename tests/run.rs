//! `cargo tracemalloc run`: the program behaves as it does without us, and its memory is in
//! snapshots.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use support::process::{runs, signal, wait_for};
use support::{Call, Output, Project, exit, write_below};

const SNAPSHOT: &str = "target/tracemalloc/snapshot.json";
/// The line of the fixture that allocates its page, as `top` shows it.
const PAGE: &str = "    vec![1; 64 << 10] // the page\n";

/// The output of `cargo tracemalloc top` for a snapshot.
fn top(project: &Project, snapshot: &str) -> Output {
    Call::subcommand("top").arg(snapshot).dir(&project.root).run().code(exit::CLEAN)
}

/// Waits for a line of the program, and returns it with the number of its process.
fn first_line(child: &mut Child) -> (String, String) {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let process = line
        .split_whitespace()
        .nth(1)
        .unwrap_or_else(|| panic!("no process in {line:?}"))
        .to_owned();
    (line, process)
}

/// Waits until a condition holds.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    wait_for(what, Duration::from_secs(60), || holds().then_some(()));
}

/// The names of the snapshots that were taken while the program ran, oldest first.
fn earlier(dir: &Path, cause: &str) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.contains(cause) && name.ends_with(".json"));
    names.sort();
    names
}

/// Removes what an earlier run of the test has left.
fn remove_earlier(dir: &Path, cause: &str) {
    for name in earlier(dir, cause) {
        fs::remove_file(dir.join(name)).unwrap();
    }
}

/// The command's output when it had ended, and its exit code.
fn ended(mut child: Child) -> (String, Option<i32>) {
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let code = child.wait().unwrap().code();
    println!("{stderr}-> {code:?}");
    (stderr, code)
}

#[test]
fn a_program_runs_and_ends_as_without_us() {
    let project = Project::copy("behaviour", "run-ends");
    for (how, code) in [("returns", 0), ("exits", 7), ("panics", 101)] {
        let _ = fs::remove_file(project.root.join(SNAPSHOT));
        let output = project.run(&format!("-p ends -- {how} --flag -- rest")).run().code(code);
        let said = format!(r#"{how}: 65536 bytes, ["--flag", "--", "rest"]"#);
        assert!(output.stderr.contains(&said), "{how}: its arguments");
        assert_eq!(output.stdout, "", "{how}: stdout is the program's");
        assert!(
            output.stderr.contains("Top 10 lines\n") && output.stderr.contains(PAGE),
            "{how}: what is live"
        );
        assert!(output.stderr.contains(&format!("Snapshot {SNAPSHOT}")));
        let top = top(&project, SNAPSHOT);
        assert!(
            top.stdout.contains("ends/src/main.rs:6: 64.0 KiB"),
            "{how}: the snapshot says the same"
        );
    }

    let mut child = project.run("-p ends -- reads").spawn();
    child.stdin.take().unwrap().write_all(b"a line\nanother\n").unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!((stdout.as_str(), ended(child).1), ("read a line\n", Some(0)));

    let environment = project.run("--quiet -p ends -- environment").run().code(exit::CLEAN);
    let ours: Vec<&str> =
        environment.stdout.lines().filter(|line| !line.contains("_CACHE_DIR=")).collect();
    assert!(ours.is_empty(), "{ours:?}");

    let aborts = project.run("-p ends -- aborts").run().code(128 + 6);
    assert!(
        aborts.stderr.contains("no snapshot of the program's end")
            && aborts.stderr.contains("SIGABRT")
    );

    // Tests start the same binary, and there it is not traced.
    let plain = Command::new(project.root.join("target/tracemalloc/debug/ends"))
        .arg("exits")
        .status()
        .unwrap();
    assert_eq!(plain.code(), Some(7));
}

/// The bytes that the worker's stack holds, and the lines without that one.
fn line_of_stack(shown: &str) -> (u64, String) {
    let is_of_stack =
        |line: &&str| line.ends_with("the stack of thread `worker` (runs holds::main)");
    let line = shown.lines().find(is_of_stack).unwrap_or_else(|| panic!("{shown}"));
    let bytes = line.trim_start().split(' ').next().unwrap().parse().unwrap();
    (bytes, shown.replace(&format!("{line}\n"), ""))
}

#[test]
fn lost_and_held_memory_is_printed_at_the_end() {
    let project = Project::copy("behaviour", "run-holds");
    let output = project.run("-p holds --limit 3").run().code(exit::CLEAN);
    let (_, after) = output.stderr.split_once("Lost:").unwrap_or_else(|| panic!("nothing is said"));
    let (shown, top) = after.split_once("\n\n").unwrap();
    assert!(top.starts_with("Top 3 lines\n"));
    let line = |mark: &str| {
        let source = fs::read_to_string(project.root.join("holds/src/main.rs")).unwrap();
        source.lines().position(|line| line.ends_with(mark)).unwrap() + 1
    };
    let (cycle, pages, notes) = (line("// the cycle"), line("// PAGES"), line("// NOTES"));
    // `main` has returned, so the worker's stack alone holds the channel and the thread's own data.
    let (bytes, rest) = line_of_stack(shown);
    assert!((7_000..8_000).contains(&bytes), "{shown}");
    let expected = format!(
        " 3200 B in 3 blocks
  3200 B in 3 blocks         Rc<holds::Node> (holds/src/main.rs:{cycle}), with what only it leads to
Held by
  117 KiB in 4 blocks        holds::PAGES (holds/src/main.rs:{pages})
  5000 B in 1 block          holds::NOTES (holds/src/main.rs:{notes}) of thread `worker` (runs holds::main)
  and "
    );
    assert!(rest.starts_with(&expected), "{expected}");
    assert!(shown.ends_with(" more in target/tracemalloc/snapshot-heap.json"));

    let json = fs::read(project.root.join("target/tracemalloc/snapshot-heap.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        (&json["schema"], &json["lost"]["bytes"], &json["lost"]["blocks"]),
        (&1.into(), &3200.into(), &3.into())
    );
    let [tail, head, rest @ ..] = json["lost"]["groups"].as_array().unwrap().as_slice() else {
        panic!("two at least")
    };
    assert!(rest.len() <= 1, "the cycle's other block is one more group, or of the same one");
    assert_eq!((&tail["bytes"], &tail["holder"]["kind"]), (&3072.into(), &"lost_block".into()));
    assert_eq!(
        (&head["type"], &tail["holder"]["line"]),
        (&"Rc<holds::Node>".into(), &cycle.into())
    );
    let holder = &json["held"][0]["holder"];
    assert_eq!((&holder["name"], &holder["kind"]), (&"holds::PAGES".into(), &"static".into()));
    assert_eq!((&holder["file"], &holder["line"]), (&"holds/src/main.rs".into(), &pages.into()));
    assert_eq!(json["note"], serde_json::Value::Null);

    let json = fs::read(project.root.join(SNAPSHOT)).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let files: Vec<&str> =
        json["filenames"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(files.contains(&"holds/src/main.rs"), "named as in the report: {files:?}");
    assert!(files.iter().all(|name| !name.starts_with('/')), "{files:?}");
    let shown = project.subcommand("show", &format!("{SNAPSHOT} --include holds/src/*")).run();
    assert!(shown.code(exit::CLEAN).stdout.contains("  File \"holds/src/main.rs\", line "));
}

#[test]
fn ctrl_c_ends_a_program_with_its_report() {
    let project = Project::copy("behaviour", "run-signals");
    for (name, code) in [("INT", 128 + 2), ("TERM", 128 + 15)] {
        let _ = fs::remove_file(project.root.join(SNAPSHOT));
        let mut child = project.run("-p ends -- waits").spawn();
        let (_, process) = first_line(&mut child);
        signal(name, &process);
        let (stderr, ended_with) = ended(child);
        assert_eq!(ended_with, Some(code), "{name}");
        assert!(stderr.contains(PAGE), "{name}");
        assert!(project.root.join(SNAPSHOT).exists(), "{name}");
    }

    // Nothing can be done at a SIGKILL. What there is by then is whole.
    let _ = fs::remove_file(project.root.join(SNAPSHOT));
    let dir = project.root.join("target/tracemalloc");
    remove_earlier(&dir, "Z-timer");
    let mut child = project.run("--snapshot-every 300ms -p ends -- waits").spawn();
    let (_, process) = first_line(&mut child);
    // The command knows of the first one by the time of the second.
    wait_until("a second snapshot", || earlier(&dir, "Z-timer").len() > 1);
    signal("KILL", &process);
    let (stderr, code) = ended(child);
    assert_eq!(code, Some(128 + 9));
    let first = format!("target/tracemalloc/{}", earlier(&dir, "Z-timer")[0]);
    for words in ["no snapshot of the program's end", "SIGKILL", "taken before", "is whole", &first]
    {
        assert!(
            stderr.contains(words) || words == "is whole" && stderr.contains("are whole"),
            "{words}"
        );
    }
    assert!(top(&project, &first).stdout.contains(PAGE));
    assert!(!project.root.join(SNAPSHOT).exists());
}

/// `kill -USR1` on the command killed it, and left the program behind.
#[test]
fn signals_to_the_command_reach_the_program() {
    let project = Project::copy("behaviour", "run-passed-signals");
    let dir = project.root.join("target/tracemalloc");
    for (name, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let mut child = project.run("-p ends -- waits").spawn();
        let (_, process) = first_line(&mut child);
        signal(name, child.id());
        let (stderr, code) = ended(child);
        assert_eq!(code, Some(128 + number), "{name}");
        assert!(stderr.contains(&format!("Tracing process {process}\n")), "{name}");
        assert!(stderr.contains(PAGE), "{name}: the report of the end");
        assert!(!runs(&process), "{name}");
    }

    remove_earlier(&dir, "Z-signal");
    let mut child = project.run("--snapshot-on USR1 --keep 2 -p ends -- waits").spawn();
    let (_, process) = first_line(&mut child);
    let mut last = String::new();
    for _ in 0..3 {
        signal("USR1", child.id());
        let newest = || earlier(&dir, "Z-signal").pop().unwrap_or_default();
        wait_until("a snapshot", || newest() > last);
        last = newest();
    }
    assert_eq!(earlier(&dir, "Z-signal").len(), 2, "--keep");
    // A program without a handler for it ends.
    signal("USR2", child.id());
    let (stderr, code) = ended(child);
    assert_eq!(code, Some(128 + 12));
    assert!(stderr.contains("the 2 taken before are whole"), "{stderr}");
    assert!(!runs(&process));
}

/// The program ran on, unseen.
#[test]
fn a_killed_command_leaves_no_program_behind() {
    let project = Project::copy("behaviour", "run-killed-command");
    let mut child = project.run("-p ends -- waits").spawn();
    let (_, process) = first_line(&mut child);
    signal("KILL", child.id());
    ended(child);
    wait_until("the program's end", || !runs(&process));
    assert!(project.root.join(SNAPSHOT).exists(), "it takes its last snapshot");
}

/// `timeout` signals the process, and then the whole group. The second one ended the program before
/// its snapshot was there.
#[test]
fn a_signal_to_the_whole_group_counts_once() {
    let project = Project::copy("behaviour", "run-group");
    for _ in 0..3 {
        let _ = fs::remove_file(project.root.join(SNAPSHOT));
        let mut child = project.run("-p ends -- waits").in_shell(r#"exec setsid "$@""#).spawn();
        let (_, process) = first_line(&mut child);
        let command = child.id().to_string();
        let both = [command.clone(), format!("-{command}")];
        let kill = Command::new("kill").args(["-s", "TERM", "--"]).args(both).status();
        assert!(kill.unwrap().success());
        let (stderr, code) = ended(child);
        assert_eq!(code, Some(128 + 15));
        assert!(stderr.contains(PAGE), "the report of the end");
        assert!(project.root.join(SNAPSHOT).exists() && !runs(&process));
    }
}

#[test]
fn the_leak_of_a_service_is_the_first_holder_and_line_of_the_difference() {
    let project = Project::copy("service", "run-service");
    remove_earlier(&project.root, "Z-signal");
    let mut child = project.run("--snapshot service.json --snapshot-on SIGUSR1").spawn();
    let (line, process) = first_line(&mut child);
    let address = line.trim().rsplit(' ').next().unwrap();
    let load = |requests: usize| {
        for _ in 0..requests {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .write_all(b"GET /page HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
                .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        }
    };
    // Memory that it allocates once is there before the first snapshot.
    for (count, requests) in [(1, 20), (2, 100)] {
        load(requests);
        signal("USR1", &process);
        wait_until("a snapshot", || earlier(&project.root, "Z-signal").len() == count);
    }
    signal("INT", &process);
    let (stderr, code) = ended(child);
    assert_eq!(code, Some(128 + 2));
    let snapshots = earlier(&project.root, "Z-signal");
    for snapshot in &snapshots {
        assert!(stderr.contains(&format!("Snapshot {snapshot}\n")), "{snapshot}");
        assert!(snapshot.contains("Z-signal"), "the time and the cause: {snapshot}");
    }

    let diff = Call::subcommand("diff")
        .args(&snapshots.join(" "))
        .dir(&project.root)
        .run()
        .code(exit::CLEAN);
    // Which other places changed depends on timing, and so does the order of small ones.
    let (holders, lines) = diff.stdout.split_once("\n\n").unwrap();
    let first: Vec<&str> = holders.lines().take(2).chain(lines.lines().take(2)).collect();
    insta::assert_snapshot!("service-diff", first.join("\n"));

    let diff =
        project.subcommand("diff", &format!("{} --by traceback --limit 1", snapshots.join(" ")));
    let diff = diff.run().code(exit::CLEAN);
    let (_, lines) = diff.stdout.split_once("\n\n").unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines.len() > 20, "all frames");
    // The frames between depend on the compiler's inlining.
    let ends = [&lines[..2], &lines[lines.len() - 2..]].concat();
    insta::assert_snapshot!("service-diff-traceback", ends.join("\n"));
}

#[test]
fn an_impossible_snapshot_is_an_error_before_or_after_the_run() {
    let project = Project::copy("behaviour", "run-bad-input");
    for (args, words) in [
        ("--snapshot-on SIGFOO", "`SIGFOO` is not a signal of this system; use SIGUSR1"),
        ("--snapshot-on KILL", "SIGKILL cannot be caught"),
        ("--snapshot no/such/directory/x.json", "because the directory `"),
        ("--snapshot ends/src", "is a directory"),
        ("--snapshot-every 0s", "expected a duration longer than zero"),
        ("--snapshot-every soon", "`soon` is not a unit of time"),
        ("--keep 3", "--snapshot-on <SIGNAL>"),
        ("--frames 0", "expected a number from 1 to 128"),
    ] {
        let output = project.run(args).run().code(exit::USAGE);
        assert!(output.stderr.contains(words), "{args}: {}", output.stderr);
    }
    let output = project.run("-p ends --bin absent").run().code(exit::COULD_NOT_RUN);
    assert!(output.stderr.contains("no bin target named `absent`"));

    // A file that may not grow is what a full disk is to a program.
    let many = "-p ends -- many";
    project.run(many).run().code(exit::CLEAN);
    let before = fs::read(project.root.join(SNAPSHOT)).unwrap();
    let full = project
        .run(many)
        .in_shell(r#"trap "" XFSZ; ulimit -f 200; exec "$@""#)
        .run()
        .code(exit::CLEAN);
    for words in [
        "error: tracemalloc: the snapshot ",
        "snapshot.json\" cannot be written",
        "File too large",
        "no snapshot of the",
    ] {
        assert!(full.stderr.contains(words), "{words}");
    }
    assert_eq!(fs::read(project.root.join(SNAPSHOT)).unwrap(), before, "the last one is whole");
    let names = fs::read_dir(project.root.join("target/tracemalloc")).unwrap();
    let left: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}

/// It was named `util-0.0.0/src/lib.rs`, where no file is.
#[test]
fn a_path_dependency_outside_the_workspace_keeps_its_source_line() {
    let temp = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| write_below(temp.path(), name, content);
    let manifest = "[package]\nname = \"NAME\"\nedition = \"2024\"\n[workspace]\n";
    let depends = "[dependencies]\nutil = { path = \"../util\" }\n";
    write("demo/Cargo.toml", &(manifest.replace("NAME", "demo") + depends));
    write("demo/src/main.rs", "fn main() { std::mem::forget(util::page()) }\n");
    write("util/Cargo.toml", &manifest.replace("NAME", "util"));
    write("util/src/lib.rs", "pub fn page() -> Vec<u8> {\n    vec![1; 1 << 20]\n}\n");
    let demo = temp.path().join("demo");
    let output = Call::subcommand("run").dir(&demo).run().code(exit::CLEAN);
    assert!(output.stderr.contains("../util/src/lib.rs:2: "), "{}", output.stderr);
    assert!(output.stderr.contains("    vec![1; 1 << 20]\n"), "{}", output.stderr);
    let show = Call::subcommand("show").arg(SNAPSHOT).args("--include ../util/*").dir(&demo);
    let shown = show.run().code(exit::CLEAN).stdout;
    assert!(shown.contains("    vec![1; 1 << 20]\n"), "{shown}");
}
