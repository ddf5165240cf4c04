//! `tracemalloc.toml`: each text is a configuration, or has an error.
//!
//! The command is a program and no library, so this crate compiles its rooms once more.

use std::fs;
use std::sync::LazyLock;

use camino::Utf8PathBuf;

use crate::config::Config;
use crate::scratch;

/// A workspace.
static ROOT: LazyLock<Utf8PathBuf> = LazyLock::new(|| {
    let root = Utf8PathBuf::try_from(scratch::directory()).expect("a UTF-8 path");
    fs::write(root.join("Cargo.toml"), "[workspace]\n").expect("a manifest is written");
    root
});

/// Reads one configuration.
pub fn check(bytes: &[u8]) {
    read(bytes).unwrap_or_else(|error| assert!(!error.is_empty()));
}

/// Reads a file with these bytes.
///
/// # Errors
///
/// The text of the error, if the file is no configuration.
pub fn read(bytes: &[u8]) -> Result<(), String> {
    fs::write(ROOT.join("tracemalloc.toml"), bytes).expect("a file is written");
    Config::find(&ROOT).map(drop).map_err(|error| error.to_string())
}

/// The examples of the page.
pub fn seeds() -> Vec<Vec<u8>> {
    let page = include_str!("../../../docs/configuration.md");
    let after = page.split("```toml\n").skip(1);
    after.filter_map(|text| text.split("```").next()).map(|text| text.as_bytes().to_vec()).collect()
}
