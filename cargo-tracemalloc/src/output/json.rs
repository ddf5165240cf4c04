//! JSON documents: the report, and the results of snapshot commands.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

use crate::util::terminal;

/// Indented JSON with a line feed at the end.
pub fn render(document: &impl Serialize) -> Result<String> {
    Ok(escaped(&(serde_json::to_string_pretty(document)? + "\n")))
}

/// Text with JSON's strings, in which all control characters are escaped.
///
/// JSON escapes those below the space. Terminals obey others too, and they occur in nothing but
/// strings.
pub fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character > '~' && terminal::is_control(character) {
            write!(escaped, "\\u{:04x}", u32::from(character)).expect("a string takes all");
        } else {
            escaped.push(character);
        }
    }
    escaped
}
