//! Private directories for temporary files: random names, for this user alone, removed when
//! dropped.
//!
//! [`tracemalloc_harness::private_dir`] describes them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tracemalloc_harness::private_dir::{LOCK_FILE, PREFIX};

/// A private directory of this process. Removed when dropped.
#[derive(Debug)]
pub struct PrivateDir {
    path: PathBuf,
    _lock: File,
}

impl PrivateDir {
    /// Creates one in the system's directory for temporary files.
    pub fn create() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        Self::adopt(builder.tempdir()?.keep())
    }

    /// Takes over a directory that a test binary has created for this process. `None` if it is no
    /// private directory of this user.
    pub fn of_test_binary(path: &Path) -> Option<Self> {
        let is_private = path.file_name()?.to_str()?.starts_with(PREFIX) && is_owned(path);
        is_private.then(|| Self::adopt(path.to_owned()).ok()).flatten()
    }

    fn adopt(path: PathBuf) -> io::Result<Self> {
        // Locked under another name first, so that the lock never exists unlocked.
        let unlocked = path.join("unlocked");
        let lock = File::create(&unlocked)?;
        lock.lock()?;
        fs::rename(unlocked, path.join(LOCK_FILE))?;
        Ok(Self { path, _lock: lock })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        // A process that outlives its test may still write into it. The next run tries again.
        let _remains = fs::remove_dir_all(&self.path);
    }
}

/// Removes the private directories of killed processes of this user, as far as possible.
pub fn remove_abandoned() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) || !is_owned(&entry.path()) {
            continue;
        }
        if let Ok(lock) = File::open(entry.path().join(LOCK_FILE))
            && lock.try_lock().is_ok()
        {
            let _remains = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a path is a directory that this user alone can enter.
#[cfg(unix)]
fn is_owned(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    fs::symlink_metadata(path).is_ok_and(|found| {
        found.is_dir()
            && found.uid() == nix::unistd::geteuid().as_raw()
            && found.mode() & 0o077 == 0
    })
}

/// Whether a path is a directory. The system's directory for temporary files belongs to this user.
#[cfg(not(unix))]
fn is_owned(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_directory_of_many_users_is_not_taken() {
        use std::os::unix::fs::PermissionsExt as _;

        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join(format!("{PREFIX}x"));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(PrivateDir::of_test_binary(&path).is_none());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(PrivateDir::of_test_binary(temp.path()).is_none(), "its name is another");
        let taken = PrivateDir::of_test_binary(&path).unwrap();
        assert!(path.exists());
        drop(taken);
        assert!(!path.exists());
    }
}
