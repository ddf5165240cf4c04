//! `cargo tracemalloc test`: builds and runs the tests of a workspace under tracing, and reports.

use std::process::ExitStatus;

use anyhow::Result;

use crate::cli::{CargoOptions, ReportFormat, TestArgs};
use crate::report;
use crate::report::Summary;
use crate::suite::cargo;
use crate::suite::{Ran, Suite};
use crate::util::exit_code::ExitCode;
use crate::util::file::check_writable;
use crate::util::{interrupt, terminal};

/// Runs the command.
pub fn run(args: &TestArgs) -> Result<ExitCode> {
    terminal::set_color(args.cargo.build.color);
    for path in args.report.files() {
        check_writable(path)?;
    }
    let suite = Suite::prepare(&args.cargo, &args.leaks)?;
    let mut cargo = cargo::test(&suite, &args.cargo, args.report.format)?;
    cargo.print_if(args.cargo.build.verbose > 0);
    let status = match args.report.format {
        ReportFormat::Text => cargo.status_without_reader()?,
        // Its stdout is this process's stderr.
        _ => cargo.status()?,
    };
    suite.session.check()?;
    if args.cargo.no_run || args.cargo.lists_tests() {
        return Ok(if status.success() { ExitCode::Clean } else { ExitCode::CouldNotRun });
    }
    let complete = status.success() && report::is_whole_suite(&args.cargo, &suite.context.metadata);
    let mut results = suite.results(complete)?;
    let (targets, summary) = (&results.targets, results.summary());
    let tests_ran = || {
        !targets.is_empty()
            || interrupt::interrupted()
            || builds(&suite, &args.cargo).unwrap_or(false)
    };
    let code = judge(status, &suite, &summary, tests_ran);
    let untraced = report::untraced_targets(
        &suite.context.target_dir,
        &args.cargo,
        suite.settings.programs,
        &suite.context.metadata,
        targets,
    );
    results.targets.extend(untraced);
    let doctests = report::doctests(&suite.session.doctests())?;
    suite.finish(results, Ran { code, doctests, complete }, &args.report)
}

/// The exit code of the whole run. `tests_ran` is called if cargo's exit code leaves it open.
fn judge(
    status: ExitStatus,
    suite: &Suite,
    summary: &Summary,
    tests_ran: impl FnOnce() -> bool,
) -> ExitCode {
    if !status.success() {
        let ran = status.code().is_some() && tests_ran();
        return if ran { ExitCode::TestFailed } else { ExitCode::CouldNotRun };
    }
    suite.judge(summary)
}

/// Whether the build succeeds. If so, a test has failed that leaves no fragment, such as a doctest.
fn builds(suite: &Suite, options: &CargoOptions) -> Result<bool> {
    if suite.session.failure_mark().exists() {
        return Ok(false);
    }
    Ok(cargo::builds(suite, options)?.status()?.success())
}
