//! `cargo tracemalloc clean`: removes the builds of this workspace's tests, and runtimes of the
//! user's cache.

use anyhow::{Result, bail};
use camino::Utf8Path;

use crate::cli::CleanArgs;
use crate::output::{shorten, text};
use crate::runtimes::{Age, old_builds};
use crate::suite::cargo;
use crate::util::exit_code::ExitCode;
use crate::util::file::DiskUse;
use crate::util::terminal;
use crate::workspace::{SessionDir, target_dir};

/// Cargo writes this file into each target directory.
const CARGO_MARK: &str = ".rustc_info.json";

/// Runs the command.
pub fn run(args: &CleanArgs) -> Result<ExitCode> {
    let removed = if args.dry_run { "Would remove" } else { "Removed" };
    // `--all-runtimes` needs no workspace.
    let is_in_workspace = || cargo::locate_workspace(args.manifest_path.as_deref());
    if !args.all_runtimes || args.manifest_path.is_some() || is_in_workspace().is_ok() {
        is_in_workspace()?;
        let dir = target_dir(args.manifest_path.as_deref(), args.target_dir.as_deref())?;
        remove_builds(&dir, args.dry_run, removed)?;
    }
    let age = if args.all_runtimes { Age::Any } else { Age::Unused };
    for (path, disk_use) in old_builds::remove(age, args.dry_run)? {
        print(removed, &path, disk_use);
    }
    Ok(ExitCode::Clean)
}

/// Removes the directory for builds of the workspace's tests.
fn remove_builds(dir: &Utf8Path, dry_run: bool, removed: &str) -> Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    if !dir.join(CARGO_MARK).exists() {
        bail!("`{dir}` has no `{CARGO_MARK}`, so cargo never built there; remove it by hand");
    }
    if SessionDir::is_in_use(dir) {
        bail!("a `cargo tracemalloc` is running in `{dir}`; try again when it has ended");
    }
    let disk_use = DiskUse::of(dir);
    if !dry_run {
        fs_err::remove_dir_all(dir)?;
    }
    print(removed, shorten(dir), disk_use);
    Ok(())
}

fn print(removed: &str, path: &Utf8Path, disk_use: DiskUse) {
    let files = text::line::count(disk_use.files, "file");
    let size = text::growth::size(disk_use.bytes);
    terminal::status(removed, format_args!("`{path}` ({files}, {size})"));
}
