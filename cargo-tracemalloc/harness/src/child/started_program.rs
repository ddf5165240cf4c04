//! A program of the workspace that a test has started, traced from before `main` to the last exit
//! handler.
//!
//! Memory that it has lost at its end is a leak of that test. Memory that it holds is not judged.
//! The program's output, exit code and environment stay as they are, so nothing here prints or ends
//! the process. Where something is impossible, the program is not judged.
//!
//! A process that its program forks, without a program of its own, is not judged.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tracemalloc::internal::heap::{self, Fate, SearchPlace};
use tracemalloc::internal::judge::{GrowthKind, Verdict};
use tracemalloc::internal::{self, Change, Walk};

use crate::child::baseline::Baseline;
use crate::child::domain;
use crate::child::entry_file::EntryFile;
use crate::child::exit_stack;
use crate::child::exit_verdict::exit_verdict;
use crate::child::name_provider;
use crate::child::seccomp;
use crate::child::test_binary;
use crate::protocol::entry_slots::{self, Slot};
use crate::protocol::fragment;
use crate::protocol::inside;
use crate::protocol::process_role::ProcessRole;
use crate::protocol::session::{ENTRY_EXTENSION, SESSION_FILE, Session, TARGET_FILE};
use crate::protocol::started_programs::{
    CLEAN_FILE, CLOSED_FILE, STARTED_BY_VAR, STARTER_FILE, Starter, directory,
};
use crate::protocol::test_entry::{Retained, TestEntry};
use crate::protocol::wire::read_file;

/// The longest search of the heap.
const PATIENCE: Duration = Duration::from_secs(10);

/// The program of this process.
pub struct StartedProgram {
    /// Has the entries of all processes of this program.
    directory: PathBuf,
    /// The path of this process's entry.
    path: PathBuf,
    entry_file: EntryFile,
    role: ProcessRole,
    session: Session,
    /// The name of the entry.
    name: String,
    started: Instant,
    before: Baseline,
    /// The number of filters for system calls before `main`.
    filters: Option<u32>,
}

impl StartedProgram {
    /// Starts to trace. `None` if no test has started this process, or if it runs untraced.
    pub fn start() -> Option<Self> {
        let of_test = of_test()?;
        if of_test.join(CLOSED_FILE).exists() {
            return None;
        }
        let starter: Starter = read_file(&of_test.join(STARTER_FILE))?;
        let session_dir = PathBuf::from(&starter.session_dir);
        let session: Session = read_file(&session_dir.join(SESSION_FILE))?;
        let executable = std::env::current_exe().ok()?;
        if fragment::is_noted_as_test(&executable) {
            // A test binary, which the test has started.
            return None;
        }
        test_binary::target();
        let directory = of_test.join(executable.file_name()?);
        let is_installed = internal::is_this_copy_installed();
        if !directory.join(TARGET_FILE).exists() {
            let c_untraced = internal::c_malloc::obstacle();
            fragment::write_target(&directory, &executable, is_installed, c_untraced).ok()?;
        }
        if !is_installed {
            note_clean(&directory);
            return None;
        }
        let mut session = session.for_test(&starter.package, &starter.test);
        // It runs once, and what it holds at its end is no leak, whatever holds it.
        session.limits.runs = None;
        session.known_holders = Some(Vec::new());
        let frames = session.limits.frame_count() as usize;
        internal::start(Walk::FramePointers, frames + internal::FRAMES_OF_STD);
        domain::trace(session.limits.counted());
        let path = directory.join(unique_name());
        let role = ProcessRole {
            session_dir: Some(session_dir),
            session: Some(session.clone()),
            outer: None,
        };
        Some(Self {
            entry_file: EntryFile::open(path.clone()),
            directory,
            path,
            role,
            session,
            name: starter.full_name(),
            started: Instant::now(),
            before: Baseline::now(),
            filters: seccomp::filters(),
        })
    }

    /// Judges the program at its end.
    pub fn end(&self) {
        let entry = match self.lost() {
            Ok(lost) if lost.is_empty() => None,
            Ok(lost) => Some(self.entry(lost)),
            Err(why) => Some(self.not_judged(why.to_owned())),
        };
        // It is gone if the command has ended before this process.
        let is_left = self.directory.is_dir()
            && match &entry {
                Some(entry) => fragment::write(&self.path, entry).is_ok(),
                None => note_clean(&self.directory),
            };
        if is_left {
            entry_slots::remove(&self.path);
            return;
        }
        // A program that has changed its root directory leaves its entry in mapped memory.
        let clean = || TestEntry { verdict: Some(Verdict::Clean), ..TestEntry::new(&self.name) };
        self.entry_file.write_to_slots(Slot::Last, &entry.unwrap_or_else(clean));
    }

    /// The changes by stacks with a lost block. They need no names.
    fn lost(&self) -> Result<Vec<Change>, &'static str> {
        if seccomp::filters() > self.filters {
            return Err("it filters system calls, and a search of its heap could end it");
        }
        let mut changes = self.before.changes_now();
        changes.retain(|change| change.blocks > 0);
        let stacks: Vec<_> = changes.iter().map(|change| change.stack).collect();
        let stack_from = exit_stack::of_program();
        let found =
            heap::look_up(&stacks, &[], &[], stack_from, SearchPlace::CopyOrProcess, PATIENCE)?;
        let lost =
            found.entries.iter().filter(|entry| matches!(entry.fate, Fate::Lost | Fate::LostWith));
        let lost: Vec<_> = lost.map(|entry| entry.stack).collect();
        changes.retain(|change| lost.contains(&change.stack));
        match found.doubt {
            Some(why) if !changes.is_empty() => Err(why),
            _ => Ok(changes),
        }
    }

    /// The entry for lost blocks.
    fn entry(&self, lost: Vec<Change>) -> TestEntry {
        name_provider::install_socket(&self.role);
        let mut entry = exit_verdict(&self.name, &self.session, lost, self.started);
        let is_unknown = entry.growth.iter().any(|growth| growth.retained.is_none());
        entry.growth.retain(|growth| {
            let is_leak = matches!(growth.kind, GrowthKind::Leak | GrowthKind::Known);
            growth.retained == Some(Retained::Lost) && is_leak
        });
        if let Some(why) = internal::names::missing() {
            return self.not_judged(format!(
                "it has lost memory, but the names of its functions are missing: {why}"
            ));
        }
        if entry.growth.is_empty() {
            if is_unknown {
                return self.not_judged("its heap could not be searched".to_owned());
            }
            entry.verdict = Some(Verdict::Clean);
            entry.verdict_reason = None;
        }
        entry
    }

    fn not_judged(&self, why: String) -> TestEntry {
        TestEntry {
            verdict: Some(Verdict::Skipped),
            verdict_reason: Some(why),
            ..TestEntry::new(&self.name)
        }
    }
}

/// The directory of the test that has started this process. The variable that names it goes, so
/// that the program sees the environment that it would have without tracing.
///
/// A process that its test has started with another environment is found by its ancestors.
fn of_test() -> Option<PathBuf> {
    let told = std::env::var_os(STARTED_BY_VAR);
    // SAFETY: this runs before `main`, when the process has one thread.
    unsafe { std::env::remove_var(STARTED_BY_VAR) };
    match told {
        Some(told) => Some(PathBuf::from(told)),
        None => inside::entry_of_ancestor().map(|entry| directory(&entry)),
    }
}

/// Adds a process that has lost nothing. Returns false if that is impossible.
fn note_clean(directory: &Path) -> bool {
    let file = OpenOptions::new().append(true).create(true).open(directory.join(CLEAN_FILE));
    file.and_then(|mut file: File| file.write_all(b".")).is_ok()
}

/// A name for the entry of this process. The system may give its number to another one later.
fn unique_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}.{ENTRY_EXTENSION}", std::process::id(), now.as_nanos())
}
