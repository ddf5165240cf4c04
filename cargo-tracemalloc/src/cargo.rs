//! Composes the cargo calls that build and run a workspace's tests.

use std::ffi::OsString;

use anyhow::{Context as _, Result};
use tracemalloc_harness::SESSION_VAR;

use crate::cli::{CargoOptions, Format};
use crate::context::Context;
use crate::inject::Runtimes;
use crate::private_env;
use crate::process::Process;
use crate::session::SessionDir;

/// What is set for cargo and has to be put back for tests. The session's variable is not among them: the harness needs
/// it once more, in the process that it starts for a test, and takes it out there.
pub const SET_FOR_CARGO: [&str; 4] =
    [private_env::RUSTC_WRAPPER, private_env::WRAPPER, private_env::RUNTIME, private_env::PROGRAMS];

/// `cargo test`, with us as its compiler.
pub fn test(
    context: &Context,
    options: &CargoOptions,
    format: Format,
    session: &SessionDir,
    runtimes: &Runtimes,
) -> Result<Process> {
    let mut cargo = with_wrapper(context, session, runtimes)?;
    cargo.arg("test").arg("--target-dir").arg(&context.target_dir).args(options.build_args());
    if options.no_run {
        cargo.arg("--no-run");
    }
    cargo.args(options.output_args()).args(options.harness_args());
    if format == Format::Json {
        cargo.stdout_to_stderr();
    }
    Ok(cargo)
}

/// `cargo run`, with us as its compiler.
pub fn run(
    context: &Context,
    options: &CargoOptions,
    program_args: &[OsString],
    session: &SessionDir,
    runtimes: &Runtimes,
) -> Result<Process> {
    let mut cargo = with_wrapper(context, session, runtimes)?;
    cargo.env(private_env::PROGRAMS, Some(&runtimes.identity));
    cargo.arg("run").arg("--target-dir").arg(&context.target_dir).args(options.build_args());
    cargo.args(options.output_args()).arg("--").args(program_args);
    Ok(cargo)
}

/// Whether everything compiles: the same build again, without a word.
pub fn builds(context: &Context, options: &CargoOptions, session: &SessionDir, runtimes: &Runtimes) -> Result<Process> {
    let mut cargo = with_wrapper(context, session, runtimes)?;
    let mut args = options.build_args();
    if options.doc {
        // Cargo has no `--doc --no-run`. What doctests need is the library.
        args.retain(|arg| arg != "--doc" && arg != "--no-fail-fast");
        cargo.args(["build", "--lib"]);
    } else {
        cargo.args(["test", "--no-run"]);
    }
    cargo.arg("--target-dir").arg(&context.target_dir).args(args).silent();
    Ok(cargo)
}

fn with_wrapper(context: &Context, session: &SessionDir, runtimes: &Runtimes) -> Result<Process> {
    let this = std::env::current_exe().context("failed to find this program's own path")?;
    let mut cargo = Process::new(&context.rustc.cargo);
    cargo.env(private_env::RUSTC_WRAPPER, Some(this));
    cargo.env(private_env::WRAPPER, Some(session.wrapper_file()));
    cargo.env(private_env::RUNTIME, Some(&runtimes.identity));
    cargo.env(SESSION_VAR, Some(&session.path));
    Ok(cargo)
}
