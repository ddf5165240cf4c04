//! Names of all environment variables that this program reads for itself or passes to itself.
//!
//! [`SESSION_VAR`](tracemalloc_harness::SESSION_VAR), which the harness reads, and
//! [`FRONT_VAR`](tracemalloc_harness::FRONT_VAR) and
//! [`NAME_PROVIDER_VAR`](tracemalloc_harness::NAME_PROVIDER_VAR), which it sets, are named there, and so
//! is [`NAMES_VAR`](tracemalloc_harness::NAMES_VAR), which the front sets for it.

use std::collections::BTreeMap;

// For the user.

/// Directory in which built runtimes are kept, instead of the user's cache directory.
pub const CACHE_DIR: &str = "TRACEMALLOC_CACHE_DIR";

// For caller and callee: from the command, through cargo, to the wrapper.

/// The file that holds the wrapper's [`Config`](crate::wrapper::Config). Its presence means wrapper
/// mode.
pub const WRAPPER: &str = "TRACEMALLOC_WRAPPER";
/// The identity of what is injected. Test binaries depend on it, as cargo sees it, like on a
/// variable named by `env!`.
pub const RUNTIME: &str = "TRACEMALLOC_RUNTIME";
/// The same, for binaries that are not tests. Its presence means that they are to be traced: `cargo
/// tracemalloc run`.
pub const PROGRAMS: &str = "TRACEMALLOC_PROGRAMS";

// For callee: set by cargo, read by the wrapper.

/// Makes cargo call us in place of rustc.
pub const RUSTC_WRAPPER: &str = "RUSTC_WRAPPER";
/// Makes cargo call us in place of rustdoc.
pub const RUSTDOC: &str = "RUSTDOC";
/// Where cargo builds. Set for cargo only by `show-env`; otherwise cargo is told on its command
/// line.
pub const TARGET_DIR: &str = "CARGO_TARGET_DIR";
/// The name of the crate that cargo has compiled; absent where a build script calls rustc.
pub const CRATE_NAME: &str = "CARGO_CRATE_NAME";
/// Name of the package that cargo has compiled.
pub const PACKAGE_NAME: &str = "CARGO_PKG_NAME";
/// Version of the package that cargo has compiled.
pub const PACKAGE_VERSION: &str = "CARGO_PKG_VERSION";
/// Name of the binary target that cargo has compiled; absent for everything else, build scripts
/// too.
pub const BIN_NAME: &str = "CARGO_BIN_NAME";

// For callee: set by the wrapper, read by rustc.

/// Lets a stable compiler take unstable options.
pub const RUSTC_BOOTSTRAP: &str = "RUSTC_BOOTSTRAP";

/// What is set for cargo and has to be put back for tests. The session's variable is not among
/// them: the harness needs it once more, in the process that it starts for a test, and takes it out
/// there.
pub const SET_FOR_CARGO: [&str; 6] =
    [RUSTC_WRAPPER, RUSTDOC, WRAPPER, RUNTIME, PROGRAMS, TARGET_DIR];

/// The variables that the command sets for cargo, with the values that tests should see.
pub fn restore_env(names: &[&str]) -> BTreeMap<String, Option<String>> {
    names.iter().map(|name| ((*name).to_owned(), std::env::var(name).ok())).collect()
}
