//! `cargo tracemalloc holders`: prints the holders of a snapshot's memory, or the built-in list of
//! known holders, with reasons.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8Path;
use fs_err as fs;
use serde_json::Value;
use tracemalloc::internal::heap::KNOWN_HOLDERS;
use tracemalloc_harness::ExitHeap;

use crate::cli::{Format, HoldersArgs};
use crate::output;
use crate::output::{exit_heap, snapshot};
use crate::snapshot::{HeldChanges, load};
use crate::util::exit_code::ExitCode;
use crate::util::file_kind::FileKind;

/// Runs the command.
pub fn run(args: &HoldersArgs) -> Result<ExitCode> {
    let text = match &args.file {
        None => known_holders()?,
        Some(path) => match FileKind::of(path) {
            Some(FileKind::ExitHeap) => of_exit_heap(path, args)?,
            _ => of_snapshot(path, args)?,
        },
    };
    output::print_all(&text)?;
    Ok(ExitCode::Clean)
}

fn known_holders() -> Result<String> {
    let mut text = String::new();
    for holder in KNOWN_HOLDERS {
        let what = if holder.is_thread { "threads of" } else { "static" };
        let with = holder.only_with.map_or(String::new(), |with| format!(" that share {with}"));
        writeln!(text, "{what} {}{with}\n    {}", holder.pattern, holder.reason)?;
    }
    Ok(text)
}

fn of_snapshot(path: &Path, args: &HoldersArgs) -> Result<String> {
    let snapshot = load(path)?;
    let held = snapshot.held_memory().ok_or_else(|| {
        anyhow!(
            "the snapshot {path:?} has no holders; those that `cargo tracemalloc run` writes do"
        )
    })?;
    let held = HeldChanges::since_nothing(held);
    match args.format {
        Format::Json => snapshot::json::holders(&held, args.limit),
        Format::Text => Ok(snapshot::text::holders(&held, args.limit)),
    }
}

fn of_exit_heap(path: &Path, args: &HoldersArgs) -> Result<String> {
    let document: Value = serde_json::from_slice(&fs::read(path)?)
        .with_context(|| format!("failed to read {path:?}"))?;
    let exit_heap: Result<ExitHeap, String> =
        match document.get("error").and_then(Value::as_str) {
            Some(why) => Err(why.to_owned()),
            None => Ok(serde_json::from_value(document)
                .with_context(|| format!("failed to read {path:?}"))?),
        };
    match args.format {
        Format::Json => exit_heap::json(&exit_heap),
        Format::Text => {
            let path = path.to_string_lossy();
            exit_heap::text(&exit_heap, args.limit, Utf8Path::new(&path))
        }
    }
}
