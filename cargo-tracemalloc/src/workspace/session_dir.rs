//! The directory of one run of the command, where command, wrapper and harness exchange files.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use tracemalloc_harness::{FRAGMENTS_DIR, SESSION_FILE};

use crate::util::file::{this_program, write_atomically};
use crate::util::terminal;

const PREFIX: &str = "session-";
/// Locked while its session is alive.
const LOCK: &str = "lock";
/// The wrapper's configuration.
const WRAPPER_FILE: &str = "wrapper.json";
/// Created by the wrapper when a crate does not compile.
const FAILURE_MARK: &str = "build-failed";
/// The directory for counts of doctests.
const DOCTESTS: &str = "doctests";

/// The session's directory for `show-env`.
const FOR_OTHERS: &str = "show-env";

/// The session's directory. Removed when dropped, except for `show-env`. The next run removes the
/// directory of a killed command.
#[derive(Debug)]
pub struct SessionDir {
    /// The absolute path.
    pub path: Utf8PathBuf,
    lock: Option<File>,
}

impl SessionDir {
    /// Creates a new one in the target directory.
    pub fn create(target_dir: &Utf8Path) -> Result<Self> {
        let context = || format!("failed to create a session directory in `{target_dir}`");
        let removed = remove_abandoned(target_dir);
        if removed > 0 {
            let runs = if removed == 1 { "run that was" } else { "runs that were" };
            terminal::status("Removed", format_args!("the files of {removed} {runs} killed"));
        }
        fs::create_dir_all(target_dir).with_context(context)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let path = builder.tempdir_in(target_dir).with_context(context)?.keep();
        let path = Utf8PathBuf::from_path_buf(path)
            .map_err(|path| anyhow!("the path `{}` is not UTF-8", path.display()))?;
        fs::create_dir(path.join(FRAGMENTS_DIR)).with_context(context)?;
        // Locked under another name first, so that it never exists unlocked.
        let unlocked = path.join("unlocked");
        let lock = File::create(&unlocked).with_context(context)?;
        lock.lock().with_context(context)?;
        fs::rename(unlocked, path.join(LOCK)).with_context(context)?;
        Ok(Self { path, lock: Some(lock) })
    }

    /// Creates the permanent one for `show-env`.
    pub fn for_others(target_dir: &Utf8Path) -> Result<Self> {
        let path = target_dir.join(FOR_OTHERS);
        fs::create_dir_all(&path).with_context(|| format!("failed to create `{path}`"))?;
        Ok(Self { path, lock: None })
    }

    /// Whether a command runs with this target directory.
    pub fn is_in_use(target_dir: &Utf8Path) -> bool {
        sessions(target_dir).any(|(_, lock)| lock.try_lock().is_err())
    }

    /// Whether a file belongs to a session whose command waits for the tests.
    pub fn has_command(file: &Path) -> bool {
        let session_dir = file.parent().and_then(Path::file_name);
        session_dir.is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
    }

    /// Fails if the directory has been deleted during the run.
    pub fn check(&self) -> Result<()> {
        if self.wrapper_file().exists() {
            return Ok(());
        }
        bail!(
            "the directory `{}` was deleted during the run, and with it the results; run the command again, and keep \
             `{}` until it ends",
            self.path,
            self.path.parent().unwrap_or(&self.path)
        );
    }

    /// Writes the options for the harness and the wrapper.
    pub fn write(
        &self,
        session: &tracemalloc_harness::Session,
        wrapper: &impl Serialize,
    ) -> Result<()> {
        write_atomically(&self.path.join(SESSION_FILE), &tracemalloc_harness::to_bytes(session))?;
        write_atomically(&self.wrapper_file(), &serde_json::to_vec(wrapper)?)
    }

    /// The file with the wrapper's configuration.
    pub fn wrapper_file(&self) -> Utf8PathBuf {
        self.path.join(WRAPPER_FILE)
    }

    /// The file that exists after a compile error.
    pub fn failure_mark(&self) -> Utf8PathBuf {
        self.path.join(FAILURE_MARK)
    }

    /// The directory for counts of doctests.
    pub fn doctests(&self) -> Utf8PathBuf {
        self.path.join(DOCTESTS)
    }

    /// A link to this program. The link's name decides on the program's role.
    pub fn link_to_this_program(&self, name: &str) -> Result<Utf8PathBuf> {
        let this = this_program()?;
        let link = self.path.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        #[cfg(unix)]
        let linked = std::os::unix::fs::symlink(this, &link);
        #[cfg(not(unix))]
        let linked = fs::copy(this, &link);
        linked.with_context(|| format!("failed to create `{link}`, a link to this program"))?;
        Ok(link)
    }

    /// The directory for fragments.
    pub fn fragments(&self) -> Utf8PathBuf {
        self.path.join(FRAGMENTS_DIR)
    }
}

impl Drop for SessionDir {
    fn drop(&mut self) {
        if self.lock.is_none() {
            return;
        }
        // A process that outlives its test may still write into it. The next session tries again.
        let _remains = fs::remove_dir_all(&self.path);
    }
}

/// Removes the directories of killed commands, as far as possible. Returns their number.
fn remove_abandoned(target_dir: &Utf8Path) -> usize {
    let mut removed = 0;
    for (path, lock) in sessions(target_dir) {
        if lock.try_lock().is_ok() && fs::remove_dir_all(path).is_ok() {
            removed += 1;
        }
    }
    removed
}

/// The directories of sessions, with their locks.
fn sessions(target_dir: &Utf8Path) -> impl Iterator<Item = (Utf8PathBuf, File)> {
    let entries = target_dir.read_dir_utf8().into_iter().flatten().flatten();
    let sessions = entries.filter(|entry| entry.file_name().starts_with(PREFIX));
    sessions.filter_map(|entry| {
        let path = entry.path().to_owned();
        let lock = File::open(path.join(LOCK)).ok()?;
        Some((path, lock))
    })
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::SessionDir;

    #[test]
    fn it_cleans_up_behind_itself_and_behind_the_dead() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let abandoned = dir.join("session-1");
        fs_err::create_dir(&abandoned).unwrap();
        fs_err::write(abandoned.join(super::LOCK), "").unwrap();

        let session = SessionDir::create(dir).unwrap();
        assert!(!abandoned.exists());
        assert!(session.fragments().is_dir());
        assert_eq!(super::remove_abandoned(dir), 0);
        assert!(session.fragments().is_dir(), "a living session is not abandoned");
        let path = session.path.clone();
        drop(session);
        assert!(!path.exists());
    }
}
