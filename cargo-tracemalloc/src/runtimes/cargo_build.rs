//! The cargo call that builds the runtimes, without any of the user's build configuration.

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Message;
use tracemalloc_harness::fnv;

use crate::runtimes::allocator_symbols::AllocatorSymbols;
use crate::runtimes::runtime::{BuildOptions, Interposed};
use crate::runtimes::sources;
use crate::util::process::Process;
use crate::workspace::Rustc;

/// Frame pointers, because captures walk through the harness. Metadata, so that a user's crates
/// with the same name and version do not clash. Bitcode, because the user's profile may have LTO.
/// The mangling of user code, because in debug builds user code calls generic functions of std that
/// were compiled here.
const FLAGS: [&str; 5] = [
    "-Cforce-frame-pointers=yes",
    "-Cmetadata=tracemalloc",
    "-Cembed-bitcode=yes",
    "-Csymbol-mangling-version=v0",
    "-Awarnings",
];
/// Separates flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\x1f";
/// Variables that would change the build, or wrap rustc again.
const UNWANTED: [&str; 5] = [
    "RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
];

const TRACED: &str = "tracemalloc_traced";
const UNTRACED: &str = "tracemalloc_harness";
const INTERPOSED: &str = "tracemalloc_interposed";
const PROGRAM: &str = "tracemalloc_program";

/// The files of a build. Paths are absolute.
#[derive(Debug)]
pub struct Artifacts {
    /// The library with harness and allocator.
    pub traced: Utf8PathBuf,
    /// The library with the harness alone.
    pub untraced: Utf8PathBuf,
    /// The library with harness and interposed allocator.
    pub interposed: Option<Interposed>,
    /// The library that traces programs.
    pub program: Option<Utf8PathBuf>,
    /// All files, including those above.
    pub files: Vec<Utf8PathBuf>,
}

/// A name for a build, made from all its inputs.
pub fn identity(rustc: &Rustc, triple: &str) -> String {
    let mut hash = hash_of_compiler(rustc);
    for (name, content) in sources::files() {
        hash.add(name.as_bytes());
        hash.add(&content);
    }
    hash.add(triple.as_bytes());
    format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), hash.0)
}

/// The name of cargo's target directory. All versions of this program share it, so that a new
/// version finds the dependencies built.
pub fn target_dir_name(rustc: &Rustc) -> String {
    format!("target-{:016x}", hash_of_compiler(rustc).0)
}

fn hash_of_compiler(rustc: &Rustc) -> Hash {
    let mut hash = Hash::default();
    hash.add(FLAGS.join(SEPARATOR).as_bytes());
    hash.add(rustc.verbose_version.as_bytes());
    hash
}

/// Builds the sources that are in `dir`.
pub fn build(
    dir: &Utf8Path,
    target_dir: &Utf8Path,
    rustc: &Rustc,
    triple: &str,
    options: BuildOptions,
) -> Result<Artifacts> {
    let cargo = |packages: &[&str]| {
        let mut cargo = Process::new(&rustc.cargo);
        cargo.args([
            "build",
            "--profile",
            "inject",
            "--target",
            triple,
            "--message-format",
            "json-render-diagnostics",
        ]);
        cargo.args(packages.iter().map(|package| format!("--package={package}")));
        cargo.arg("--target-dir").arg(target_dir);
        if options.quiet {
            cargo.arg("--quiet");
        }
        if options.offline {
            cargo.arg("--offline");
        }
        cargo.dir(dir);
        for name in UNWANTED {
            cargo.env(name, None::<&str>);
        }
        // Empty and not unset, because cargo's configuration may set a wrapper too.
        cargo.env("RUSTC_WRAPPER", Some("")).env("RUSTC_WORKSPACE_WRAPPER", Some(""));
        cargo.env("RUSTC", Some(&rustc.path));
        cargo.env("CARGO_BUILD_BUILD_DIR", Some(target_dir));
        cargo.env("CARGO_ENCODED_RUSTFLAGS", Some(FLAGS.join(SEPARATOR)));
        cargo
    };
    let run = |mut cargo: Process| {
        let output = cargo.print_if(options.verbose).stdout()?;
        if !output.status.success() {
            bail!(
                "failed to build the tracemalloc runtime in `{dir}`; see cargo's message above. Its dependencies come from \
                 crates.io, once per version"
            );
        }
        Built::parse(&output.stdout)
    };
    let mut packages = vec!["tracemalloc-traced", "tracemalloc-harness"];
    let traces_programs = triple.contains("-linux-gnu");
    if traces_programs {
        packages.push("tracemalloc-program");
    }
    let mut built = run(cargo(&packages))?;
    let traced = built.library(TRACED)?;
    let untraced = built.library(UNTRACED)?;
    let program = traces_programs.then(|| built.library(PROGRAM)).transpose()?;
    let interposed = match AllocatorSymbols::of_library(&traced)? {
        Some(symbols) => {
            let mut cargo = cargo(&["tracemalloc-interposed"]);
            for (name, symbol) in symbols.build_env() {
                cargo.env(&name, Some(symbol));
            }
            built.files.extend(run(cargo)?.files);
            Some(Interposed { library: built.library(INTERPOSED)?, symbols })
        }
        None => None,
    };
    built.files.sort();
    built.files.dedup();
    Ok(Artifacts { traced, untraced, interposed, program, files: built.files })
}

/// The files that cargo built.
struct Built {
    files: Vec<Utf8PathBuf>,
}

impl Built {
    /// Parses cargo's messages.
    fn parse(messages: &[u8]) -> Result<Self> {
        let mut files = Vec::new();
        for message in Message::parse_stream(messages) {
            if let Message::CompilerArtifact(artifact) =
                message.context("failed to read cargo's messages")?
            {
                files.extend(artifact.filenames);
            }
        }
        Ok(Self { files })
    }

    /// Finds the library of a crate.
    fn library(&self, crate_name: &str) -> Result<Utf8PathBuf> {
        let start = format!("lib{crate_name}");
        let is_it = |path: &&Utf8PathBuf| {
            let stem = path.file_stem().unwrap_or_default();
            let rest = stem.strip_prefix(&start);
            path.extension() == Some("rlib")
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let found = self.files.iter().find(is_it);
        found.cloned().with_context(|| {
            format!("failed to find the library `{crate_name}` in cargo's messages")
        })
    }
}

/// A hash of several pieces.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(fnv::EMPTY)
    }
}

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        // The length separates the pieces.
        self.0 = fnv::add(fnv::add(self.0, &bytes.len().to_le_bytes()), bytes);
    }
}
