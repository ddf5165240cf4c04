//! The sources of the runtimes: a small workspace.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::Utf8Path;
use fs_err as fs;
use include_dir::Dir;
use tracemalloc_harness::sources as carried;

use crate::runtimes::manifest;

/// The lock file for their dependencies, found by `build.rs`.
const LOCK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/Cargo.lock"));

/// The packages that the command adds.
const ADDED: [&str; 3] = ["traced", "interposed", "program"];

/// The package with a tracing global allocator.
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

/// The package with a tracing allocator that goes in front of another. `wrapper` gives the other's
/// functions the names that it calls.
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

/// The package that starts to trace a program before its `main`.
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

/// The function that the loader calls.
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

/// The profile, in the workspace's manifest. Only the code of each allocation and the search of the
/// heap need optimisation. Users wait for the rest. Without `lto = "off"`, half of the build time
/// is spent on optimisation across units, and allocations take as many instructions. The last four
/// packages are compiled on other systems than Linux only.
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

/// File names in the workspace with their contents, in a fixed order.
pub fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut carry = |package: &str, manifest: &str, src: &Dir| {
        files.insert(format!("{package}/Cargo.toml"), manifest::of_package(manifest).into());
        let mut dirs = vec![src];
        while let Some(dir) = dirs.pop() {
            dirs.extend(dir.dirs());
            for file in dir.files() {
                let path = file.path().to_str().expect("names in this repository are UTF-8");
                let name = format!("{package}/src/{}", path.replace('\\', "/"));
                files.insert(name, file.contents().to_vec());
            }
        }
    };
    carry(manifest::RUNTIME, carried::runtime::MANIFEST, &carried::runtime::SRC);
    carry(manifest::HARNESS, carried::MANIFEST, &carried::SRC);
    files.insert("Cargo.toml".to_owned(), (manifest::of_workspace(&ADDED) + PROFILE).into());
    files.insert("Cargo.lock".to_owned(), LOCK.to_vec());
    for (name, content) in TRACED.iter().chain(INTERPOSED).chain(PROGRAM) {
        files.insert((*name).to_owned(), content.to_vec());
    }
    files
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
