//! The test binary that this process runs.

use std::path::PathBuf;

use crate::protocol::fragment;
use crate::protocol::process_role::fail;
use crate::protocol::target_note::TargetNote;

/// Its path. Ends the process if the system does not know it.
pub fn path() -> PathBuf {
    std::env::current_exe()
        .unwrap_or_else(|error| fail(&format!("cannot find the path of this test binary: {error}")))
}

/// The note about its target.
pub fn target() -> TargetNote {
    fragment::target_note(&path())
}
