//! One rule that makes absolute file names short.

use std::path::MAIN_SEPARATOR;

use crate::names::origin;

/// A directory, and the text that stands for it in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "_wire", derive(nanoserde::SerBin, nanoserde::DeBin))]
pub struct Prefix {
    /// An absolute directory, without a slash at the end.
    pub prefix: String,
    /// Its replacement: empty for the workspace's root, `serde_json-1.0.154` for a dependency.
    pub replacement: String,
}

impl Prefix {
    /// The short name of a file, by the first prefix that fits: `src/lib.rs` inside the workspace,
    /// `serde_json-1.0.154/src/de.rs` in a dependency. A file of the standard library is
    /// `std/src/io/mod.rs` without any prefix. Other names stay as they are.
    pub fn shorten(file: &str, prefixes: &[Self]) -> String {
        if let Some(inside) = origin::inside_std(file) {
            return inside.to_owned();
        }
        for Self { prefix, replacement } in prefixes {
            let Some(rest) = file.strip_prefix(prefix.as_str()) else { continue };
            let Some(rest) = rest.strip_prefix(['/', MAIN_SEPARATOR]) else { continue };
            let rest = rest.trim_start_matches("./");
            return if replacement.is_empty() {
                rest.to_owned()
            } else {
                format!("{replacement}/{rest}")
            };
        }
        file.to_owned()
    }
}
