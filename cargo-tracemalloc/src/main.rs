//! `cargo tracemalloc`: says of every test of a workspace whether it leaks.

#![forbid(unsafe_code)]

mod cargo;
mod cli;
mod commands;
mod context;
mod exit_code;
mod inject;
mod interrupt;
mod private_env;
mod process;
mod render;
mod report;
mod rustc;
mod session;
mod term;
mod wrapper;

use std::process::ExitCode;

use crate::cli::Command;

fn main() -> ExitCode {
    if let Some(call) = wrapper::Call::from_env() {
        return wrapper::run(&call).unwrap_or_else(|error| {
            term::error(&error);
            ExitCode::FAILURE
        });
    }
    let result = match cli::parse() {
        Command::Test(args) => commands::test::run(&args),
    };
    match result {
        Ok(code) => code.into(),
        Err(error) => {
            term::error(&error);
            exit_code::of_error(&error).into()
        }
    }
}
