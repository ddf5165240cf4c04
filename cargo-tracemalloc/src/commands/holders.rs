//! `cargo tracemalloc holders`: prints the built-in list of known holders, with reasons.

use std::fmt::Write as _;

use anyhow::Result;
use tracemalloc::internal::heap::KNOWN_HOLDERS;

use crate::output;
use crate::util::exit_code::ExitCode;

/// Runs the command.
pub fn run() -> Result<ExitCode> {
    let mut text = String::new();
    for holder in KNOWN_HOLDERS {
        let what = if holder.is_thread { "threads of" } else { "static" };
        let with = holder.only_with.map_or(String::new(), |with| format!(" that share {with}"));
        writeln!(text, "{what} {}{with}\n    {}", holder.pattern, holder.reason)?;
    }
    output::print_all(&text)?;
    Ok(ExitCode::Clean)
}
