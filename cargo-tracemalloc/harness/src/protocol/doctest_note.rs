//! The doctests in a binary that rustdoc has compiled.
//!
//! rustdoc compiles the doctests of edition 2024 into one binary, which runs each in a process of
//! its own, by number. All others are a binary each.

use std::collections::BTreeMap;

use tracemalloc::internal::{WireValue, wire};

/// The crate of doctests in reports. rustdoc has several names for it.
pub const DOCTEST_CRATE: &str = "doctest";

/// The doctests, and the source files that rustdoc has made their code of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DoctestNote {
    /// The name of the directory for their entries, inside the session's directory for fragments.
    pub fragments: String,
    /// Their names, as rustdoc prints them: `src/lib.rs - Cache (line 12)`.
    pub names: Vec<String>,
    /// Whether the binary runs each of them in a process of its own.
    pub is_merged: bool,
    /// Whether rustdoc has put a function around the code, inside its own `main`.
    pub is_wrapped: bool,
    /// The name, or its end, of the file that the compiler knows the code by.
    pub generated: String,
    /// The lines of that file that come from the user's files.
    pub parts: Vec<SourcePart>,
    /// Environment variables that rustdoc got, with the values that doctests must see. `None` means
    /// unset.
    pub restore_env: BTreeMap<String, Option<String>>,
}

/// Lines of the generated file that are lines of a source file, in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePart {
    /// The first line in the generated file, from 1.
    pub first: u32,
    /// The number of lines.
    pub lines: u32,
    /// The source file.
    pub file: String,
    /// The first line in it, from 1.
    pub line: u32,
}

wire!(struct DoctestNote {
    fragments, names, is_merged, is_wrapped, generated, parts, restore_env,
});

wire!(struct SourcePart { first, lines, file, line });

impl DoctestNote {
    /// The place in the source of a line of the generated file. A line that rustdoc has added
    /// counts as the last one before it, because it mostly ends a block.
    pub fn place(&self, line: u32) -> Option<(&str, u32)> {
        let before = self.parts.iter().rfind(|part| part.first <= line);
        let part = before.or(self.parts.first())?;
        let offset = line.saturating_sub(part.first).min(part.lines - 1);
        Some((&part.file, part.line + offset))
    }
}

#[cfg(test)]
mod tests {
    use super::{DoctestNote, SourcePart};

    #[test]
    fn added_lines_count_as_the_line_before_them() {
        let part = |first, lines, line| SourcePart { first, lines, file: "a.rs".to_owned(), line };
        let note =
            DoctestNote { parts: vec![part(3, 2, 10), part(7, 1, 20)], ..Default::default() };
        let places = [1, 3, 4, 5, 7, 8].map(|line| note.place(line).map(|(_, line)| line));
        assert_eq!(places, [10, 10, 11, 11, 20, 20].map(Some));
    }
}
