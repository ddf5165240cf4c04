//! Renderings: of a report, and of what there is in snapshots.

pub mod exit_heap;
pub mod json;
pub mod settings;
pub mod snapshot;
pub mod text;

use std::io::{self, ErrorKind, Write as _};

use anyhow::{Context as _, Result};
use camino::Utf8Path;

/// A path as one would type it here.
pub fn shorten(path: &Utf8Path) -> &Utf8Path {
    // Below the root directory, everything would be shortened.
    let here = std::env::current_dir().ok().filter(|here| here.parent().is_some());
    here.and_then(|here| path.strip_prefix(Utf8Path::from_path(&here)?).ok()).unwrap_or(path)
}

/// Prints on stdout, coloured or not as the terminal wants it. What is printed is in a file too:
/// that it cannot be printed is no reason to fail.
pub fn print(text: &str) {
    let mut stdout = anstream::stdout();
    let _closed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Prints on stdout what is nowhere else. A reader that has seen enough, like `head`, is no reason
/// to fail.
pub fn print_all(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("failed to write to stdout")
        }
        _ => Ok(()),
    }
}
