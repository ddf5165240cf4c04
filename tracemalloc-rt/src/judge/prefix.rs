//! One rule that makes absolute file names short.

use std::borrow::Cow;
use std::path::{MAIN_SEPARATOR, is_separator};

use crate::names::origin;
#[cfg(feature = "_wire")]
use crate::util::wire::{WireValue, wire};

/// A directory, and the text that stands for it in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// An absolute directory, without a slash at the end.
    pub prefix: String,
    /// Its replacement: empty for the workspace's root, `serde_json-1.0.154` for a dependency.
    pub replacement: String,
}

#[cfg(feature = "_wire")]
wire!(struct Prefix { prefix, replacement });

impl Prefix {
    /// The short name of a file, by the first prefix that fits: `src/lib.rs` inside the workspace,
    /// `serde_json-1.0.154/src/de.rs` in a dependency. A file of the standard library is
    /// `std/src/io/mod.rs` without any prefix. Other names stay as they are.
    pub fn shorten(file: &str, prefixes: &[Self]) -> String {
        let file = &*without_dots(file);
        if let Some(inside) = origin::inside_std(file) {
            return inside.to_owned();
        }
        for Self { prefix, replacement } in prefixes {
            let Some(rest) = file.strip_prefix(prefix.as_str()) else { continue };
            let Some(rest) = rest.strip_prefix(['/', MAIN_SEPARATOR]) else { continue };
            return if replacement.is_empty() {
                rest.to_owned()
            } else {
                format!("{replacement}/{rest}")
            };
        }
        file.to_owned()
    }
}

/// A file's name without `.`, and without each directory that a `..` follows:
/// `src/../tests/shared.rs` is `tests/shared.rs`. A module with `#[path]` is named like that.
fn without_dots(file: &str) -> Cow<'_, str> {
    let is_dot = |part: &str| part == "." || part == "..";
    if !file.split(is_separator).skip(1).any(is_dot) {
        return Cow::Borrowed(file);
    }
    let mut kept: Vec<&str> = Vec::new();
    for (index, part) in file.split(is_separator).enumerate() {
        match (part, kept.last()) {
            (".", _) if index > 0 => {}
            // The root has no parent.
            ("..", Some(&"")) => {}
            ("..", Some(last)) if !is_dot(last) => {
                kept.pop();
            }
            _ => kept.push(part),
        }
    }
    let separator = if file.contains('/') { "/" } else { "\\" };
    Cow::Owned(kept.join(separator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_directory_that_is_left_again() {
        let prefix = |prefix: &str, replacement: &str| Prefix {
            prefix: prefix.to_owned(),
            replacement: replacement.to_owned(),
        };
        let prefixes = [prefix("/w/app", ""), prefix("/w/shared", "../shared")];
        for (file, short) in [
            ("/w/app/src/lib.rs", "src/lib.rs"),
            ("/w/app/./src/./lib.rs", "src/lib.rs"),
            ("/w/app/src/../tests/shared.rs", "tests/shared.rs"),
            ("/w/app/src/deep/../../tests/shared.rs", "tests/shared.rs"),
            ("/w/app/src/../../shared/src/lib.rs", "../shared/src/lib.rs"),
            ("src/../x.rs", "x.rs"),
            ("../x.rs", "../x.rs"),
            ("../a/../../x.rs", "../../x.rs"),
            ("/../x.rs", "/x.rs"),
            ("./nptl/pthread_create.c", "./nptl/pthread_create.c"),
            ("src/..x/.y.rs", "src/..x/.y.rs"),
            ("/rustc/0/library/std/src/../../backtrace/src/lib.rs", "backtrace/src/lib.rs"),
            ("", ""),
        ] {
            assert_eq!(Prefix::shorten(file, &prefixes), short, "{file}");
        }
    }
}
