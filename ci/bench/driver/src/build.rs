//! Builds the binaries that are measured: each once, as its user would.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};

/// The flags that the wrapper gives every crate (`cargo-tracemalloc/src/wrapper/flags.rs`).
const TRACED_FLAGS: &str = "-Cforce-frame-pointers=yes -Csymbol-mangling-version=v0 -Cdebuginfo=1";

/// The directory of all builds and results.
pub fn directory() -> Result<Utf8PathBuf> {
    let directory = std::env::var("BENCH_DIR")
        .context("BENCH_DIR is not set: this is called by ci/bench.sh")?;
    fs_err::create_dir_all(&directory)?;
    Ok(directory.into())
}

/// Builds our command, and returns its path.
pub fn our_command(directory: &Utf8Path) -> Result<Utf8PathBuf> {
    let target = directory.join("command");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--release", "--package", "cargo-tracemalloc"]);
    cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/../../../Cargo.toml")]);
    let status =
        cargo.arg("--target-dir").arg(&target).status().context("failed to start cargo")?;
    ensure!(status.success(), "failed to build cargo-tracemalloc (see above)");
    Ok(target.join("release/cargo-tracemalloc"))
}

/// A binary that runs the workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binary {
    /// Without a tracer.
    Untraced,
    /// With ours.
    Ours,
    /// With dhat-rs.
    Dhat,
    /// On jemalloc.
    Jemalloc,
    /// With ours: a snapshot instead of a workload.
    Snapshot,
    /// With ours, as a library, in a program with frame pointers.
    Program,
    /// With ours, as a library, in a program without frame pointers.
    PlainProgram,
}

impl Binary {
    fn package(self) -> &'static str {
        match self {
            Self::Untraced => "bench-untraced",
            Self::Ours | Self::Snapshot | Self::Program | Self::PlainProgram => "bench-ours",
            Self::Dhat => "bench-dhat",
            Self::Jemalloc => "bench-jemalloc",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Program | Self::PlainProgram => "program",
            _ => self.package(),
        }
    }
}

/// The profile of user code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// Optimised.
    Release,
    /// As `cargo test` does it.
    Debug,
}

/// The binaries that have been built so far.
#[derive(Debug)]
pub struct Builds {
    directory: Utf8PathBuf,
    paths: BTreeMap<(Binary, Profile), Utf8PathBuf>,
}

impl Builds {
    /// Nothing yet.
    pub fn new(directory: &Utf8Path) -> Self {
        Self { directory: directory.to_owned(), paths: BTreeMap::new() }
    }

    /// The path of a binary, which is built unless it was.
    pub fn path(&mut self, binary: Binary, profile: Profile) -> Result<Utf8PathBuf> {
        if let Some(path) = self.paths.get(&(binary, profile)) {
            return Ok(path.clone());
        }
        // Other flags in the same directory would build everything anew each time.
        let (target, flags) = match binary {
            Binary::Ours | Binary::Snapshot | Binary::Program => {
                (self.directory.join("traced"), TRACED_FLAGS)
            }
            _ => (self.directory.join("untraced"), ""),
        };
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--quiet", "--package", binary.package()])
            .arg("--target-dir")
            .arg(&target);
        cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")]);
        cargo.env("RUSTFLAGS", flags);
        let subdirectory = match profile {
            Profile::Release => {
                cargo.arg("--release");
                "release"
            }
            Profile::Debug => "debug",
        };
        let status = cargo.status().context("failed to start cargo")?;
        ensure!(status.success(), "failed to build {} (see above)", binary.package());
        let path = target.join(subdirectory).join(binary.name());
        self.paths.insert((binary, profile), path.clone());
        Ok(path)
    }
}
