//! The names of a doctest's code in the user's words.
//!
//! rustdoc copies a doctest into a file of its own, inside functions of its own. So frames name
//! that file and those functions. Reports name the source file, and `doctest::main`.

use tracemalloc::internal::function_name;

use crate::protocol::doctest_note::{DOCTEST_CRATE, DoctestNote};
use crate::protocol::test_entry::FrameEntry;

/// rustdoc's name for the crate of a single doctest, and of the `main` of merged ones.
const CRATE: &str = "rust_out";
/// rustdoc's own `main`, of a single doctest without one.
const OWN_MAIN: &str = "rust_out::main";
/// The start of rustdoc's name for the crate of merged doctests.
const MERGED_CRATE: &str = "doctest_bundle_";
/// The start of the name of the module of a merged doctest.
const MERGED_MODULE: &str = "__doctest_";
/// The function that calls the `main` of a merged doctest.
const MERGED_MAIN: &str = "__main_fn";
/// The start of the name of the function that rustdoc puts around code without a `main`.
const BODY: &str = "_doctest_main_";
/// The function that ends a traceback.
const OUTERMOST: &str = "std::sys::backtrace::__rust_begin_short_backtrace";

/// A frame as the user knows it.
pub fn in_source(note: &DoctestNote, mut frame: FrameEntry) -> FrameEntry {
    let crate_name = function_name::crate_name(&frame.function).unwrap_or_default();
    let is_merged = crate_name.starts_with(MERGED_CRATE);
    let is_outside = match note.is_merged {
        true => crate_name == CRATE || is_merged && frame.function.ends_with(MERGED_MAIN),
        false => note.is_wrapped && frame.function == OWN_MAIN,
    };
    if is_outside {
        return FrameEntry {
            function: OUTERMOST.to_owned(),
            file: String::new(),
            line: 0,
            column: 0,
        };
    }
    if (is_merged || crate_name == CRATE) && frame.file.ends_with(&note.generated) {
        if let Some((file, line)) = note.place(frame.line) {
            (frame.file, frame.line) = (file.to_owned(), line);
        }
    }
    frame.function = in_words(&frame.function);
    frame
}

/// A name without the names that rustdoc gives to the code around a doctest.
pub fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    let mut rest = name;
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()));
        match word {
            _ if word == CRATE || word.starts_with(MERGED_CRATE) => words.push_str(DOCTEST_CRATE),
            _ if word.starts_with(MERGED_MODULE) || word.starts_with(BODY) => {
                words.truncate(words.trim_end_matches("::").len());
            }
            _ => words.push_str(word),
        }
        let next = after.find(is_of_word).unwrap_or(after.len());
        words.push_str(&after[..next]);
        rest = &after[next..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::doctest_note::SourcePart;

    #[test]
    fn names_are_without_rustdoc_s() {
        for (name, words) in [
            ("rust_out::main::_doctest_main_src_lib_rs_14_0", "doctest::main"),
            (
                "<rust_out::main::_doctest_main_a_rs_1_0::Node as X>::y",
                "<doctest::main::Node as X>::y",
            ),
            ("doctest_bundle_2024::__doctest_3::main::{closure#0}", "doctest::main::{closure#0}"),
            ("demo::rust_outer::<rust_out::Node>", "demo::rust_outer::<doctest::Node>"),
        ] {
            assert_eq!(in_words(name), words);
        }
    }

    #[test]
    fn frames_are_those_of_the_source() {
        let part = SourcePart { first: 4, lines: 2, file: "src/lib.rs".to_owned(), line: 40 };
        let note = DoctestNote {
            is_merged: true,
            generated: "doctest_bundle_2024.rs".to_owned(),
            parts: vec![part],
            ..DoctestNote::default()
        };
        let frame = |function: &str, file: &str, line| {
            let (function, file) = (function.to_owned(), file.to_owned());
            in_source(&note, FrameEntry { function, file, line, column: 1 })
        };
        let bundle = "/tmp/x/doctest_bundle_2024.rs";
        let of_test = frame("doctest_bundle_2024::__doctest_0::main", bundle, 5);
        assert_eq!(
            (of_test.function.as_str(), of_test.file.as_str()),
            ("doctest::main", "src/lib.rs")
        );
        assert_eq!(of_test.line, 41);
        assert_eq!(frame("demo::f", "/x/src/lib.rs", 5).line, 5);
        for outside in ["rust_out::main", "doctest_bundle_2024::__doctest_0::__main_fn"] {
            assert_eq!(frame(outside, bundle, 5).function, OUTERMOST);
        }
        let own_main = FrameEntry { function: OWN_MAIN.to_owned(), ..frame("x::y", "lib.rs", 1) };
        let single = DoctestNote { is_wrapped: true, ..DoctestNote::default() };
        assert_eq!(in_source(&single, own_main.clone()).function, OUTERMOST);
        assert_eq!(in_source(&DoctestNote::default(), own_main).function, "doctest::main");
    }
}
