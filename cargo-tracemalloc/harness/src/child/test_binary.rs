//! The test binary that this process runs.
//!
//! It is looked up once, before a body runs. A body may change the root directory or the user, and
//! hide it.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::protocol::fragment;
use crate::protocol::process_role::fail;
use crate::protocol::target_note::TargetNote;

struct TestBinary {
    path: PathBuf,
    target: TargetNote,
}

static TEST_BINARY: OnceLock<TestBinary> = OnceLock::new();

/// Its path. Ends the process if the system does not know it.
pub fn path() -> PathBuf {
    test_binary().path.clone()
}

/// The note about its target.
pub fn target() -> &'static TargetNote {
    &test_binary().target
}

fn test_binary() -> &'static TestBinary {
    TEST_BINARY.get_or_init(|| {
        let path = std::env::current_exe().unwrap_or_else(|error| {
            fail(&format!("cannot find the path of this test binary: {error}"))
        });
        let target = fragment::target_note(&path);
        TestBinary { path, target }
    })
}
