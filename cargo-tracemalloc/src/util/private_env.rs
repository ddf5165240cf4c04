//! The names of all environment variables that this program reads or sets.
//!
//! The harness crate names more: [`SESSION_VAR`](tracemalloc_harness::SESSION_VAR), which the
//! harness reads, [`FRONT_VAR`](tracemalloc_harness::FRONT_VAR) and
//! [`NAME_PROVIDER_VAR`](tracemalloc_harness::NAME_PROVIDER_VAR), which it sets, and
//! [`NAMES_VAR`](tracemalloc_harness::NAMES_VAR), which the front sets.

// For the user.

/// The directory for built runtimes, instead of the user's cache directory.
pub const CACHE_DIR: &str = "TRACEMALLOC_CACHE_DIR";

// Set by CI services.

/// `true` on GitHub Actions.
pub const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
/// The file with the summary of a step, in Markdown.
pub const GITHUB_STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

// For caller and callee: from the command, through cargo, to the wrapper.

/// The file with the wrapper's [`Config`](crate::wrapper::Config). If it is set, the command is the
/// wrapper.
pub const WRAPPER: &str = "TRACEMALLOC_WRAPPER";
/// The identity of the runtimes. For cargo, test binaries depend on it like on a variable that
/// `env!` names.
pub const RUNTIME: &str = "TRACEMALLOC_RUNTIME";
/// The same for binaries that are no tests. If it is set, they are traced: by `cargo tracemalloc
/// run` and by `--programs`.
pub const PROGRAMS: &str = "TRACEMALLOC_PROGRAMS";

// For callee: set by cargo, read by the wrapper.

/// Makes cargo call this program instead of rustc.
pub const RUSTC_WRAPPER: &str = "RUSTC_WRAPPER";
/// The same for crates of the workspace. Only `show-env` sets it: cargo then builds them again
/// where it has built them without tracing.
pub const RUSTC_WORKSPACE_WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
/// The compiler that cargo calls.
pub const RUSTC: &str = "RUSTC";
/// Makes cargo call this program instead of rustdoc.
pub const RUSTDOC: &str = "RUSTDOC";
/// Cargo's target directory. Only `show-env` sets it. Other commands use `--target-dir`.
pub const TARGET_DIR: &str = "CARGO_TARGET_DIR";
/// The name of the crate that cargo compiles. Not set if a build script calls rustc.
pub const CRATE_NAME: &str = "CARGO_CRATE_NAME";
/// The name of the package that cargo compiles.
pub const PACKAGE_NAME: &str = "CARGO_PKG_NAME";
/// The version of the package that cargo compiles.
pub const PACKAGE_VERSION: &str = "CARGO_PKG_VERSION";
/// The name of the binary target that cargo compiles. Not set for other targets.
pub const BIN_NAME: &str = "CARGO_BIN_NAME";

// For callee: set by the wrapper, read by rustc.

/// The file with the options for doctests. If it is set, rustdoc calls the command as its compiler.
pub const DOCTESTS: &str = "TRACEMALLOC_DOCTESTS";
/// Makes a stable compiler accept unstable options.
pub const RUSTC_BOOTSTRAP: &str = "RUSTC_BOOTSTRAP";

/// The variables that the command sets for cargo, and that tests must not see. The session's
/// variable is not among them, because the harness needs it in the child, and removes it there.
pub const SET_FOR_CARGO: [&str; 9] = [
    RUSTC,
    RUSTC_WRAPPER,
    RUSTC_WORKSPACE_WRAPPER,
    RUSTDOC,
    WRAPPER,
    RUNTIME,
    PROGRAMS,
    TARGET_DIR,
    DOCTESTS,
];
