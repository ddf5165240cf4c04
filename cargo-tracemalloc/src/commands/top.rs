//! `cargo tracemalloc top`: prints the biggest groups of a snapshot, and the sum of the rest; or
//! shows the memory of a snapshot or of a running program as a live view.

use std::fs;
use std::io::{IsTerminal as _, stdout};
use std::path::Path;
use std::time::{Instant, SystemTime};

use anyhow::{Result, bail};
use tracemalloc::KeyType;

use crate::cli::{Format, GroupBy, TopArgs};
use crate::output;
use crate::output::live::View;
use crate::output::live::page::page;
use crate::output::live::terminal::{Newest, TICK, on_terminal};
use crate::output::snapshot;
use crate::snapshot::{Moment, SnapshotQuery};
use crate::util::exit_code::{ExitCode, UsageError};

/// Runs the command.
pub fn run(args: &TopArgs) -> Result<ExitCode> {
    let is_view = stdout().is_terminal() && !args.batch && args.interval.is_none();
    match (&args.snapshot, args.pid) {
        (Some(path), _) if is_view && is_plain(args) => view_file(path)?,
        (Some(path), _) => print_snapshot(path, args)?,
        (None, Some(pid)) => watch(pid, is_view, args)?,
        (None, None) => bail!(UsageError("expected a snapshot or `--pid`".to_owned())),
    }
    Ok(ExitCode::Clean)
}

/// Whether no option asks for a certain output.
fn is_plain(args: &TopArgs) -> bool {
    let query = &args.query;
    query.format == Format::Text
        && query.by == GroupBy::Key(KeyType::Lineno)
        && !query.cumulative
        && !query.filter.all_frames
        && query.filter.domain.is_none()
        && query.filter.include.is_empty()
        && query.filter.exclude.is_empty()
}

fn print_snapshot(path: &Path, args: &TopArgs) -> Result<()> {
    let mut query = SnapshotQuery::resolve(&args.query)?;
    let statistics = query.statistics(path)?;
    output::print_all(&match args.query.format {
        Format::Json => snapshot::json::statistics("top", &mut query, &statistics)?,
        Format::Text => snapshot::text::top(&mut query, &statistics),
    })
}

#[cfg(unix)]
fn watch(pid: u32, is_view: bool, args: &TopArgs) -> Result<()> {
    use crate::snapshot::WatchedProgram;

    if !is_plain(args) {
        let message = "a running program is shown by line and holder; `--pid` takes no filter, \
                       grouping or format, except `--limit`";
        bail!(UsageError(message.to_owned()));
    }
    let mut program = WatchedProgram::find(pid)?;
    let Some(first) = program.next()? else { bail!("process {pid} has ended") };
    let mut view = View::new(format!("process {}", program.pid), first);
    if is_view {
        return on_terminal(&mut view, || match program.newest() {
            Ok(None) if !program.runs() => {
                Newest::Message("q quit   the program has ended".to_owned())
            }
            Ok(None) => Newest::Nothing,
            Ok(Some(moment)) => Newest::Moment(moment),
            Err(error) => Newest::Message(format!("q quit   {error:#}")),
        });
    }
    output::print_all(&page(&view, args.query.limit))?;
    let Some(interval) = args.interval else { return Ok(()) };
    let mut printed = 1;
    let mut last = Instant::now();
    while args.pages.is_none_or(|pages| printed < pages) {
        let Some(moment) = program.next()? else { break };
        view.now = moment;
        // The answers come once a second, a little early or late.
        if last.elapsed() + TICK >= interval {
            last = Instant::now();
            output::print_all(&page(&view, args.query.limit))?;
            printed += 1;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn watch(_pid: u32, _is_view: bool, _args: &TopArgs) -> Result<()> {
    bail!("a running program is watched on Linux alone")
}

fn view_file(path: &Path) -> Result<()> {
    let changed = || fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let mut seen: Option<SystemTime> = changed();
    let mut view = View::new(path.display().to_string(), Moment::of_snapshot(path)?);
    on_terminal(&mut view, || {
        let now = changed();
        if now.is_none() || now == seen {
            return Newest::Nothing;
        }
        seen = now;
        match Moment::of_snapshot(path) {
            Ok(moment) => Newest::Moment(moment),
            Err(error) => Newest::Message(format!("q quit   {error:#}")),
        }
    })
}
