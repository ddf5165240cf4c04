//! A directory for the files of one target.

use std::path::PathBuf;

/// Creates a directory. It stays in `TMPDIR`, which `ci/fuzz.sh` creates and removes.
pub fn directory() -> PathBuf {
    tempfile::tempdir().expect("a directory for files").keep()
}
