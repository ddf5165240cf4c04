//! The output to the terminal: status lines, warnings, errors and colours.

use std::fmt::Display;
use std::io::Write as _;

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// For good results, and for status words like cargo's.
pub const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
/// For errors and leaks.
pub const BAD: Style = AnsiColor::BrightRed.on_default().bold();
/// For warnings and notes.
pub const NOTE: Style = AnsiColor::BrightYellow.on_default().bold();
/// For details.
pub const DIM: Style = Style::new().dimmed();
/// For titles.
pub const BOLD: Style = Style::new().bold();

/// Coloring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Sets the use of colours for all later output. Without a choice, it stays.
pub fn set_color(color: Option<Color>) {
    let Some(color) = color else { return };
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Prints a status line to stderr: `   Preparing tracemalloc runtime ...`.
pub fn status(word: &str, text: impl Display) {
    print_stderr(status_line(word, text));
}

/// A status line as text, which another process may print to the same stderr.
pub fn status_line(word: &str, text: impl Display) -> String {
    let line = format!("{GOOD}{word:>12}{GOOD:#} {}", escaped_line(&text.to_string()));
    match anstream::AutoStream::choice(&std::io::stderr()) {
        ColorChoice::Never => anstream::adapter::strip_str(&line).to_string(),
        _ => line,
    }
}

/// Prints `warning: ...` to stderr.
pub fn warning(text: impl Display) {
    let text = message(text);
    print_stderr(format_args!("{NOTE}warning{NOTE:#}{BOLD}:{BOLD:#} {text}"));
}

/// Prints `error: ...` with its causes to stderr.
pub fn error(error: &anyhow::Error) {
    print_stderr(format_args!("{BAD}error{BAD:#}{BOLD}:{BOLD:#} {}", message(error)));
    for cause in error.chain().skip(1) {
        print_stderr(format_args!("  caused by: {}", message(cause)));
    }
}

/// The text of a message, which may name files and patterns of any form. Control characters are
/// escaped, and further lines are indented, so that none of them looks like a message of its own.
fn message(text: impl Display) -> String {
    escaped(&text.to_string()).replace('\n', "\n  ")
}

/// The text of a test, such as its panic's message, with escaped control characters. It must not
/// control the terminal. Tabs and ends of lines stay.
pub fn escaped(text: &str) -> String {
    escape(text, |character| matches!(character, '\t' | '\n'))
}

/// The same for a text that stays in its line. Tabs stay.
pub fn escaped_line(text: &str) -> String {
    escape(text, |character| character == '\t')
}

fn escape(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_control(character) && !stays(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Whether a character moves the cursor, or changes the order of those around it.
pub fn is_control(character: char) -> bool {
    let reorders = matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(character, '\u{2028}' | '\u{2029}');
    character.is_control() || reorders || ends_line
}

/// Prints several lines to stderr.
pub fn print(text: &str) {
    let _closed = anstream::stderr().write_all(text.as_bytes());
}

/// Prints one line to stderr. A closed stderr is no error.
fn print_stderr(text: impl Display) {
    let _closed = writeln!(anstream::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_of_a_message_reaches_the_terminal() {
        let controls: String =
            (0..=0x2069).filter_map(char::from_u32).filter(|c| is_control(*c)).collect();
        let evil = format!("a{controls}\nerror: forged");
        for text in [message(&evil), status_line("Word", &evil), escaped_line(&evil)] {
            let left = anstream::adapter::strip_str(&text).to_string();
            let control = left.chars().find(|c| is_control(*c) && !"\n\t".contains(*c));
            assert_eq!(control, None, "{left:?}");
            assert!(!left.contains("\nerror"), "{left:?}");
        }
        assert_eq!(message("one\n\ttwo"), "one\n  \ttwo");
    }
}
