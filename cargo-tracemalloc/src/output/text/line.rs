//! Lines and counts.

use std::fmt::Write as _;

/// `1 block`, `2 blocks`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Appends a line.
pub fn line(text: &mut String, content: impl std::fmt::Display) {
    writeln!(text, "{content}").expect("a string takes what is written");
}
