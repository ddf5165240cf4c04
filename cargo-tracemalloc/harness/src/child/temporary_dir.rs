//! A private directory for a front without a session: random name, for this user alone.

use std::io;
use std::path::PathBuf;

use crate::protocol::private_dir::PREFIX;

/// Creates the directory. The front removes it.
///
/// # Errors
///
/// When the system's directory for temporary files cannot be written.
#[cfg(unix)]
pub fn create() -> io::Result<PathBuf> {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

    let template = std::env::temp_dir().join(format!("{PREFIX}XXXXXX"));
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

/// Creates the directory. The front removes it.
///
/// # Errors
///
/// When the system's directory for temporary files cannot be written.
#[cfg(not(unix))]
pub fn create() -> io::Result<PathBuf> {
    use std::hash::{BuildHasher as _, RandomState};

    // The system's directory belongs to this user. `create_dir` fails if the name exists.
    let name = RandomState::new().hash_one(std::process::id());
    let path = std::env::temp_dir().join(format!("{PREFIX}{name:x}"));
    std::fs::create_dir(&path)?;
    Ok(path)
}
