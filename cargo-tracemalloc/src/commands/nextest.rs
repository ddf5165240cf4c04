//! `cargo tracemalloc nextest run`: like `test`, with cargo-nextest instead of `cargo test`.

use std::process::ExitStatus;

use anyhow::{Context as _, Result};

use crate::cli::NextestArgs;
use crate::report;
use crate::report::Summary;
use crate::suite::cargo;
use crate::suite::{Ran, Suite};
use crate::util::exit_code::{ExitCode, UsageError};
use crate::util::file::check_writable;
use crate::util::terminal;

/// nextest's exit code for failed tests (`NextestExitCode::TEST_RUN_FAILED` in `nextest-metadata`).
const TEST_RUN_FAILED: i32 = 100;
/// nextest's exit code for a wrong command line.
const USAGE: i32 = 2;
/// nextest's options for existing binaries.
const REUSE: [&str; 2] = ["--archive-file", "--binaries-metadata"];

/// Runs the command.
pub fn run(args: &NextestArgs) -> Result<ExitCode> {
    check(&args.rest)?;
    let options = args.cargo_options().map_err(|error| UsageError(error.to_string()))?;
    terminal::set_color(options.build.color);
    for path in args.report.files() {
        check_writable(path)?;
    }
    cargo::nextest_version().context(
        "failed to find cargo-nextest; install it (https://nexte.st/docs/installation), or use \
         `cargo tracemalloc test`",
    )?;
    let suite = Suite::prepare(&options, &args.leaks)?;
    let status = cargo::nextest(&suite, args)?.print_if(options.build.verbose > 0).status()?;
    suite.session.check()?;
    if args.rest.iter().any(|arg| arg == "--no-run") {
        return Ok(if status.success() { ExitCode::Clean } else { ExitCode::CouldNotRun });
    }
    // nextest's own configuration may leave out tests, so a missing known leak may still be there.
    let mut results = suite.results(false)?;
    let code = judge(status, &suite, &results.summary());
    let untraced = report::untraced_targets(
        &suite.context.target_dir,
        &options,
        suite.settings.programs,
        &suite.context.metadata,
        &results.targets,
    );
    results.targets.extend(untraced);
    suite.finish(results, Ran { code, doctests: None, complete: false }, &args.report)
}

/// The exit code of the whole run.
fn judge(status: ExitStatus, suite: &Suite, summary: &Summary) -> ExitCode {
    match status.code() {
        Some(0) => suite.judge(summary),
        Some(USAGE) => ExitCode::Usage,
        Some(TEST_RUN_FAILED) => ExitCode::TestFailed,
        _ => ExitCode::CouldNotRun,
    }
}

/// Rejects calls that run no tests, or run existing binaries.
fn check(rest: &[String]) -> Result<()> {
    let refuse = |why: String| Err(UsageError(why).into());
    match rest.first().map(String::as_str) {
        Some("run" | "r") => {}
        Some(other) if !other.starts_with('-') => {
            return refuse(format!(
                "`cargo tracemalloc nextest {other}` runs no tests, so there is nothing to trace; use `cargo nextest \
                 {other}`, or `cargo tracemalloc nextest run`"
            ));
        }
        _ => {
            return refuse(
                "the first argument must be nextest's subcommand: `cargo tracemalloc nextest run`"
                    .to_owned(),
            );
        }
    }
    let own = rest.iter().take_while(|arg| *arg != "--");
    let reused = own
        .filter_map(|arg| REUSE.into_iter().find(|name| arg.split('=').next() == Some(name)))
        .next();
    match reused {
        Some(name) => refuse(format!(
            "`{name}` runs existing binaries, which may be untraced; leave it out, or build them in the environment of \
             `cargo tracemalloc show-env`"
        )),
        None => Ok(()),
    }
}
