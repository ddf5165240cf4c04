//! A program with a `main` of its own, traced from before `main` to the last exit handler.
//!
//! In a `cargo tracemalloc run` the program leaves snapshots. Otherwise it is a test without a
//! harness, and leaves one entry. Its growth are the blocks that are live at the end. A lost block
//! is a leak. A held block is `unconfirmed`, because memory that a static holds is live at the end
//! of every process. If no command waits for entries, the exit code tells of a leak.
//!
//! A doctest is such a test too, but held blocks of it are not judged, and its exit code is
//! rustdoc's business.
//!
//! Exit handlers run when `main` returns, after a panic too, and in `std::process::exit`. They do
//! not run when a signal, `abort` or `_exit` ends the process.

use std::ffi::{c_int, c_void};
use std::io::Write as _;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use tracemalloc::internal::judge::Patience;
use tracemalloc::internal::{self, Walk};

use crate::child::baseline::Baseline;
use crate::child::doctest::{self, Doctest};
use crate::child::domain;
use crate::child::entry_file::EntryFile;
use crate::child::exit_verdict::exit_verdict;
use crate::child::freed_memory;
use crate::child::name_provider;
use crate::child::snapshots::Snapshots;
use crate::child::started_program::StartedProgram;
use crate::child::test_binary;
use crate::protocol::entry_slots::Slot;
use crate::protocol::fragment;
use crate::protocol::process_role::{FAILED, ProcessRole, fail};
use crate::protocol::session::{FRAGMENTS_DIR, Session};
use crate::protocol::started_programs;
use crate::protocol::test_entry::TestEntry;
use crate::protocol::test_failure::test_failure;

/// The name of the entry of a test without a harness, under `cargo test`.
const MAIN: &str = "main";

/// The name of the entry. nextest requests a test by its exact name, which is then the entry's.
fn name(arguments: &[String]) -> String {
    let exact = arguments.iter().any(|argument| argument == "--exact");
    let asked_for = arguments.iter().find(|argument| exact && !argument.starts_with('-'));
    asked_for.cloned().unwrap_or_else(|| MAIN.to_owned())
}

/// The state from before `main`.
static PROGRAM: OnceLock<Program> = OnceLock::new();

struct Program {
    /// A child that the program forks runs the same exit handlers.
    process: u32,
    task: Task,
}

enum Task {
    Judge(Box<Test>),
    JudgeLost(Box<StartedProgram>),
    Run(&'static Snapshots),
}

/// A test without a harness.
struct Test {
    session: Session,
    name: String,
    recipient: Recipient,
    started: Instant,
    before: Baseline,
}

/// The recipient of the verdict.
enum Recipient {
    /// The command, which reads this file.
    Command(EntryFile),
    /// The process that started this one. Some verdicts change the exit code.
    Caller,
}

/// Starts to trace. The loader calls it before `main`, on the main thread. Without a session it
/// does nothing.
pub fn start_program() {
    let role = ProcessRole::of_this_process();
    let _pause = internal::pause();
    let Some((session, session_dir)) = role.given_session() else {
        if let Some(program) = StartedProgram::start() {
            at_exit(Task::JudgeLost(Box::new(program)));
        }
        return;
    };
    // A runner or a build script may start a program of the workspace.
    let is_test = || fragment::is_noted_as_test(&test_binary::path());
    if session.run.is_none() && session.programs && !is_test() {
        return;
    }
    let doctest = match doctest::of_this_process() {
        // The processes that it starts need the session.
        Some(Doctest::Starter) => return,
        Some(Doctest::Test(name)) => Some(name),
        None => None,
    };
    name_provider::install(&role, true);
    role.become_program();
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let lists = doctest.is_none() && arguments.iter().any(|argument| argument == "--list");
    if session.run.is_none() && lists {
        return;
    }
    let name = doctest.map_or_else(|| name(&arguments), str::to_owned);
    let task = match &session.run {
        Some(run) => match Snapshots::start(&session, run, session_dir) {
            Some(snapshots) => Task::Run(snapshots),
            None => return,
        },
        None => Task::Judge(Box::new(Test::start(session, &role, name))),
    };
    at_exit(task);
}

/// Does the task when the process ends.
fn at_exit(task: Task) {
    if PROGRAM.set(Program { process: std::process::id(), task }).is_err() {
        return;
    }
    // The first handler that is registered runs last.
    // SAFETY: `ended` has the right signature, and ignores its argument.
    if unsafe { on_exit(ended, std::ptr::null_mut()) } != 0 {
        fail("cannot register an exit handler");
    }
    freed_memory::overwrite();
}

unsafe extern "C" {
    /// glibc's `atexit` whose handlers get the exit code.
    fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}

extern "C" fn ended(status: c_int, _argument: *mut c_void) {
    let Some(program) = PROGRAM.get().filter(|program| program.process == std::process::id())
    else {
        return;
    };
    let _pause = internal::pause();
    // A panic of the harness must not change the program's end. It has printed its message.
    let _ = catch_unwind(|| match &program.task {
        Task::Judge(test) => test.end(status),
        Task::JudgeLost(program) => program.end(),
        Task::Run(snapshots) => snapshots.take_last(),
    });
}

impl Test {
    fn start(session: Session, role: &ProcessRole, name: String) -> Self {
        let mut session = session.for_test(&test_binary::target().package, &name);
        if doctest::note().is_some() {
            // It runs once, whatever the options are for tests that can run again.
            session.limits.runs = None;
        }
        let recipient = match role.reports_to() {
            Some(session_dir) => Recipient::Command(leave_first_fragment(role, session_dir, &name)),
            None => Recipient::Caller,
        };
        internal::start(
            Walk::FramePointers,
            session.limits.frame_count() as usize + internal::FRAMES_OF_STD,
        );
        if internal::is_this_copy_installed() {
            domain::trace(session.limits.counted());
        }
        Self { session, name, recipient, started: Instant::now(), before: Baseline::now() }
    }

    fn end(&self, status: c_int) {
        let took = self.started.elapsed();
        let is_installed = internal::is_this_copy_installed();
        let entry = match (doctest::note(), status) {
            (Some(_), _) if is_installed => doctest::without_held(self.judged()),
            (Some(_), _) => {
                let reason = test_binary::target().untraced.clone();
                TestEntry { verdict_reason: reason, ..TestEntry::new(&self.name) }
            }
            (None, 0) if is_installed => self.judged(),
            (None, 0) => TestEntry::new(&self.name),
            (None, code) => TestEntry::failed(&self.name, format!("exited with code {code}")),
        };
        let entry = TestEntry { duration_seconds: took.as_secs_f64(), ..entry };
        match &self.recipient {
            Recipient::Command(fragment) => {
                if let Err(error) = fragment.try_write(Slot::Last, &entry) {
                    eprintln!("error: tracemalloc: cannot write the test's entry: {error}");
                }
            }
            Recipient::Caller => {
                let Some(failure) = test_failure(&entry, &self.session) else { return };
                let crate_name = &test_binary::target().crate_name;
                // The exit code tells of the leak even if stderr is closed.
                let _ = write!(std::io::stderr(), "{crate_name}: {failure}");
                // SAFETY: in glibc an exit handler may call `exit`. It runs the remaining handlers,
                // flushes C's streams, and ends with the new code. Rust's own `exit` must not be
                // called twice.
                unsafe { libc::exit(FAILED) };
            }
        }
    }

    fn judged(&self) -> TestEntry {
        let (changes, _) = self.before.changes(Patience::First, self.before.threads);
        exit_verdict(&self.name, &self.session, changes, self.started)
    }
}

/// Writes the entry for a test that does not reach its end, and returns its path.
fn leave_first_fragment(role: &ProcessRole, session_dir: &Path, name: &str) -> EntryFile {
    let executable = test_binary::path();
    let fragments = match doctest::note() {
        Some(note) => session_dir.join(FRAGMENTS_DIR).join(&note.fragments),
        None => fragment::directory(session_dir, &executable),
    };
    let fragment = fragment::entry_path(&fragments, fragment::number_of(name));
    // nextest may try the test again.
    started_programs::remove(&fragment);
    // SAFETY: this runs before `main`, when the process has one thread.
    let _open = unsafe { role.programs_of(&fragment, name) };
    let died = "its process was ended by a signal, by `abort` or by `_exit`";
    let installed = internal::is_this_copy_installed();
    let c_untraced = internal::c_malloc::obstacle();
    // Other doctests of the target may be traced.
    let is_of_target = installed || doctest::note().is_none();
    let target = is_of_target
        .then(|| fragment::write_target(&fragments, &executable, installed, c_untraced));
    let written = target
        .transpose()
        .and_then(|_| fragment::write(&fragment, &TestEntry::failed(name, died.to_owned())));
    if let Err(error) = written {
        fail(&format!("cannot write to {fragments:?}: {error}"));
    }
    EntryFile::open(fragment)
}
