//! `cargo tracemalloc`: a leak verdict for every test of a workspace, and statistics of memory
//! snapshots.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod front;
mod name_server;
mod output;
mod profile;
mod report;
mod runtimes;
mod snapshot;
mod suite;
mod util;
mod workspace;
mod wrapper;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Command;
use crate::util::{exit_code, terminal};

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if name_server::files::is_requested() {
        return code_of(name_server::files::answer_stdin(), |_| ExitCode::FAILURE);
    }
    if let Some(list) = front::list_from_env() {
        return code_of(front::main(&list), |_| exit_code::ExitCode::TestFailed.into());
    }
    if let Some(call) = wrapper::Call::from_env() {
        return code_of(wrapper::run(&call), |_| ExitCode::FAILURE);
    }
    let command = cli::parse();
    terminal::set_color(workspace::color());
    code_of(run(&command), |error| exit_code::of_error(error).into())
}

fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Test(args) => commands::test::run(args).map(ExitCode::from),
        Command::Nextest(args) => commands::nextest::run(args).map(ExitCode::from),
        Command::Report(args) => commands::report::run(args).map(ExitCode::from),
        Command::Bisect(args) => commands::bisect::run(args).map(ExitCode::from),
        Command::ShowEnv(args) => commands::show_env::run(args).map(ExitCode::from),
        Command::Config(args) => commands::config::run(args).map(ExitCode::from),
        Command::Run(args) => commands::run::run(args),
        Command::Top(args) => commands::top::run(args).map(ExitCode::from),
        Command::Diff(args) => commands::diff::run(args).map(ExitCode::from),
        Command::Show(args) => commands::show::run(args).map(ExitCode::from),
        Command::Flamegraph(args) => commands::flamegraph::run(args).map(ExitCode::from),
        Command::Export(args) => commands::export::run(args).map(ExitCode::from),
        Command::Holders(args) => commands::holders::run(args).map(ExitCode::from),
        Command::Clean(args) => commands::clean::run(args).map(ExitCode::from),
        Command::Completions(args) => commands::completions::run(args).map(ExitCode::from),
        Command::Man(args) => commands::man::run(args).map(ExitCode::from),
    }
}

/// Prints the error of a failed process. No other place prints errors.
fn code_of(
    result: Result<ExitCode>,
    of_error: impl FnOnce(&anyhow::Error) -> ExitCode,
) -> ExitCode {
    result.unwrap_or_else(|error| {
        terminal::error(&error);
        of_error(&error)
    })
}
