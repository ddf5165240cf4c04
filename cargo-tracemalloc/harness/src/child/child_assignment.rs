//! The work that the front assigns to a child, and the environment that the child's test sees.

use std::path::{Path, PathBuf};

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use crate::child::doctest;
use crate::child::entry_file::EntryFile;
use crate::child::started_programs::StartedPrograms;
use crate::child::test_binary;
use crate::protocol::fragment;
use crate::protocol::inside::{self, FRAGMENT_VAR, TEST_VAR};
use crate::protocol::name_request::NAMES_VAR;
use crate::protocol::process_role::ProcessRole;
use crate::protocol::session::{SESSION_FILE, SESSION_VAR, Session};
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use crate::protocol::started_programs::STARTED_BY_VAR;
use crate::protocol::wire;

/// Tells the crate insta whether to write new snapshots. A value of the user stays.
const INSTA_UPDATE_VAR: &str = "INSTA_UPDATE";

/// The work of a child.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// How to measure; `None` if nothing is judged.
    pub session: Option<Session>,
    /// The file for the entry; `None` if no process reads it.
    pub entry_file: Option<EntryFile>,
    /// The programs that the test starts; `None` if they are not judged.
    pub programs: Option<StartedPrograms>,
}

impl ProcessRole {
    /// The test that the front assigned to this process, and how to run it. `None` if this process
    /// is no child of a front.
    pub(crate) fn assignment(&self) -> Option<(String, Assignment)> {
        let (test, fragment) = std::env::var(TEST_VAR).ok().zip(std::env::var_os(FRAGMENT_VAR))?;
        clean_environment();
        let (session, fragment) = (self.session(), PathBuf::from(fragment));
        // SAFETY: the harness calls this on the main thread before it starts another.
        let programs = unsafe { self.programs_of(&fragment, &test) };
        let entry_file = Some(EntryFile::open(fragment));
        Some((test, Assignment { session, entry_file, programs }))
    }

    /// Prepares for the programs that a test starts, if they are judged.
    ///
    /// # Safety
    ///
    /// No other thread reads or writes the environment.
    pub(crate) unsafe fn programs_of(&self, entry: &Path, test: &str) -> Option<StartedPrograms> {
        let session_dir = self.reports_to()?;
        let is_judged = self.session.as_ref().is_some_and(|session| session.programs);
        // SAFETY: the caller promises it.
        is_judged.then(|| unsafe { StartedPrograms::open(session_dir, entry, test) }).flatten()
    }

    /// Whether the front has started this process, to run a test.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_child(&self) -> bool {
        std::env::var_os(TEST_VAR).is_some()
    }

    /// Whether a traced test has started this process. Then a test that is requested by its exact
    /// name runs in this process: the other test may want to see how its binary ends.
    pub(crate) fn is_inside(&self) -> bool {
        self.session_dir.is_none() && self.outer.is_some()
    }

    /// The session of the same test, and the file for what it loses in this process. `None` if
    /// another test has started this process, or if one of the two is unknown.
    pub(crate) fn of_nested(&self, test: &str) -> Option<(Session, EntryFile)> {
        let outer = self.outer.as_ref().filter(|outer| outer.name.as_deref() == Some(test))?;
        let dir = fragment::nested_directory(outer.entry.as_ref()?);
        let session = match &outer.session_dir {
            Some(session_dir) => wire::read_file(&session_dir.join(SESSION_FILE))?,
            None => Session::of_no_command(),
        };
        let mut session = session.for_test(&test_binary::target().package, test);
        // The test waits, perhaps not for long. What is lost needs no second run.
        session.limits.runs = Some(1);
        std::fs::create_dir_all(&dir).ok()?;
        let entry = fragment::entry_path(&dir, std::process::id() as usize);
        Some((session, EntryFile::open(entry)))
    }

    /// The session that the environment names, and its directory.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    pub(crate) fn given_session(&self) -> Option<(Session, &PathBuf)> {
        self.session.clone().zip(self.session_dir.as_ref())
    }

    /// Gives this process, a program with a `main` of its own, the environment that it would have
    /// without tracing. A test binary that this test starts is not judged.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    pub(crate) fn become_program(&self) {
        let Some(session) = &self.session else { return };
        let of_doctest = doctest::note().into_iter().flat_map(|note| &note.restore_env);
        // SAFETY: this runs before `main`, when the process has one thread.
        unsafe {
            for (name, value) in session.restore_env.iter().chain(of_doctest) {
                match value {
                    Some(value) => std::env::set_var(name, value),
                    None => std::env::remove_var(name),
                }
            }
            std::env::remove_var(SESSION_VAR);
            std::env::remove_var(STARTED_BY_VAR);
            if session.run.is_none() {
                inside::mark();
            }
        }
    }
}

/// Removes the harness's variables from the environment, before a test runs in this process.
pub fn clean_environment() {
    // insta numbers the snapshots of a process. A repeated run would look for ones that do not
    // exist, and would leave `.snap.new` files in the source tree.
    let keep_insta_quiet = std::env::var_os(INSTA_UPDATE_VAR).is_none();
    // SAFETY: the harness calls this on the main thread before it starts another.
    unsafe {
        if keep_insta_quiet {
            std::env::set_var(INSTA_UPDATE_VAR, "no");
        }
        std::env::remove_var(SESSION_VAR);
        std::env::remove_var(TEST_VAR);
        std::env::remove_var(FRAGMENT_VAR);
        std::env::remove_var(NAMES_VAR);
        inside::mark();
    }
}
