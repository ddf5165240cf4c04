//! What the terminal is told: status lines like cargo's, warnings, errors; and whether in colour.

use std::fmt::Display;
use std::io::Write as _;

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// Cargo's style of status words, and of what is well.
pub const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
/// What is bad: errors, leaks.
pub const BAD: Style = AnsiColor::BrightRed.on_default().bold();
/// What deserves a look.
pub const NOTE: Style = AnsiColor::BrightYellow.on_default().bold();
/// What matters less.
pub const DIM: Style = Style::new().dimmed();
/// Titles.
pub const BOLD: Style = Style::new().bold();

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// When it goes to a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Sets the colour choice for everything that is printed from now on.
pub fn set_color(color: Color) {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// `   Preparing tracemalloc runtime ...`, on stderr.
pub fn status(word: &str, text: impl Display) {
    print_stderr(format_args!("{GOOD}{word:>12}{GOOD:#} {text}"));
}

/// `warning: ...`, on stderr.
pub fn warning(text: impl Display) {
    print_stderr(format_args!("{NOTE}warning{NOTE:#}{BOLD}:{BOLD:#} {text}"));
}

/// `error: ...` with its causes, on stderr.
pub fn error(error: &anyhow::Error) {
    print_stderr(format_args!("{BAD}error{BAD:#}{BOLD}:{BOLD:#} {error}"));
    for cause in error.chain().skip(1) {
        print_stderr(format_args!("  caused by: {cause}"));
    }
}

/// Several lines on stderr.
pub fn print(text: &str) {
    let _closed = anstream::stderr().write_all(text.as_bytes());
}

/// One line on stderr. A closed stderr is no reason to fail.
fn print_stderr(text: impl Display) {
    let _closed = writeln!(anstream::stderr(), "{text}");
}
