//! `cargo tracemalloc test`: builds and runs a workspace's tests under tracing, and reports.

use std::process::ExitStatus;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, absolute_utf8};
use fs_err as fs;
use tracemalloc_harness::{Limit, Options, Session};

use crate::cli::{CargoOptions, Color, Format, TestArgs};
use crate::context::Context;
use crate::exit_code::{ExitCode, UsageError};
use crate::inject::{self, BuildOptions, Runtimes};
use crate::report::{Doctests, Report, ReportOptions, SCHEMA, Summary};
use crate::session::{SessionDir, restore_env, write_atomically};
use crate::{cargo, interrupt, render, report, term, wrapper};

/// Runs the command.
pub fn run(args: &TestArgs) -> Result<ExitCode> {
    term::set_color(args.cargo.color.unwrap_or(Color::Auto));
    if let Some(path) = &args.report {
        check_writable(path)?;
    }
    let context = Context::resolve(&args.cargo)?;
    let build_options = BuildOptions {
        verbose: args.cargo.verbose > 0,
        quiet: args.cargo.quiet,
        offline: args.cargo.offline || args.cargo.frozen,
    };
    let runtimes = inject::ensure(&context.rustc, &context.triples, build_options)?;
    interrupt::install()?;

    let session = SessionDir::create(&context.target_dir)?;
    session.write(&harness_session(args, &context), &wrapper_config(&context, &session, &runtimes))?;
    let status = cargo::test(&context, &args.cargo, args.format, &session, &runtimes)?
        .print_if(args.cargo.verbose > 0)
        .status()?;
    if args.cargo.no_run || args.cargo.lists_tests() {
        return Ok(if status.success() { ExitCode::Clean } else { ExitCode::CouldNotRun });
    }
    let targets = report::targets(&session.fragments(), &context.metadata)?;
    let summary = Summary::of(targets.iter().flat_map(|target| &target.tests));
    let code = if interrupt::interrupted() {
        term::warning("interrupted: only tests that had ended are in the report");
        ExitCode::CouldNotRun
    } else {
        judge(status, args, &summary, || {
            !targets.is_empty() || builds(&context, &args.cargo, &session, &runtimes).unwrap_or(false)
        })
    };
    if code == ExitCode::CouldNotRun && summary.tests == 0 {
        // A report of nothing would only replace one of something.
        return Ok(code);
    }
    let report = Report {
        schema: SCHEMA,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        rustc: context.rustc.version().to_owned(),
        target_triple: context.triples.join(","),
        options: ReportOptions {
            measure: options(args),
            deny: denied(args),
            no_fail: args.no_fail,
            known_holders: !args.no_known_holders,
            timeout_seconds: timeout_seconds(args),
        },
        summary,
        doctests: doctests(args, &context),
        targets,
    };
    write(&report, args, &context)?;
    Ok(code)
}

/// What the whole run came to. `tests_ran` is asked only where cargo's status leaves it open.
fn judge(status: ExitStatus, args: &TestArgs, summary: &Summary, tests_ran: impl FnOnce() -> bool) -> ExitCode {
    if !status.success() {
        let ran = status.code().is_some() && tests_ran();
        return if ran { ExitCode::TestFailed } else { ExitCode::CouldNotRun };
    }
    if summary.failing(&args.deny) > 0 && !args.no_fail { ExitCode::Leak } else { ExitCode::Clean }
}

/// Whether the build is fine, so that it must have been a test that failed: one that leaves no fragment, as doctests do.
fn builds(context: &Context, options: &CargoOptions, session: &SessionDir, runtimes: &Runtimes) -> Result<bool> {
    if session.failure_mark().exists() {
        return Ok(false);
    }
    Ok(cargo::builds(context, options, session, runtimes)?.status()?.success())
}

fn write(report: &Report, args: &TestArgs, context: &Context) -> Result<()> {
    let json = render::json::render(report)?;
    let path = context.report_path();
    let also = args.report.as_ref().filter(|also| absolute_utf8(also).ok().as_ref() != Some(&path));
    for path in also.into_iter().chain([&path]) {
        write_atomically(path, json.as_bytes()).with_context(|| format!("failed to write the report `{path}`"))?;
    }
    match args.format {
        Format::Json => render::print(&json),
        Format::Text => {
            let shown = args.report.as_deref().unwrap_or_else(|| shorten(&path));
            render::print(&render::text::render(report, &context.metadata.workspace_root, shown))
        }
    }
    Ok(())
}

/// A path as one would type it here.
fn shorten(path: &Utf8Path) -> &Utf8Path {
    // Below the root directory, everything would be shortened.
    let here = std::env::current_dir().ok().filter(|here| here.parent().is_some());
    here.and_then(|here| path.strip_prefix(Utf8Path::from_path(&here)?).ok()).unwrap_or(path)
}

fn doctests(args: &TestArgs, context: &Context) -> Option<Doctests> {
    report::packages_with_doctests(&args.cargo, &context.metadata)
}

fn harness_session(args: &TestArgs, context: &Context) -> Session {
    Session {
        options: options(args),
        timeout_seconds: timeout_seconds(args),
        path_prefixes: report::path_prefixes(&context.metadata),
        restore_env: restore_env(&cargo::SET_FOR_CARGO),
        known_holders: args.no_known_holders.then(Vec::new),
    }
}

fn wrapper_config(context: &Context, session: &SessionDir, runtimes: &Runtimes) -> wrapper::Config {
    wrapper::Config {
        target_dir: context.target_dir.clone(),
        inner_wrapper: context.inner_wrapper.clone(),
        host: context.rustc.host.clone(),
        runtimes: runtimes.clone(),
        failure_mark: session.failure_mark(),
    }
}

fn options(args: &TestArgs) -> Options {
    Options {
        limit: Limit { max_growth: args.max_growth, max_blocks: args.max_blocks },
        runs: args.runs,
        frames: args.frames,
        include: args.include.clone(),
        exclude: args.exclude.clone(),
    }
}

fn denied(args: &TestArgs) -> Vec<crate::cli::Deny> {
    let mut deny = args.deny.clone();
    deny.sort();
    deny.dedup();
    deny
}

fn timeout_seconds(args: &TestArgs) -> Option<f64> {
    args.timeout.map(|timeout| timeout.as_secs_f64())
}

/// Nobody should wait for a whole test run to learn that the report has no place.
fn check_writable(path: &Utf8Path) -> Result<()> {
    let existed = path.exists();
    let result = fs::OpenOptions::new().append(true).create(true).open(path);
    if let Err(error) = result {
        return Err(UsageError(format!("the report cannot be written: {error}")).into());
    }
    if !existed {
        fs::remove_file(path)?;
    }
    Ok(())
}
