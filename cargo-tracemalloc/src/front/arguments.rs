//! The command line of a test binary: all of libtest's options, for cargo, nextest, editors and
//! people.

use std::ffi::OsString;

use anyhow::{Result, bail};
use clap::{ArgAction, Parser, ValueEnum};
use libtest_mimic::{ColorSetting, FormatSetting};
use tracemalloc_harness::{FAILED, ListedTest};

/// Options of a test binary.
#[derive(Parser, Debug, Clone, Default)]
#[command(
    override_usage = "[OPTIONS] [FILTERS...]",
    disable_version_flag = true,
    after_help = "Built by `cargo tracemalloc test`: each test runs in a process of its own, under tracing.\nRUST_TEST_THREADS \
                  and RUST_TEST_NOCAPTURE are read as by libtest."
)]
pub struct Arguments {
    /// Run ignored tests too
    #[arg(long)]
    pub include_ignored: bool,
    /// Run only ignored tests
    #[arg(long)]
    pub ignored: bool,
    /// Run tests and not benchmarks
    #[arg(long, conflicts_with = "bench")]
    pub test: bool,
    /// Run benchmarks, once each, instead of tests
    #[arg(long)]
    pub bench: bool,
    /// List all tests and benchmarks
    #[arg(long)]
    pub list: bool,
    /// Write the results to a file instead of stdout
    #[arg(long, value_name = "PATH")]
    pub logfile: Option<String>,
    /// Do not capture the output of tests
    #[arg(long, alias = "no-capture")]
    pub nocapture: bool,
    /// Number of tests that run in parallel
    #[arg(long, value_name = "N")]
    pub test_threads: Option<usize>,
    /// Skip tests whose names contain FILTER (repeatable)
    #[arg(long, value_name = "FILTER")]
    pub skip: Vec<String>,
    /// Print one character per test instead of one line
    #[arg(short, long, conflicts_with = "format")]
    pub quiet: bool,
    /// Match filters against whole names
    #[arg(long)]
    pub exact: bool,
    /// auto, always or never
    #[arg(long, value_name = "WHEN")]
    pub color: Option<Color>,
    /// pretty, terse, json or junit
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Show the output of passing tests
    #[arg(long)]
    pub show_output: bool,
    /// Run the tests in random order
    #[arg(long)]
    pub shuffle: bool,
    /// Run the tests in a random order that depends on the seed
    #[arg(long, value_name = "SEED")]
    pub shuffle_seed: Option<u64>,
    /// Accepted and ignored: libtest prints the time of each test
    #[arg(long, num_args = 0..=1, require_equals = true, hide = true)]
    pub report_time: Option<Option<String>>,
    /// Accepted and ignored, like in libtest
    #[arg(long, hide = true)]
    pub ensure_time: bool,
    /// Accepted and ignored: each test has a process of its own
    #[arg(long, hide = true)]
    pub force_run_in_process: bool,
    /// Skip tests marked `#[should_panic]`
    #[arg(long, hide = true)]
    pub exclude_should_panic: bool,
    /// Accepted and ignored: `unstable-options`
    #[arg(short = 'Z', action = ArgAction::Append, hide = true)]
    pub unstable: Vec<String>,
    /// Run only tests whose names contain one of these
    pub filters: Vec<String>,
}

/// A file that keeps nothing.
const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// The request of a command line.
#[derive(Debug)]
pub enum Request {
    /// Run or list tests.
    Run(Box<Arguments>),
    /// Exit with this code, because clap has printed help or an error.
    Exit(i32),
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Pretty,
    Terse,
    Json,
    Junit,
}

impl Arguments {
    /// Parses the arguments of a test binary. clap prints help, and errors of the command line.
    ///
    /// # Errors
    ///
    /// When a number of threads is wrong.
    pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Request> {
        let mut parsed = match <Self as Parser>::try_parse_from(arguments) {
            Ok(parsed) => parsed,
            Err(error) => {
                // A closed stdout or stderr is no error.
                let _closed = error.print();
                return Ok(Request::Exit(if error.use_stderr() { FAILED } else { 0 }));
            }
        };
        if parsed.test_threads.is_none()
            && let Ok(threads) = std::env::var("RUST_TEST_THREADS")
        {
            match threads.parse() {
                Ok(threads) if threads > 0 => parsed.test_threads = Some(threads),
                _ => bail!("RUST_TEST_THREADS is `{threads}`, should be a positive integer"),
            }
        }
        if parsed.test_threads == Some(0) {
            bail!("argument for --test-threads must not be 0");
        }
        parsed.nocapture |= is_set("RUST_TEST_NOCAPTURE");
        parsed.shuffle |= is_set("RUST_TEST_SHUFFLE");
        Ok(Request::Run(Box::new(parsed)))
    }

    /// Whether the filters and `--skip` select a test.
    pub fn selects(&self, name: &str) -> bool {
        let matches = |filter: &String| {
            if self.exact { name == filter } else { name.contains(filter.as_str()) }
        };
        (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skip.iter().any(matches)
    }

    /// Whether a test is left out because it is marked `#[ignore]`.
    pub fn ignores(&self, test: &ListedTest) -> bool {
        test.ignored && !self.ignored && !self.include_ignored
    }

    /// Whether libtest-mimic runs a test.
    pub fn runs(&self, test: &ListedTest) -> bool {
        let is_other_kind = if test.is_bench { self.test } else { self.bench };
        let is_left_out = self.ignored && !test.ignored;
        self.selects(&test.name) && !self.ignores(test) && !is_other_kind && !is_left_out
    }

    /// Whether the results are JUnit XML.
    pub fn is_junit(&self) -> bool {
        self.format == Some(Format::Junit) && !self.list
    }

    /// The seed, if a random order is requested.
    pub fn seed(&self) -> Option<u64> {
        self.shuffle_seed.or_else(|| self.shuffle.then(seed_of_now))
    }

    /// The arguments for libtest-mimic. It takes one filter at most, so it gets the names of all
    /// tests to skip.
    pub fn for_libtest_mimic(&self, left_out: Vec<String>) -> libtest_mimic::Arguments {
        libtest_mimic::Arguments {
            include_ignored: self.include_ignored,
            ignored: self.ignored,
            test: self.test,
            bench: self.bench,
            list: self.list,
            nocapture: self.nocapture,
            show_output: self.show_output,
            exact: true,
            // Not for lists: there, `quiet` changes the format.
            quiet: self.quiet,
            test_threads: self.test_threads,
            // libtest-mimic cannot print the format, so it prints nothing.
            logfile: if self.is_junit() { Some(NOWHERE.to_owned()) } else { self.logfile.clone() },
            skip: left_out,
            color: self.color.map(|color| match color {
                Color::Auto => ColorSetting::Auto,
                Color::Always => ColorSetting::Always,
                Color::Never => ColorSetting::Never,
            }),
            format: self.format.map(|format| match format {
                Format::Pretty | Format::Junit => FormatSetting::Pretty,
                Format::Terse => FormatSetting::Terse,
                Format::Json => FormatSetting::Json,
            }),
            ..libtest_mimic::Arguments::default()
        }
    }
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value != "0")
}

fn seed_of_now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Arguments {
        <Arguments as Parser>::try_parse_from(std::iter::once(&"test").chain(arguments))
            .expect("valid")
    }

    #[test]
    fn several_filters_are_alternatives_and_skip_wins() {
        let arguments = parse(&["cache", "store", "--skip", "slow"]);
        assert!(arguments.selects("cache::fills"));
        assert!(arguments.selects("a::store"));
        assert!(!arguments.selects("other"));
        assert!(!arguments.selects("cache::slow"));
    }

    #[test]
    fn exact_holds_for_skip_too() {
        let arguments = parse(&["--exact", "a::b", "--skip", "a"]);
        assert!(arguments.selects("a::b"));
        assert!(!arguments.selects("a::bc"));
    }

    #[test]
    fn arguments_of_cargo_nextest_and_editors_are_accepted() {
        parse(&["--list", "--format", "terse", "--ignored"]);
        parse(&["--exact", "a::b", "--nocapture"]);
        parse(&[
            "--no-capture",
            "-Z",
            "unstable-options",
            "--report-time",
            "--shuffle",
            "--shuffle-seed=3",
        ]);
        parse(&["-Zunstable-options", "--format=json", "--show-output", "--test-threads=1"]);
        parse(&["--report-time=colored", "--ensure-time", "-q"]);
    }
}
