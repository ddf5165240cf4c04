//! `cargo tracemalloc export`: writes a snapshot or a report in the format of another tool.

use std::io::{IsTerminal as _, stdout};

use anyhow::Result;

use crate::cli::{ExportArgs, ExportFormat};
use crate::output::{self, exports};
use crate::profile::Profile;
use crate::util::exit_code::{ExitCode, UsageError};

/// Runs the command.
pub fn run(args: &ExportArgs) -> Result<ExitCode> {
    if args.format == ExportFormat::Pprof && args.output == output::STDOUT && stdout().is_terminal()
    {
        let error = "a profile of pprof is binary, and stdout is a terminal; add `-o heap.pb.gz`";
        return Err(UsageError(error.to_owned()).into());
    }
    let profile = Profile::read(&args.file, &args.filter)?;
    output::write(&args.output, &exports::render(&profile, args.format)?)?;
    Ok(ExitCode::Clean)
}
