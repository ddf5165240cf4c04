//! Options of `cargo tracemalloc nextest`. The command's own options are declared, and may stand
//! anywhere among nextest's.

use std::ffi::OsString;

use clap::{Args, Command, Parser};

use crate::cli::cargo_options::CargoOptions;
use crate::cli::leaks::LeakArgs;
use crate::cli::report::ReportArgs;

const AFTER_HELP: &str = "\
All other options are those of `cargo nextest run`. Its `--exclude` is `--exclude-package` here.

Exit codes:
    0  every test passed, and none leaks
    2  bad usage
  101  a test failed
  102  every test passed, and some leak
  103  the tests could not be built or run, or there were none";

/// The name of the subcommand.
const NAME: &str = "nextest";
/// nextest's options that the command has to know too.
const SHARED: [&str; 30] = [
    "--manifest-path",
    "--target-dir",
    "--target",
    "--features",
    "-F",
    "--all-features",
    "--no-default-features",
    "--config",
    "-Z",
    "--locked",
    "--offline",
    "--frozen",
    "--color",
    "--verbose",
    "-v",
    // The selection of targets, to name those that run untraced.
    "--package",
    "-p",
    "--workspace",
    "--all",
    "--exclude-package",
    "--lib",
    "--bins",
    "--bin",
    "--examples",
    "--example",
    "--tests",
    "--test",
    "--benches",
    "--bench",
    "--all-targets",
];

/// Arguments of `nextest`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[command(override_usage = "cargo tracemalloc nextest run [OPTIONS] [OPTIONS OF NEXTEST]")]
pub struct NextestArgs {
    /// How to measure and judge.
    #[command(flatten)]
    pub leaks: LeakArgs,

    /// The report.
    #[command(flatten)]
    pub report: ReportArgs,

    /// `run`, and nextest's other arguments
    #[arg(last = true, hide = true)]
    pub rest: Vec<String>,
}

/// A parser for cargo's options among nextest's.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Shared {
    #[command(flatten)]
    options: CargoOptions,
}

impl NextestArgs {
    /// Parses cargo's options among nextest's.
    pub fn cargo_options(&self) -> Result<CargoOptions, clap::Error> {
        let (shared, _) =
            split(self.rest.clone(), &Shared::augment_args(Command::new(NAME)), &SHARED);
        Shared::try_parse_from(shared).map(|shared| shared.options)
    }

    /// The arguments for `cargo nextest`, without its target directory.
    pub fn nextest_args(&self) -> Vec<String> {
        let command = Shared::augment_args(Command::new(NAME));
        let (_, args) = split(self.rest.clone(), &command, &["--target-dir"]);
        let mut args: Vec<String> = args;
        let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
        for arg in &mut args[..end] {
            if let Some(value) = arg
                .strip_prefix("--exclude-package")
                .filter(|value| value.is_empty() || value.starts_with('='))
            {
                *arg = format!("--exclude{value}");
            }
        }
        args
    }
}

/// Moves nextest's own options behind a `--`, so that clap can parse the others.
pub fn sorted(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let args: Vec<OsString> = args.collect();
    if args.get(1).is_none_or(|arg| arg != NAME) {
        return args;
    }
    let text = |arg: &OsString| arg.to_string_lossy().into_owned();
    let command = NextestArgs::augment_args(Command::new(NAME));
    let names: Vec<String> =
        command.get_arguments().filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["--help", "-h"]).collect();
    let (ours, rest) = split(args[2..].iter().map(text).collect(), &command, &names);
    let ours = ours.into_iter().map(OsString::from);
    let rest = rest.into_iter().map(OsString::from);
    args[..2].iter().cloned().chain(ours).chain(["--".into()]).chain(rest).collect()
}

/// Splits off the options with these names, with their values, up to a `--`. `command` declares
/// which options have values.
fn split(args: Vec<String>, command: &Command, names: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            left.push(arg);
            break;
        }
        let (name, has_value) = match arg.split_once('=') {
            Some((name, _)) if arg.starts_with("--") => (name, true),
            _ if arg.starts_with("--") || !arg.starts_with('-') => (arg.as_str(), false),
            // `-Fa`, `-vv`.
            _ => arg
                .char_indices()
                .nth(2)
                .map_or((arg.as_str(), false), |(end, _)| (&arg[..end], true)),
        };
        if !names.contains(&name) {
            left.push(arg);
            continue;
        }
        let declared = command.get_arguments().find(|declared| {
            let long =
                declared.get_long().is_some_and(|long| name.strip_prefix("--") == Some(long));
            long || declared
                .get_short()
                .is_some_and(|short| name.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4])))
        });
        let takes_value = declared.is_some_and(|declared| declared.get_action().takes_values());
        // Its value may be missing, and is no name of a test.
        let is_missing = name == "--write-baseline"
            && args.as_slice().first().is_none_or(|next| !next.ends_with(".toml"));
        taken.push(arg);
        if takes_value && !has_value && !is_missing {
            taken.extend(args.next());
        }
    }
    left.extend(args);
    (taken, left)
}
