//! `cargo tracemalloc show-env`: prints the environment for `cargo test` and `cargo nextest run`.

use std::fmt::Write as _;

use anyhow::Result;

use crate::cli::ShowEnvArgs;
use crate::output;
use crate::suite::Suite;
use crate::suite::cargo;
use crate::util::exit_code::{ExitCode, UsageError};
use crate::util::terminal;

/// Runs the command.
pub fn run(args: &ShowEnvArgs) -> Result<ExitCode> {
    args.leaks.baseline.only_read()?;
    if args.leaks.programs {
        return Err(UsageError(
            "`--programs` needs a command that waits for the tests; use `cargo tracemalloc test --programs`".to_owned(),
        )
        .into());
    }
    let suite = Suite::prepare_for_others(&args.cargo_options(), &args.leaks)?;
    let mut text = String::new();
    for (name, value) in cargo::environment_for_others(&suite)? {
        if args.export_prefix {
            writeln!(text, "export {name}={}", shell_words::quote(value.as_str()))?;
        } else {
            writeln!(text, "{name}={value}")?;
        }
    }
    terminal::status(
        "Untraced",
        "doctests, and programs that tests start; `cargo tracemalloc test` traces them",
    );
    output::print_all(&text)?;
    Ok(ExitCode::Clean)
}
