//! `cargo tracemalloc run`: builds and runs a program under tracing, and shows the memory that is
//! live at its end.

use std::process::{ExitCode, ExitStatus};

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf, absolute_utf8};
use fs_err as fs;
use tracemalloc::{KeyType, Limits};
use tracemalloc_harness::{PROGRAM_FILE, ProgramNote, Run, Session};

use crate::cli::{FilterArgs, Format, GroupBy, QueryArgs, RunArgs};
use crate::name_server::NameSocket;
use crate::report::Statics;
use crate::runtimes;
use crate::runtimes::{BuildOptions, Runtimes};
use crate::snapshot::SnapshotQuery;
use crate::suite::cargo;
use crate::util::exit_code::ExitCode::CouldNotRun;
use crate::util::exit_code::{ENDED_BY_SIGNAL, UsageError};
use crate::util::file::{this_program, write_atomically};
#[cfg(unix)]
use crate::util::passed_signals::PassedSignals;
use crate::util::process::Process;
use crate::util::{private_dir, terminal};
use crate::workspace::Context;
use crate::workspace::SessionDir;
use crate::{output, report, wrapper};

/// Runs the command. The exit code is the program's.
pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let options = args.cargo();
    terminal::set_color(options.build.color);
    let context = Context::resolve(&options)?;
    let snapshot = snapshot_path(args.snapshot.as_deref(), &context)?;
    let build_options = BuildOptions {
        verbose: options.build.verbose > 0,
        quiet: options.build.quiet,
        offline: options.build.offline || options.build.frozen,
    };
    let runtimes = runtimes::ensure(&context.rustc, &context.triples, build_options)?;
    check_platform(&runtimes)?;

    let session = SessionDir::create(&context.target_dir)?;
    // Answers the program until it ends.
    private_dir::remove_abandoned();
    let names = NameSocket::open();
    let socket = names.as_ref().and_then(|names| names.path().to_str());
    session.write(
        &Session {
            names: socket.map(str::to_owned),
            ..harness_session(args, &snapshot, &context)?
        },
        &wrapper::Config::new(&context, &session, &runtimes),
    )?;
    let mut cargo = cargo::run(&context, &options, &args.program_args, &session, &runtimes)?;
    let status = run_to_end(cargo.print_if(options.build.verbose > 0), &session)?;
    let Some(note) = read_note(&session)? else {
        if let Err(error) = session.check() {
            terminal::warning(error);
            return Ok(code_of(status));
        }
        // The program did not start. Cargo has printed why, unless a signal ended it.
        let by_signal = status.code().is_none();
        return Ok(if by_signal { code_of(status) } else { CouldNotRun.into() });
    };
    report(note, &snapshot, &context, status, args.limit)?;
    Ok(code_of(status))
}

/// Runs cargo, which becomes the program. Signals to this process reach it.
#[cfg(unix)]
fn run_to_end(cargo: &mut Process, session: &SessionDir) -> Result<ExitStatus> {
    PassedSignals::catch(session.path.join(PROGRAM_FILE).into())?.run(cargo)
}

#[cfg(not(unix))]
fn run_to_end(cargo: &mut Process, _session: &SessionDir) -> Result<ExitStatus> {
    cargo.status()
}

/// The absolute path of the snapshot at the end. It is absolute, because the program may change its
/// directory.
fn snapshot_path(given: Option<&Utf8Path>, context: &Context) -> Result<Utf8PathBuf> {
    let Some(path) = given else {
        return Ok(context.snapshot_path());
    };
    let absolute =
        absolute_utf8(path).with_context(|| format!("failed to resolve snapshot path `{path}`"))?;
    match absolute.parent() {
        Some(dir) if dir.is_dir() && !absolute.is_dir() => Ok(absolute),
        Some(dir) if !dir.is_dir() => Err(UsageError(format!(
            "the snapshot cannot be written, because the directory `{dir}` does not exist"
        ))
        .into()),
        _ => Err(UsageError(format!(
            "the snapshot cannot be written, because `{path}` is a directory"
        ))
        .into()),
    }
}

fn check_platform(runtimes: &Runtimes) -> Result<()> {
    if let Some((triple, _)) =
        runtimes.by_triple.iter().find(|(_, runtime)| runtime.program.is_none())
    {
        bail!(
            "`cargo tracemalloc run` needs Linux with glibc, and does not support {triple}; \
             use the library in the program instead: `tracemalloc::start` and `tracemalloc::take_snapshot`"
        );
    }
    Ok(())
}

fn harness_session(args: &RunArgs, snapshot: &Utf8Path, context: &Context) -> Result<Session> {
    Ok(Session {
        limits: Limits::new().domain(args.domain),
        path_prefixes: report::path_prefixes(&context.metadata),
        restore_env: context.restore_env(),
        run: Some(Run {
            snapshot: snapshot.to_string(),
            nframe: args.frames,
            signal: args.snapshot_on,
            every_seconds: args.snapshot_every.map(|every| every.as_secs_f64()),
            keep: args.keep,
            command: std::process::id(),
            announcement: (!args.build.quiet).then(|| terminal::status_line("Tracing", "process")),
        }),
        command: this_program()?.into_string(),
        ..Session::default()
    })
}

fn read_note(session: &SessionDir) -> Result<Option<ProgramNote>> {
    let path = session.path.join(PROGRAM_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let note = tracemalloc_harness::from_bytes(&fs::read(&path)?);
    note.map(Some).with_context(|| format!("failed to parse `{path}`"))
}

/// Prints the result to stderr, because stdout belongs to the program.
fn report(
    note: ProgramNote,
    snapshot: &Utf8Path,
    context: &Context,
    status: ExitStatus,
    limit: usize,
) -> Result<()> {
    if note.untraced {
        terminal::warning(
            "the program ran untraced: it has a `#[global_allocator]` of its own, and the tracing allocator cannot go in \
             front of it; build it without `lto`, or wrap it in `Tracemalloc::new(...)` and use the library",
        );
        return Ok(());
    }
    if let Some(why) = &note.unnamed {
        terminal::warning(format_args!(
            "the names of functions, files and lines are missing below, because the command did not reply: {why}"
        ));
    }
    for path in &note.snapshots {
        terminal::status("Snapshot", output::shorten(Utf8Path::new(path)));
    }
    if !note.ended {
        let how = if status.code().is_some() {
            "`_exit`, `exec` or a failed snapshot"
        } else {
            "a signal"
        };
        let before = match note.snapshots.len() {
            0 => String::new(),
            1 => "; the one taken before is whole".to_owned(),
            count => format!("; the {count} taken before are whole"),
        };
        terminal::warning(format_args!(
            "there is no snapshot of the program's end, because it ended by {how} ({status}){before}"
        ));
        return Ok(());
    }
    terminal::status("Snapshot", output::shorten(snapshot));
    if let Some(mut exit_heap) = note.exit_heap.map(Ok).or(note.not_searched.map(Err)) {
        if let Ok(exit_heap) = &mut exit_heap {
            let statics = Statics::new(note.executable.into(), &context.metadata);
            statics.declare(exit_heap.held.iter_mut().map(|held| &mut held.holder));
        }
        let path = beside(snapshot);
        let json = output::exit_heap::json(&exit_heap)?;
        write_atomically(&path, json.as_bytes())
            .with_context(|| format!("failed to write `{path}`"))?;
        let text = output::exit_heap::text(&exit_heap, limit, output::shorten(&path))?;
        terminal::print(&text);
    }
    let args = QueryArgs {
        by: GroupBy::Key(KeyType::Lineno),
        cumulative: false,
        limit,
        format: Format::Text,
        filter: FilterArgs::default(),
    };
    let mut query = SnapshotQuery::resolve(&args)?;
    // The program's sources are found from wherever the command was called.
    for root in report::source_roots(&context.metadata) {
        query.sources.add_root(root);
    }
    let statistics = query.statistics(snapshot.as_std_path())?;
    terminal::print(&output::snapshot::text::top(&mut query, &statistics));
    Ok(())
}

/// The path of the heap document: `snapshot-heap.json` beside `snapshot.json`.
fn beside(snapshot: &Utf8Path) -> Utf8PathBuf {
    let stem = snapshot.file_stem().unwrap_or_default();
    snapshot.with_file_name(format!("{stem}-heap.json"))
}

fn code_of(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| ENDED_BY_SIGNAL + signal));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
