//! `cargo tracemalloc top --pid`: a running program is watched, on a terminal and as text.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::process::{signal, wait_for};
use support::{Call, Project, exit};

/// The HTTP server of `service/` under `cargo tracemalloc run`.
struct Service {
    project: Project,
    command: Child,
    pid: String,
    address: String,
}

impl Service {
    fn start(test: &str) -> Self {
        let project = Project::copy("service", test);
        let mut command = project.run("--quiet").spawn();
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

    fn top(&self, args: &str) -> Call {
        Call::subcommand("top").args(args).dir(&self.project.root)
    }

    fn end(mut self) {
        signal("INT", &self.pid);
        assert_eq!(self.command.wait().unwrap().code(), Some(128 + 2));
    }
}

/// A terminal in tmux.
struct Terminal {
    socket: String,
}

impl Terminal {
    fn start(socket: &str, args: &[&str]) -> Self {
        let terminal = Self { socket: socket.to_owned() };
        let size = ["-f", "/dev/null", "new-session", "-d", "-x", "140", "-y", "40"];
        assert!(terminal.tmux().args(size).args(args).status().unwrap().success());
        terminal
    }

    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.args(["-L", &self.socket]).env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
        tmux
    }

    fn screen(&self) -> String {
        let output = self.tmux().args(["capture-pane", "-p"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn press(&self, keys: &str) {
        assert!(self.tmux().args(["send-keys", keys]).status().unwrap().success());
    }

    /// Waits for a screen that satisfies a condition.
    fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let screen = || Some(self.screen()).filter(|screen| holds(screen));
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(what, Duration::from_secs(60), screen)
        }));
        found.unwrap_or_else(|_| panic!("{what} does not come:\n{}", self.screen()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ended = self.tmux().arg("kill-server").status();
    }
}

/// The cells of the first row of a table.
fn first_row<'s>(screen: &'s str, table: &str) -> Vec<&'s str> {
    let mut lines = screen.lines().skip_while(|line| !line.contains(table)).skip(2);
    let row = lines.next().unwrap_or_default();
    row.trim_matches(['│', ' ']).splitn(2, "  ").collect()
}

#[test]
fn the_leak_of_a_service_grows_on_the_screen() {
    if Command::new("tmux").arg("-V").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI needs tmux: ci/tools.sh installs it");
        eprintln!("skipped: no tmux is installed (apt-get install tmux)");
        return;
    }
    let service = Service::start("top-terminal");
    for _ in 0..20 {
        service.request();
    }
    let command = env!("CARGO_BIN_EXE_cargo-tracemalloc");
    let start = Instant::now();
    let socket = format!("tracemalloc-top-{}", std::process::id());
    let terminal =
        Terminal::start(&socket, &[command, "tracemalloc", "top", "--pid", &service.pid]);
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
            let screen = terminal.wait("the leak", both);
            println!("after {:?}:\n{screen}", start.elapsed());
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
    let is_left = || terminal.tmux().arg("has-session").output().unwrap().status.code() != Some(0);
    wait_for("the end of the view", Duration::from_secs(60), || is_left().then_some(()));
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
