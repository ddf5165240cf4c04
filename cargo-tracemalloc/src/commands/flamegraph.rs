//! `cargo tracemalloc flamegraph`: draws a snapshot or a report.

use anyhow::{Result, bail};

use crate::cli::FlamegraphArgs;
use crate::output::{self, exports::flamegraph};
use crate::profile::Profile;
use crate::util::exit_code::ExitCode;
use crate::util::terminal;

/// Runs the command.
pub fn run(args: &FlamegraphArgs) -> Result<ExitCode> {
    let profile = Profile::read(&args.file, &args.filter)?;
    let old = args.against.as_deref().map(|old| Profile::read(old, &args.filter)).transpose()?;
    if profile.stacks.is_empty() {
        bail!("{:?} has no memory to draw", args.file);
    }
    output::write(&args.output, &flamegraph::render(&profile, old.as_ref(), args.unit)?)?;
    if args.output != output::STDOUT {
        terminal::status("Flamegraph", &args.output);
    }
    Ok(ExitCode::Clean)
}
