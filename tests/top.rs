//! `cargo tracemalloc top --pid`: a running program is watched, on a terminal and as text.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod support;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::process::{signal, wait_for};
use support::{Call, Project, Terminal, exit};

/// The HTTP server of `service/` under `cargo tracemalloc run`.
struct Service {
    project: Project,
    command: Child,
    pid: String,
    address: String,
}

impl Service {
    fn start(test: &str) -> Self {
        Self::start_with(test, "--quiet")
    }

    fn start_with(test: &str, args: &str) -> Self {
        let project = Project::copy("service", test);
        let mut command = project.run(args).spawn();
        let mut line = String::new();
        BufReader::new(command.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["process", pid, "listens", "on", address] = words.as_slice() else {
            panic!("{line:?}")
        };
        let (pid, address) = (pid.to_string(), address.to_string());
        Self { project, command, pid, address }
    }

    /// Each request leaks 100 bytes.
    fn request(&self) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }

    /// The line of the leak.
    fn leak(&self) -> String {
        let source = fs::read_to_string(self.project.root.join("src/main.rs")).unwrap();
        let line = source.lines().position(|line| line.contains("// leak: 100 B a request"));
        format!("src/main.rs:{}", line.unwrap() + 1)
    }

    /// A snapshot after some requests.
    fn snapshot_after(&self, requests: usize) -> PathBuf {
        let before = self.snapshots();
        for _ in 0..requests {
            self.request();
        }
        signal("USR1", &self.pid);
        wait_for("a snapshot", Duration::from_secs(60), || {
            self.snapshots().into_iter().find(|snapshot| !before.contains(snapshot))
        })
    }

    fn snapshots(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(&self.project.root).unwrap().map(|file| file.unwrap().path());
        let is_snapshot = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.contains("Z-signal") && name.ends_with(".json")
        };
        files.filter(is_snapshot).collect()
    }

    fn top(&self, args: &str) -> Call {
        Call::subcommand("top").args(args).dir(&self.project.root)
    }

    fn end(mut self) {
        signal("INT", &self.pid);
        assert_eq!(self.command.wait().unwrap().code(), Some(128 + 2));
    }
}

/// The cells of the first row of a table.
fn first_row<'s>(screen: &'s str, table: &str) -> Vec<&'s str> {
    let mut lines = screen.lines().skip_while(|line| !line.contains(table)).skip(2);
    let row = lines.next().unwrap_or_default();
    row.trim_matches(['│', ' ']).splitn(2, "  ").collect()
}

/// The line with the memory of an answer.
fn summary(screen: &str) -> Option<&str> {
    screen.lines().find(|line| line.contains(" now, "))
}

#[test]
fn the_leak_of_a_service_grows_on_the_screen() {
    if !Terminal::is_installed() {
        return;
    }
    let service = Service::start("top-terminal");
    for _ in 0..20 {
        service.request();
    }
    let start = Instant::now();
    let terminal = Terminal::start("top", service.top(&format!("--pid {}", service.pid)));
    terminal.wait("the view", |screen| screen.contains("since the start"));

    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                service.request();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let leak = service.leak();
        let grows = |screen: &str, table: &str, name: &str| {
            let row = first_row(screen, table).join("  ");
            row.starts_with('+') && !row.starts_with("+0 B") && row.contains(name)
        };
        let both = |screen: &str| {
            grows(screen, " Lines, by growth", &leak)
                && grows(screen, " Holders, by growth", "service::VISITS of the main thread -> ")
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            // One answer a second comes from the program. A busy machine only delays them.
            let answers = RefCell::new(BTreeSet::new());
            let screen = terminal.wait("the leak", |screen| {
                answers.borrow_mut().extend(summary(screen).map(str::to_owned));
                both(screen)
            });
            let answers = answers.into_inner();
            println!("after {:?}, {answers:?}:\n{screen}", start.elapsed());
            assert!(answers.len() <= 10, "the leak shows late: {answers:?}");
            assert!(screen.contains(&format!("process {}", service.pid)));
            terminal.press("m");
            terminal.wait("the mark", |screen| screen.contains("since the mark"));
            terminal.press("s");
            terminal.wait("another order", |screen| screen.contains(" Lines, by size"));
            terminal.press("/");
            terminal.press("VISITS");
            terminal.press("Enter");
            terminal.wait("the filter", |screen| {
                screen.contains("filter: VISITS   ") && screen.contains(" Lines, by size (0) ")
            });
        }));
        is_over.store(true, Ordering::Relaxed);
        result.unwrap();
    });
    signal("INT", &service.pid);
    terminal.wait("the end", |screen| screen.contains("the program has ended"));
    terminal.press("q");
    terminal.wait_for_end();
}

#[test]
fn a_snapshot_is_shown_on_the_screen_and_again_when_it_changes() {
    if !Terminal::is_installed() {
        return;
    }
    let service =
        Service::start_with("top-file", "--quiet --snapshot file.json --snapshot-on USR1");
    let snapshots = [5, 40].map(|requests| service.snapshot_after(requests));
    let shown = service.project.root.join("shown.json");
    let show = |snapshot: &PathBuf| {
        let next = shown.with_extension("next");
        fs::copy(snapshot, &next).unwrap();
        fs::rename(&next, &shown).unwrap();
    };
    show(&snapshots[0]);
    let terminal = Terminal::start("file", service.top("shown.json"));
    let leak = service.leak();
    let row = |screen: &str| first_row(screen, " Lines, by growth").join("  ");
    let screen = terminal.wait("the view", |screen| screen.contains(" Lines, by growth"));
    assert!(screen.starts_with("shown.json\n"), "{screen}");
    assert!(summary(&screen).unwrap().contains(", +0 B since the start"), "{screen}");
    assert!(screen.contains(" Holders, by growth"), "{screen}");
    assert!(screen.contains(&leak), "{screen}");
    // The file is replaced: it is read again, and what has grown comes first.
    show(&snapshots[1]);
    let grown = terminal.wait("the next snapshot", |screen| {
        row(screen).starts_with('+')
            && row(screen).contains(&leak)
            && !screen.contains("+0 B since")
    });
    assert!(grown.contains("service::VISITS of the main thread -> "), "{grown}");
    fs::write(&shown, "no snapshot").unwrap();
    terminal.wait("the error", |screen| {
        let foot = screen.trim_end().lines().last().unwrap_or_default();
        foot.starts_with("q quit   ") && foot.contains("shown.json")
    });
    terminal.press("q");
    terminal.wait_for_end();
    service.end();
}

#[test]
fn without_a_terminal_pages_of_text_are_printed() {
    let service = Service::start("top-pages");
    service.request();
    let page = service.top(&format!("--pid {} --limit 3", service.pid)).run().code(exit::CLEAN);
    assert!(page.stdout.starts_with(&format!("process {}: ", service.pid)), "{}", page.stdout);
    assert!(page.stdout.contains(" at the peak, +0 B since the start"), "{}", page.stdout);
    assert_eq!(page.stdout.matches("[ Top 3 holders ]").count(), 1);

    // The number of the command leads to its program.
    let command = service.command.id();
    let pages = service.top(&format!("--pid {command} --interval 1s --pages 2"));
    let pages = pages.run().code(exit::CLEAN);
    assert_eq!(pages.stdout.matches(&format!("process {}: ", service.pid)).count(), 2);
    assert!(pages.stdout.contains(&format!("{}: size=", service.leak())), "{}", pages.stdout);

    let mut other = Command::new("sleep").arg("600").spawn().unwrap();
    for (args, code, error) in [
        ("--pid 1 --format json".to_owned(), exit::USAGE, "`--pid` takes no filter"),
        ("--pid 1 --include src/*".to_owned(), exit::USAGE, "`--pid` takes no filter"),
        ("x.json --pid 1".to_owned(), exit::USAGE, "cannot be used with"),
        ("--pid 4194305".to_owned(), exit::COULD_NOT_RUN, "there is no process 4194305"),
        (
            format!("--pid {}", other.id()),
            exit::COULD_NOT_RUN,
            "does not run under `cargo tracemalloc run`",
        ),
    ] {
        let output = service.top(&args).run().code(code);
        assert!(output.stderr.contains(error), "{args}: {}", output.stderr);
    }
    other.kill().unwrap();
    other.wait().unwrap();
    service.end();
}
