//! The error for an option of the tests among the options of cargo. Such options go after `--`.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The options of libtest that cargo does not have.
const OPTIONS: [&str; 13] = [
    "--ensure-time",
    "--exact",
    "--exclude-should-panic",
    "--ignored",
    "--include-ignored",
    "--list",
    "--logfile",
    "--nocapture",
    "--no-capture",
    "--report-time",
    "--show-output",
    "--shuffle",
    "--test-threads",
];

/// The error, without the advice to write another option of cargo.
pub fn explained(
    mut error: clap::Error,
    args: &[OsString],
    mut command: clap::Command,
) -> clap::Error {
    let is_of_tests = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) => OPTIONS.contains(&option.as_str()),
        _ => false,
    };
    let is_test = args.get(1).is_some_and(|subcommand| subcommand == "test");
    if error.kind() == ErrorKind::UnknownArgument && is_of_tests && is_test {
        error.remove(ContextKind::SuggestedArg);
        // Only a built command knows the names of its parents.
        command.build();
        if let Some(test) = command.find_subcommand_mut("test") {
            error.insert(ContextKind::Usage, ContextValue::StyledStr(test.render_usage()));
        }
    }
    error
}
