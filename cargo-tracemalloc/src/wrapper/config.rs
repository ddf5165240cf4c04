//! The command's options for its wrapper, in a file that the environment names.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::runtimes::{Runtime, Runtimes};
use crate::workspace::{Context, SessionDir};
use crate::wrapper::rustc_call::RustcCall;

/// The content of the file that [`WRAPPER`](crate::util::private_env::WRAPPER) names.
#[derive(Debug, Serialize, Deserialize)]
pub struct Config {
    /// The wrapper changes only builds inside this directory.
    pub target_dir: Utf8PathBuf,
    /// The user's own `RUSTC_WRAPPER`.
    pub inner_wrapper: Option<Utf8PathBuf>,
    /// The user's own `RUSTC_WORKSPACE_WRAPPER`, where `show-env` has replaced it.
    pub workspace_wrapper: Option<Utf8PathBuf>,
    /// The compiler itself, not rustup's proxy. In the directory of a dependency with a
    /// `rust-toolchain.toml`, a proxy would choose another.
    pub rustc: Utf8PathBuf,
    /// The target triple of calls without `--target`.
    pub host: String,
    /// The libraries to inject.
    pub runtimes: Runtimes,
    /// The rustdoc that cargo would call.
    pub rustdoc: Utf8PathBuf,
    /// The directory for counts of doctests.
    pub doctests: Utf8PathBuf,
    /// Created when a crate does not compile.
    pub failure_mark: Utf8PathBuf,
    /// Whether the toolchain accepts unstable options.
    pub is_nightly: bool,
}

impl Config {
    /// The options for one session.
    pub fn new(context: &Context, session: &SessionDir, runtimes: &Runtimes) -> Self {
        Self {
            target_dir: context.target_dir.clone(),
            inner_wrapper: context.inner_wrapper.clone(),
            workspace_wrapper: context.workspace_wrapper.clone(),
            rustc: context.rustc.path.clone(),
            host: context.rustc.host.clone(),
            runtimes: runtimes.clone(),
            rustdoc: context.rustdoc.clone(),
            doctests: session.doctests(),
            failure_mark: session.failure_mark(),
            is_nightly: context.rustc.is_nightly(),
        }
    }

    /// Reads the options; `None` if the session has been deleted.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let json = match std::fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("failed to read `{}`", path.display()))?,
        };
        serde_json::from_slice(&json)
            .with_context(|| format!("failed to parse `{}`", path.display()))
            .map(Some)
    }

    /// The session's directory.
    pub fn session_dir(&self) -> &Utf8Path {
        self.failure_mark.parent().unwrap_or(Utf8Path::new(""))
    }

    /// The libraries to inject into the result of this call.
    pub fn runtime(&self, rustc_call: &RustcCall) -> Option<&Runtime> {
        self.runtimes.by_triple.get(rustc_call.target.as_ref().unwrap_or(&self.host))
    }
}
