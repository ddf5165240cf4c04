//! The sources of what is injected, as a small workspace.

use anyhow::Result;
use camino::Utf8Path;
use fs_err as fs;

/// File names in the workspace, and their contents. Made by `build.rs`.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The package that makes the runtime the allocator of whatever links it.
const TRACED: &[(&str, &[u8])] = &[
    (
        "traced/Cargo.toml",
        br#"[package]
name = "tracemalloc-traced"
version.workspace = true
edition.workspace = true

[dependencies]
tracemalloc-rt = { workspace = true }
tracemalloc-harness = { workspace = true, features = ["harness"] }
"#,
    ),
    (
        "traced/src/lib.rs",
        b"//! The harness, and a tracing allocator in every binary that links it.

pub use tracemalloc_harness::*;

#[global_allocator]
static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
",
    ),
];

/// The package that puts the runtime in front of the allocator of whatever links it. The names of
/// its functions are the compiler's; the second names of those that it calls are given by
/// [`crate::wrapper`].
const INTERPOSED: &[(&str, &[u8])] = &[
    (
        "interposed/Cargo.toml",
        br#"[package]
name = "tracemalloc-interposed"
version.workspace = true
edition.workspace = true

[dependencies]
tracemalloc-rt = { workspace = true }
tracemalloc-harness = { workspace = true, features = ["harness"] }
"#,
    ),
    ("interposed/src/lib.rs", include_bytes!("interposed_crate.rs")),
];

/// The package that begins to trace a program before its `main`.
const PROGRAM: &[(&str, &[u8])] = &[
    (
        "program/Cargo.toml",
        br#"[package]
name = "tracemalloc-program"
version.workspace = true
edition.workspace = true

[dependencies]
tracemalloc-harness = { workspace = true, features = ["harness"] }
"#,
    ),
    (
        "program/src/lib.rs",
        b"//! Has every program that links it call the harness before its `main`.

/// What the loader calls.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = \".init_array\")]
static TRACEMALLOC_PROGRAM: extern \"C\" fn() = start;

extern \"C\" fn start() {
    tracemalloc_harness::start_program();
}
",
    ),
];

/// Appended to the workspace's manifest. What runs in every allocation, and what searches the heap,
/// is worth optimising; the rest is what a new user waits for. Without `lto = "off"`, half of the
/// time goes into optimising across the units of each crate, which a few units need as little: an
/// allocation takes as many instructions. The last four are compiled elsewhere than on Linux alone.
const PROFILE: &str = r#"
[profile.inject]
inherits = "release"
panic = "unwind"
opt-level = 0
lto = "off"

[profile.inject.package.tracemalloc-rt]
opt-level = 3
codegen-units = 4
# The allocator is generic, so its code is generated here.
[profile.inject.package.tracemalloc-traced]
opt-level = 3
# In one object, so that all of it is linked or nothing.
[profile.inject.package.tracemalloc-interposed]
opt-level = 3
codegen-units = 1
# Without optimising, its frames are so large that what dead ones have left in them counts as pointers at a program's end.
[profile.inject.package.tracemalloc-harness]
opt-level = 1
codegen-units = 4
[profile.inject.package.backtrace]
opt-level = 2
codegen-units = 2
[profile.inject.package.gimli]
opt-level = 1
[profile.inject.package.memchr]
opt-level = 1
[profile.inject.package.rustc-demangle]
opt-level = 1
"#;

/// All files, in a fixed order.
pub fn files() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    FILES.iter().chain(TRACED).chain(INTERPOSED).chain(PROGRAM).map(|(name, content)| {
        let mut content = content.to_vec();
        if *name == "Cargo.toml" {
            content.extend(PROFILE.as_bytes());
        }
        (*name, content)
    })
}

/// Writes the workspace.
pub fn write(dir: &Utf8Path) -> Result<()> {
    for (name, content) in files() {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
    }
    Ok(())
}
