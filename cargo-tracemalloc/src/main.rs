//! `cargo tracemalloc`: says of every test of a workspace whether it leaks, and what is in
//! snapshots of memory.

#![forbid(unsafe_code)]

mod cargo;
mod cargo_config;
mod cli;
mod commands;
mod config;
mod context;
mod exit_code;
mod front;
mod inject;
mod interrupt;
#[cfg(target_os = "linux")]
mod names;
#[cfg_attr(not(target_os = "linux"), path = "no_names_socket.rs")]
mod names_socket;
mod private_env;
mod process;
mod render;
mod report;
mod rustc;
mod session;
mod settings;
mod statics;
mod suite;
mod term;
mod view;
mod wrapper;

use std::process::ExitCode;

use crate::cli::Command;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if names::is_asked() {
        return names::main();
    }
    if let Some(list) = front::list_from_env() {
        return front::main(&list);
    }
    if let Some(call) = wrapper::Call::from_env() {
        return wrapper::run(&call).unwrap_or_else(|error| {
            term::error(&error);
            ExitCode::FAILURE
        });
    }
    let result = match cli::parse() {
        Command::Test(args) => commands::test::run(&args).map(ExitCode::from),
        Command::Nextest(args) => commands::nextest::run(&args).map(ExitCode::from),
        Command::ShowEnv(args) => commands::show_env::run(&args).map(ExitCode::from),
        Command::Config(args) => commands::config::run(&args).map(ExitCode::from),
        Command::Run(args) => commands::run::run(&args),
        Command::Top(args) => commands::top::run(&args).map(ExitCode::from),
        Command::Diff(args) => commands::diff::run(&args).map(ExitCode::from),
        Command::Show(args) => commands::show::run(&args).map(ExitCode::from),
        Command::Holders => commands::holders::run().map(ExitCode::from),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            term::error(&error);
            exit_code::of_error(&error).into()
        }
    }
}
