//! A report for people: control characters in its texts are escaped.
//!
//! Names, source lines, reasons and messages come from the tests and from files. None of them must
//! command the terminal, or begin a line of its own. This is the only place that sees to it, for
//! all renderers but JSON, which has escapes of its own.

use std::borrow::Cow;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::report::document::Report;
use crate::util::terminal;

impl Report {
    /// The same report with escaped texts.
    pub fn displayed(&self) -> Result<Cow<'_, Self>> {
        displayed(self)
    }
}

/// The same document with escaped texts.
pub fn displayed<T: Clone + Serialize + DeserializeOwned>(document: &T) -> Result<Cow<'_, T>> {
    let mut value = serde_json::to_value(document).context("failed to read a document again")?;
    if !escape(&mut value) {
        return Ok(Cow::Borrowed(document));
    }
    Ok(Cow::Owned(serde_json::from_value(value).context("failed to escape a document")?))
}

/// Escapes all texts of a value. Returns whether one has changed.
fn escape(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let escaped = terminal::escaped_line(text);
            let is_changed = escaped != *text;
            *text = escaped;
            is_changed
        }
        Value::Array(items) => items.iter_mut().fold(false, |changed, item| escape(item) | changed),
        Value::Object(fields) => {
            fields.values_mut().fold(false, |changed, field| escape(field) | changed)
        }
        _ => false,
    }
}
