//! Reads a report file, and explains why a file is none.

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use fs_err as fs;
use serde_json::Value;

use crate::report::document::{Report, SCHEMA};
use crate::util::file_kind::FileKind;

/// Reads a report of this program's schema.
pub fn read(path: &Utf8Path) -> Result<Report> {
    FileKind::expect(&[FileKind::Report], path.as_std_path())?;
    let content = fs::read(path)?;
    let document: Value = serde_json::from_slice(&content).with_context(|| {
        format!(
            "failed to read `{path}` as a report; expected the JSON file that `cargo tracemalloc \
             test` or `cargo tracemalloc nextest run` writes"
        )
    })?;
    let Some(schema) = document.get("schema").and_then(Value::as_u64) else {
        bail!("`{path}` is no report of `cargo tracemalloc test`: it has no number `schema`");
    };
    let writer = document.get("tool_version").and_then(Value::as_str).unwrap_or("unknown");
    if schema < u64::from(SCHEMA) {
        bail!(
            "`{path}` has schema {schema} (written by cargo-tracemalloc {writer}), and this \
             version reads schema {SCHEMA}; run the tests again with this version"
        );
    }
    if schema > u64::from(SCHEMA) {
        bail!(
            "`{path}` has schema {schema} (written by cargo-tracemalloc {writer}), and this \
             version reads schema {SCHEMA}; update cargo-tracemalloc here"
        );
    }
    // The text and not the value, so that the error has a line.
    serde_json::from_slice(&content).with_context(|| {
        format!("failed to read `{path}`: it is no valid report of schema {SCHEMA}")
    })
}
