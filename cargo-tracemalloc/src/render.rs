//! Renderings of a report.

pub mod json;
pub mod text;

use std::io::Write as _;

/// Prints on stdout, coloured or not as the terminal wants it. A closed stdout is no reason to fail.
pub fn print(text: &str) {
    let mut stdout = anstream::stdout();
    let _closed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
