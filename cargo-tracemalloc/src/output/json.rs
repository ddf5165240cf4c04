//! JSON documents: the report, and the results of snapshot commands.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

use crate::util::terminal;

/// Indented JSON with a line feed at the end.
///
/// JSON escapes the control characters of ASCII only. Terminals obey others too, and they occur in
/// nothing but strings, so they get JSON's escapes.
pub fn render(document: &impl Serialize) -> Result<String> {
    let json = serde_json::to_string_pretty(document)?;
    let is_escaped = |character: char| !character.is_ascii() && terminal::is_control(character);
    let mut escaped = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        if is_escaped(character) {
            write!(escaped, "\\u{:04x}", u32::from(character))?;
        } else {
            escaped.push(character);
        }
    }
    escaped.push('\n');
    Ok(escaped)
}
