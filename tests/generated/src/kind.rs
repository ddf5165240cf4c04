//! The kinds of cores and wrappings: one for each file below `cores/` and `wrappings/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::template::Template;

/// The directories of cores. The first three leak.
///
/// - `plain`: every run leaks, by the same lines.
/// - `moving`: every run leaks, by lines that change, under initialisers, or with pauses of a line.
/// - `pausing`: there are runs that keep nothing at all.
/// - `clean`: the live memory is bounded, however often the body runs.
pub const FAMILIES: [&str; 4] = ["plain", "moving", "pausing", "clean"];

/// The only family that does not leak.
pub const CLEAN: &str = "clean";

/// A kind of core or wrapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// Its family, or `wrappings`.
    pub family: String,
    /// The name of its file, without `.rs`.
    pub name: String,
    /// The content of the file.
    pub template: Template,
}

impl Kind {
    /// Whether its tests leak.
    pub fn leaks(&self) -> bool {
        self.family != CLEAN
    }
}

/// This package's own directory.
pub fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All kinds of cores, by family and name.
pub fn all() -> Result<Vec<Kind>, String> {
    let mut kinds = Vec::new();
    for family in FAMILIES {
        kinds.extend(read(&home().join("cores").join(family), family)?);
    }
    Ok(kinds)
}

/// All wrappings, by name.
pub fn wrappings() -> Result<Vec<Kind>, String> {
    read(&home().join("wrappings"), "wrappings")
}

fn read(directory: &Path, family: &str) -> Result<Vec<Kind>, String> {
    let failed = |error| format!("failed to read {}: {error}", directory.display());
    let mut kinds = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".rs"))
        else {
            continue;
        };
        let (family, name) = (family.to_owned(), name.to_owned());
        kinds.push(Kind { family, name, template: Template::read(&path)? });
    }
    kinds.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_family_and_says_why_it_leaks_or_is_clean() {
        let kinds = all().expect("they can be read");
        for kind in &kinds {
            let same = kinds.iter().filter(|other| other.name == kind.name).count();
            assert_eq!(same, 1, "{} is there twice", kind.name);
            let says = if kind.leaks() { "A leak: " } else { "Clean: " };
            let documentation = &kind.template.documentation;
            assert!(documentation.iter().any(|line| line.starts_with(says)), "{}", kind.name);
            let says_when = kind.template.code.contains("pub const FULL_AFTER: usize");
            assert_eq!(says_when, !kind.leaks(), "{}", kind.name);
        }
    }
}
