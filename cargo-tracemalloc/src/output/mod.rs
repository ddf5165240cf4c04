//! Renderings for people and programs: of reports, snapshots, settings and a program's end.
//!
//! It calls `report`, `config` and `snapshot`. It measures and judges nothing.

pub mod baseline;
mod delivery;
pub mod exit_heap;
pub mod exports;
mod formats;
mod html;
pub mod json;
pub mod live;
pub mod settings;
pub mod snapshot;
pub mod text;

use std::io::{ErrorKind, Write, stdout};

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use crate::util::file::write_atomically;

pub use delivery::deliver;

/// The name of stdout where a path is expected.
pub const STDOUT: &str = "-";

/// A path relative to the current directory.
pub fn shorten(path: &Utf8Path) -> &Utf8Path {
    // Below the root directory, every path would be shortened.
    let here = std::env::current_dir().ok().filter(|here| here.parent().is_some());
    here.and_then(|here| path.strip_prefix(Utf8Path::from_path(&here)?).ok()).unwrap_or(path)
}

/// Prints to stdout, with colours if the terminal supports them. An error is ignored, because a
/// file has the same content.
pub fn print(text: &str) {
    let mut stdout = anstream::stdout();
    let _closed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Prints to stdout, with colours if the terminal supports them. A reader that closes the pipe
/// early, like `head`, is no error.
pub fn print_all(text: &str) -> Result<()> {
    unless_closed(anstream::stdout().lock(), text.as_bytes())
}

fn unless_closed(mut stdout: impl Write, content: &[u8]) -> Result<()> {
    match stdout.write_all(content).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("failed to write to stdout")
        }
        _ => Ok(()),
    }
}

/// Writes bytes to a file as a whole, or to stdout.
pub fn write(path: &Utf8Path, content: &[u8]) -> Result<()> {
    if path != STDOUT {
        return write_atomically(path, content)
            .with_context(|| format!("failed to write `{path}`"));
    }
    unless_closed(stdout().lock(), content)
}
