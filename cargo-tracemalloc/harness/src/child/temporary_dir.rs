//! A private directory for a front without a session: random name, for this user alone.

use std::io;
use std::path::{Path, PathBuf};

use crate::protocol::private_dir::PREFIX;

/// Creates the directory. The front removes it. It lies in the system's directory for temporary
/// files, or else beside the test binary.
///
/// # Errors
///
/// When neither directory can be written.
pub fn create(executable: &Path) -> io::Result<PathBuf> {
    create_in(&std::env::temp_dir())
        .or_else(|error| executable.parent().and_then(|dir| create_in(dir).ok()).ok_or(error))
}

#[cfg(unix)]
fn create_in(parent: &Path) -> io::Result<PathBuf> {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

    let template = parent.join(format!("{PREFIX}XXXXXX"));
    let mut template = template.as_os_str().as_bytes().to_vec();
    template.push(0);
    // SAFETY: `template` is a C string that ends in six X, which `mkdtemp` replaces in place.
    let created = unsafe { libc::mkdtemp(template.as_mut_ptr().cast()) };
    if created.is_null() {
        return Err(io::Error::last_os_error());
    }
    template.pop();
    Ok(PathBuf::from(OsString::from_vec(template)))
}

#[cfg(not(unix))]
fn create_in(parent: &Path) -> io::Result<PathBuf> {
    use std::hash::{BuildHasher as _, RandomState};

    // The system's directory belongs to this user. `create_dir` fails if the name exists.
    let name = RandomState::new().hash_one(std::process::id());
    let path = parent.join(format!("{PREFIX}{name:x}"));
    std::fs::create_dir(&path)?;
    Ok(path)
}
