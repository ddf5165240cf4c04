//! The cargo calls that build and run the tests of a workspace.

use std::ffi::OsString;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use tracemalloc_harness::SESSION_VAR;

use crate::cli::{CargoOptions, NextestArgs, ReportFormat};
use crate::runtimes::Runtimes;
use crate::suite::test_suite::Suite;
use crate::util::file::this_program;
use crate::util::private_env;
use crate::util::process::Process;
use crate::workspace::{Context, SessionDir, check_manifest};
use crate::wrapper;

/// `cargo test`, with the command as rustc's wrapper.
pub fn test(suite: &Suite, options: &CargoOptions, format: ReportFormat) -> Result<Process> {
    let mut cargo = of_suite(suite)?;
    cargo.env(
        private_env::RUSTDOC,
        Some(suite.session.link_to_this_program(wrapper::RUSTDOC_NAME)?),
    );
    cargo.arg("test").arg("--target-dir").arg(&suite.context.target_dir).args(options.build_args());
    if options.no_run {
        cargo.arg("--no-run");
    }
    cargo.args(options.build.output_args()).args(options.harness_args());
    if format != ReportFormat::Text {
        cargo.stdout_to_stderr();
    }
    Ok(cargo)
}

/// `cargo run`, with the command as rustc's wrapper.
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
    cargo.args(options.build.output_args()).arg("--").args(program_args);
    Ok(cargo)
}

/// The same build again, silently, to see whether everything compiles.
pub fn builds(suite: &Suite, options: &CargoOptions) -> Result<Process> {
    let mut cargo = of_suite(suite)?;
    let mut args = options.build_args();
    if options.doc {
        // Cargo has no `--doc --no-run`. Doctests need the library.
        args.retain(|arg| arg != "--doc" && arg != "--no-fail-fast");
        cargo.args(["build", "--lib"]);
    } else {
        cargo.args(["test", "--no-run"]);
    }
    cargo.arg("--target-dir").arg(&suite.context.target_dir).args(args).silent();
    Ok(cargo)
}

/// `cargo nextest run`, with the command as rustc's wrapper.
pub fn nextest(suite: &Suite, args: &NextestArgs) -> Result<Process> {
    let mut cargo = of_suite(suite)?;
    let nextest_args = args.nextest_args();
    let (run, rest) = nextest_args.split_first().context("failed to find nextest's subcommand")?;
    cargo.arg("nextest").arg(run).arg("--target-dir").arg(&suite.context.target_dir).args(rest);
    if args.report.format != ReportFormat::Text {
        cargo.stdout_to_stderr();
    }
    Ok(cargo)
}

/// The output of `cargo nextest --version`.
pub fn nextest_version() -> Result<String> {
    Process::new(program()).args(["nextest", "--version"]).read()
}

/// The environment for a cargo that others call.
pub fn environment_for_others(suite: &Suite) -> Result<Vec<(String, String)>> {
    let mut environment = environment(&suite.context, &suite.session, &suite.runtimes)?;
    environment.extend([
        (private_env::TARGET_DIR.to_owned(), suite.context.target_dir.to_string()),
        (private_env::RUSTC_WORKSPACE_WRAPPER.to_owned(), this_program()?.into_string()),
    ]);
    // A shell cannot set variables of other names.
    environment.retain(|(name, _)| !name.contains('-'));
    Ok(environment)
}

/// The manifest of the workspace.
pub fn locate_workspace(manifest_path: Option<&Utf8Path>) -> Result<String> {
    let mut cargo = Process::new(program());
    cargo.args(["locate-project", "--workspace", "--message-format", "plain"]);
    if let Some(path) = manifest_path {
        check_manifest(path)?;
        cargo.arg("--manifest-path").arg(path);
    }
    Ok(cargo.read()?.trim_end_matches(['\r', '\n']).to_owned())
}

/// A cargo to call before the toolchain is known.
fn program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A cargo that builds tests, and programs for them.
fn of_suite(suite: &Suite) -> Result<Process> {
    let mut cargo = with_wrapper(&suite.context, &suite.session, &suite.runtimes)?;
    if suite.settings.programs {
        cargo.env(private_env::PROGRAMS, Some(&suite.runtimes.identity));
    }
    Ok(cargo)
}

fn with_wrapper(context: &Context, session: &SessionDir, runtimes: &Runtimes) -> Result<Process> {
    let mut cargo = Process::new(&context.rustc.cargo);
    cargo.env(private_env::RUSTC, Some(&context.rustc.path));
    for (name, value) in environment(context, session, runtimes)? {
        cargo.env(&name, Some(value));
    }
    Ok(cargo)
}

fn environment(
    context: &Context,
    session: &SessionDir,
    runtimes: &Runtimes,
) -> Result<Vec<(String, String)>> {
    let own = [
        (private_env::RUSTC_WRAPPER, this_program()?.into_string()),
        (private_env::WRAPPER, session.wrapper_file().into_string()),
        (private_env::RUNTIME, runtimes.identity.clone()),
        (SESSION_VAR, session.path.to_string()),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    Ok(own.chain(context.c_flags.iter().cloned()).collect())
}
