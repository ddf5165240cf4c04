//! Composes the cargo calls that build and run a workspace's tests.

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use tracemalloc_harness::SESSION_VAR;

use crate::cli::{CargoOptions, Format};
use crate::private_env;
use crate::process::Process;
use crate::suite::Suite;

/// What is set for cargo and has to be put back for tests. The session's variable is not among them: the harness needs
/// it once more, in the process that it starts for a test, and takes it out there.
pub const SET_FOR_CARGO: [&str; 3] = [private_env::RUSTC_WRAPPER, private_env::WRAPPER, private_env::RUNTIME];

/// `cargo test`, with us as its compiler.
pub fn test(suite: &Suite, options: &CargoOptions, format: Format) -> Result<Process> {
    let mut cargo = with_wrapper(suite)?;
    cargo.arg("test").arg("--target-dir").arg(&suite.context.target_dir).args(options.build_args());
    if options.no_run {
        cargo.arg("--no-run");
    }
    cargo.args(options.output_args()).args(options.harness_args());
    if format == Format::Json {
        cargo.stdout_to_stderr();
    }
    Ok(cargo)
}

/// Whether everything compiles: the same build again, without a word.
pub fn builds(suite: &Suite, options: &CargoOptions) -> Result<Process> {
    let mut cargo = with_wrapper(suite)?;
    let mut args = options.build_args();
    if options.doc {
        // Cargo has no `--doc --no-run`. What doctests need is the library.
        args.retain(|arg| arg != "--doc" && arg != "--no-fail-fast");
        cargo.args(["build", "--lib"]);
    } else {
        cargo.args(["test", "--no-run"]);
    }
    cargo.arg("--target-dir").arg(&suite.context.target_dir).args(args).silent();
    Ok(cargo)
}

/// The manifest of the workspace that cargo would work on.
pub fn locate_workspace(manifest_path: Option<&Utf8Path>) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Process::new(program);
    cargo.args(["locate-project", "--workspace", "--message-format", "plain"]);
    if let Some(path) = manifest_path {
        cargo.arg("--manifest-path").arg(path);
    }
    Ok(cargo.read()?.trim_end_matches(['\r', '\n']).to_owned())
}

fn with_wrapper(suite: &Suite) -> Result<Process> {
    let Suite { context, session, runtimes, .. } = suite;
    let this = std::env::current_exe().context("failed to find this program's own path")?;
    let mut cargo = Process::new(&context.rustc.cargo);
    cargo.env(private_env::RUSTC_WRAPPER, Some(this));
    cargo.env(private_env::WRAPPER, Some(session.wrapper_file()));
    cargo.env(private_env::RUNTIME, Some(&runtimes.identity));
    cargo.env(SESSION_VAR, Some(&session.path));
    Ok(cargo)
}
