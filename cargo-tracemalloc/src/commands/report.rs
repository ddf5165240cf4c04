//! `cargo tracemalloc report`: reads, merges, compares and renders report files.

use anyhow::Result;

use crate::cli::MergeArgs;
use crate::output;
use crate::output::text::View;
use crate::report::{self, Change, Comparison, Report, SameTest, report_file};
use crate::util::exit_code::{ExitCode, UsageError};
use crate::util::file::check_writable;
use crate::util::terminal;

/// Runs the command.
pub fn run(args: &MergeArgs) -> Result<ExitCode> {
    terminal::set_color(args.color);
    for path in args.report.files() {
        check_writable(path)?;
    }
    let same_test = if args.attempts { SameTest::Last } else { SameTest::Worst };
    let reports = args.files.iter().map(|path| report_file::read(path));
    let report = report::merged(reports.collect::<Result<_>>()?, same_test)
        .ok_or_else(|| UsageError("expected the path of a report".to_owned()))?;
    // The earlier leaks are only displayed.
    let displayed = |path| anyhow::Ok(report_file::read(path)?.displayed()?.into_owned());
    let against = args.against.as_deref().map(displayed).transpose()?;
    let comparison = against.map(|against| Comparison::new(against, &report));
    let comparison = comparison.as_ref();
    let shown = match (&args.report.path, args.files.as_slice()) {
        (Some(path), _) => path.to_string(),
        (None, [first, others @ ..]) if !others.is_empty() => {
            format!("{first} and {} more", others.len())
        }
        (None, files) => files.iter().map(ToString::to_string).collect(),
    };
    let view = View { report_path: &shown, verbose: args.verbose, comparison };
    output::print_all(&output::deliver(&report, &args.report, view, None)?)?;
    Ok(judge(&report, comparison, args.no_fail))
}

/// The exit code. With an earlier report, only new and grown leaks fail.
fn judge(report: &Report, comparison: Option<&Comparison>, no_fail: bool) -> ExitCode {
    let doctests_failed = report.doctests.as_ref().is_some_and(|doctests| doctests.failed > 0);
    if report.summary.failed > 0 || doctests_failed {
        return ExitCode::TestFailed;
    }
    let deny = &report.options.deny;
    let leaks = match comparison {
        None => report.fails(),
        Some(comparison) => {
            report.leaks.iter().any(|leak| leak.fails(deny) && comparison.of(leak) != Change::Same)
        }
    };
    if leaks && !no_fail { ExitCode::Leak } else { ExitCode::Clean }
}
