//! `cargo tracemalloc man`: writes a manual page for the program and one for each subcommand.
//! `cargo help tracemalloc` shows the first.

use anyhow::{Context as _, Result};
use fs_err as fs;

use crate::cli::{self, ManArgs};
use crate::util::exit_code::ExitCode;

/// Runs the command.
pub fn run(args: &ManArgs) -> Result<ExitCode> {
    fs::create_dir_all(&args.directory)?;
    clap_mangen::generate_to(cli::command().name("cargo-tracemalloc"), &args.directory)
        .with_context(|| format!("failed to write to `{}`", args.directory))?;
    Ok(ExitCode::Clean)
}
