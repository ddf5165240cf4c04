//! What a process is told that is no front, and what of that its test gets to see.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::protocol::name_request::NAMES_VAR;
use crate::protocol::process_role::{FRAGMENT_VAR, INSIDE_VAR, ProcessRole, TEST_VAR};
use crate::protocol::session::{SESSION_VAR, Session};

/// Tells insta whether to write new snapshots; what the user has set stays.
const INSTA_UPDATE_VAR: &str = "INSTA_UPDATE";

/// What a child has to do.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// How to measure; `None` where nothing is judged.
    pub session: Option<Session>,
    /// Where to leave what it found; `None` where nobody reads it.
    pub fragment: Option<PathBuf>,
}

impl ProcessRole {
    /// The name of the test that the front has given this process to run, and how; `None` where
    /// this process is no child of a front.
    pub(crate) fn assignment(&self) -> Option<(String, Assignment)> {
        let (test, fragment) = std::env::var(TEST_VAR).ok().zip(std::env::var_os(FRAGMENT_VAR))?;
        clean_environment();
        Some((test, Assignment { session: self.session(), fragment: Some(fragment.into()) }))
    }

    /// Whether a test that is being traced has started this. Then a test asked for by its exact
    /// name runs in this process: the other one may want to see how its own binary ends.
    pub(crate) fn is_inside(&self) -> bool {
        self.session_dir.is_none() && self.inside
    }

    /// The session that the environment names, and its directory.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    pub(crate) fn given_session(&self) -> Option<(Session, &PathBuf)> {
        self.session.clone().zip(self.session_dir.as_ref())
    }

    /// Gives this process, which is a program with a `main` of its own, the environment that it
    /// would have without us. Who starts a test binary from inside a test gets no judgement of
    /// that.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    pub(crate) fn become_program(&self) {
        let Some(session) = &self.session else { return };
        // SAFETY: this runs before `main`, when there is no other thread.
        unsafe {
            for (name, value) in &session.restore_env {
                match value {
                    Some(value) => std::env::set_var(name, value),
                    None => std::env::remove_var(name),
                }
            }
            std::env::remove_var(SESSION_VAR);
            if session.run.is_none() {
                std::env::set_var(INSIDE_VAR, "1");
            }
        }
    }
}

/// Takes what is ours out of the environment of the test that is about to run here.
pub fn clean_environment() {
    // insta numbers the snapshots of a process, so a repeated run looks for ones that do not exist,
    // and would leave `.snap.new` files in the source tree for each.
    let keep_insta_quiet = std::env::var_os(INSTA_UPDATE_VAR).is_none();
    // SAFETY: the harness runs this on the main thread before it starts any other.
    unsafe {
        if keep_insta_quiet {
            std::env::set_var(INSTA_UPDATE_VAR, "no");
        }
        std::env::remove_var(SESSION_VAR);
        std::env::remove_var(TEST_VAR);
        std::env::remove_var(FRAGMENT_VAR);
        std::env::remove_var(NAMES_VAR);
        std::env::set_var(INSIDE_VAR, OsString::from("1"));
    }
}
