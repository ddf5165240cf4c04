//! The code that rustdoc makes of doctests: names and lines in it.

use camino::Utf8Path;
use tracemalloc_harness::SourcePart;

/// The start of the name of the function around the code of a single doctest. What follows is its
/// file, its line, and its number among the doctests of that line.
const BODY: &str = "_doctest_main_";
/// The start of the line that opens the module of a merged doctest.
const MODULE: &str = "pub mod __doctest_";
/// The line before the description of a merged doctest.
const DESCRIPTION: &str = "test::TestDescAndFn::new_doctest(";

/// A doctest that rustdoc has merged with others.
#[derive(Debug, PartialEq, Eq)]
pub struct Merged {
    /// Its name.
    pub name: String,
    /// Whether it is only compiled.
    pub no_run: bool,
}

/// The doctests that the source of a runner lists, by number.
pub fn merged(runner: &str) -> Vec<Merged> {
    let mut lines = runner.lines();
    let mut all = Vec::new();
    while lines.by_ref().any(|line| line.contains(DESCRIPTION)) {
        all.extend(lines.next().and_then(description));
    }
    all
}

/// `"src/lib.rs - f (line 2)", false, "src/lib.rs", 2, false, false,`: name, ignored, file, line,
/// only compiled, and panics.
fn description(line: &str) -> Option<Merged> {
    let mut strings = serde_json::Deserializer::from_str(line).into_iter::<String>();
    let name = strings.next()?.ok()?;
    let no_run = line.trim_end().trim_end_matches(',').rsplit(", ").nth(1)? == "true";
    Some(Merged { name, no_run })
}

/// The file and the line in a doctest's name: `src/lib.rs - f (line 2)`.
pub fn place(name: &str) -> Option<(&str, u32)> {
    let (rest, line) = name.rsplit_once("(line ")?;
    let line = line.strip_suffix(')')?.parse().ok()?;
    let (file, _) = rest.split_once(" - ").unwrap_or((rest.trim_end(), ""));
    Some((file, line))
}

/// The name of the doctest with this code, among all names. Its line is known less the number of
/// lines that rustdoc has added before it.
pub fn name_of<'a>(
    code: &str,
    path: &str,
    line: i64,
    names: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let of_file = names.filter_map(|name| {
        let (file, line) = place(name)?;
        (file == path).then_some((name, i64::from(line)))
    });
    let of_file: Vec<(&str, i64)> = of_file.collect();
    let at_line = |line: i64| of_file.iter().filter(move |(_, known)| *known == line);
    let number = match exact(code) {
        Some((line, number)) => (line, number),
        None => {
            let prelude = code.lines().take_while(|line| line.starts_with("#![allow(unused)]"));
            let krate = code.lines().take(8).any(|line| line.starts_with("extern crate r#"));
            let first = line + prelude.count() as i64 + i64::from(krate);
            let lines = of_file.iter().map(|(_, line)| *line);
            (lines.filter(|line| *line >= first).min()?, 0)
        }
    };
    let (line, number) = number;
    let count = at_line(line).count().max(1);
    at_line(line).nth(number % count).map(|(name, _)| *name)
}

/// Whether rustdoc has put the code into a function of its own.
pub fn is_wrapped(code: &str) -> bool {
    exact(code).is_some()
}

/// The line and the number in the name of the function around the code.
fn exact(code: &str) -> Option<(i64, usize)> {
    let (_, id) = code.split_once(BODY)?;
    let end = id.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let (rest, number) = id[..end].rsplit_once('_')?;
    let (_, line) = rest.rsplit_once('_')?;
    Some((line.parse().ok()?, number.parse().ok()?))
}

/// The lines of each module of merged doctests, with the number of the first one.
pub fn modules(bundle: &str) -> Vec<(u32, Vec<&str>)> {
    let mut modules: Vec<(u32, Vec<&str>)> = Vec::new();
    for (line, number) in bundle.lines().zip(1..) {
        if line.starts_with(MODULE) {
            modules.push((number + 1, Vec::new()));
        } else if let Some((_, lines)) = modules.last_mut() {
            lines.push(line);
        }
    }
    modules
}

/// The lines of `code`, the first of which has the number `first`, that are lines of the doctest at
/// this place of the user's file. rustdoc adds lines, removes comment marks, and moves some lines.
pub fn parts<'a>(
    code: impl Iterator<Item = &'a str>,
    first: u32,
    file: &str,
    fence: u32,
) -> Vec<SourcePart> {
    let text = fs_err::read_to_string(Utf8Path::new(file)).unwrap_or_default();
    let mut lines = text.lines().skip(fence.saturating_sub(1) as usize).map(code_of_line);
    if !lines.next().is_some_and(is_fence) {
        // The documentation comes from a macro or from another file, and only this line is known.
        let part =
            |number| SourcePart { first: number, lines: 1, file: file.to_owned(), line: fence };
        return code.zip(first..).map(|(_, number)| part(number)).collect();
    }
    let lines: Vec<&str> = lines.take_while(|line| !is_fence(line)).collect();
    let mut parts: Vec<SourcePart> = Vec::new();
    let mut next = 0;
    for (line, number) in code.zip(first..) {
        let line = line.trim();
        let is_line = |known: &&str| {
            let rest = known.strip_prefix(line);
            // Some comments are left out.
            rest.is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with("//"))
        };
        let Some(found) = lines[next..].iter().position(is_line).filter(|_| !line.is_empty())
        else {
            continue;
        };
        let source = fence + 1 + (next + found) as u32;
        next += found + 1;
        match parts.last_mut() {
            Some(part) if part.first + part.lines == number && part.line + part.lines == source => {
                part.lines += 1;
            }
            _ => parts.push(SourcePart {
                first: number,
                lines: 1,
                file: file.to_owned(),
                line: source,
            }),
        }
    }
    parts
}

/// The code in a line of documentation: without the mark of a comment and of a hidden line.
fn code_of_line(line: &str) -> &str {
    let line = line.trim();
    let marks = ["///", "//!", "/**", "/*!", "*"];
    let line = marks.iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line).trim();
    match line.strip_prefix('#') {
        Some("") => "",
        Some(hidden) if hidden.starts_with(' ') => hidden.trim(),
        Some(escaped) if escaped.starts_with('#') => escaped,
        _ => line,
    }
}

fn is_fence(line: &str) -> bool {
    line.starts_with("```") || line.starts_with("~~~")
}

/// The codes of errors that the fence of a `compile_fail` doctest names.
pub fn error_codes(file: &str, fence: u32) -> Vec<String> {
    let text = fs_err::read_to_string(Utf8Path::new(file)).unwrap_or_default();
    let line = (fence as usize).checked_sub(1).and_then(|line| text.lines().nth(line));
    let words = line.filter(|line| line.contains("compile_fail")).unwrap_or_default();
    let words = words.split(|c: char| !c.is_alphanumeric());
    let is_code = |word: &&str| {
        word.strip_prefix('E').is_some_and(|number| {
            number.len() == 4 && number.chars().all(|digit| digit.is_ascii_digit())
        })
    };
    words.filter(is_code).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_doctests_are_read_from_their_runner() {
        let runner = "mod __doctest_0 {\npub const TEST: test::TestDescAndFn = \
                      test::TestDescAndFn::new_doctest(\n\
                      \"src/lib.rs - f (line 11)\", false, \"src/lib.rs\", 11, true, false,\n\
                      test::StaticTestFn(\n    || {},\n));\n}\n";
        let name = "src/lib.rs - f (line 11)".to_owned();
        assert_eq!(merged(runner), [Merged { name, no_run: true }]);
    }

    #[test]
    fn a_single_doctest_is_found_by_its_line() {
        let names =
            ["a.rs - f (line 9)", "a.rs - g (line 9)", "a.rs - h (line 20)", "b.rs - (line 3)"];
        let of = |code: &str, line| name_of(code, "a.rs", line, names.into_iter());
        let exact = "#![allow(unused)]\nfn main() { fn _doctest_main_a_rs_9_1() {\n";
        assert_eq!(of(exact, 6), Some("a.rs - g (line 9)"));
        let own_main = "#![allow(unused)]\n#[allow(x)]\nextern crate r#a;\nfn main() {}";
        assert_eq!(of(own_main, 18), Some("a.rs - h (line 20)"));
        assert_eq!(of("#![deny(a)]\nfn main() {}", 18), Some("a.rs - h (line 20)"));
        assert_eq!(of("fn main() {}", 99), None);
        assert_eq!(place("b.rs - (line 3)"), Some(("b.rs", 3)));
    }

    #[test]
    fn lines_are_those_of_the_source() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lib.rs");
        let file = file.to_str().unwrap();
        let source = "//! ```compile_fail,E0308\n//! #![allow(dead_code)]\n//! # fn hidden() {}\n\
                      //! hidden(); // why\n//! ```\n";
        fs_err::write(file, source).unwrap();
        let code = "#![allow(dead_code)]\nfn main() {\nfn hidden() {}\nhidden();\n}";
        let parts = parts(code.lines(), 5, file, 1);
        let lines: Vec<_> = parts.iter().map(|part| (part.first, part.lines, part.line)).collect();
        assert_eq!(lines, [(5, 1, 2), (7, 2, 3)]);
        let outside = super::parts(code.lines(), 5, file, 3);
        assert!(outside.iter().all(|part| part.line == 3) && outside.len() == 5);
        assert_eq!(error_codes(file, 1), ["E0308"]);
        assert!(error_codes(file, 2).is_empty());
    }
}
