//! The fingerprint of a leak. It stays the same while code moves, tests come and go, and compilers
//! optimise.
//!
//! `docs/report.md` lists its parts. A fingerprint has no test, no line, no size and no index.

use std::collections::HashSet;

use tracemalloc::internal::function_name;
use tracemalloc_harness::{DOCTEST_CRATE, FrameEntry, HolderEntry, HolderKind, fnv};

use crate::report::code_owner::{is_of_test, is_of_workspace};
use crate::report::leak::LeakKind;

/// The test whose growth is read: its crate and its name.
#[derive(Debug, Clone, Copy)]
pub struct OfTest<'a> {
    /// The crate's name.
    pub crate_name: &'a str,
    /// The test's name.
    pub name: &'a str,
    /// Whether all code of the crate belongs to tests.
    pub is_doctest: bool,
    /// The names of all tests of the target. The optimizer makes one function of equal tests.
    pub names: &'a HashSet<&'a str>,
}

/// The fingerprint of lost memory, or of growth that the heap search says nothing of: kind, type,
/// and the workspace's functions that allocated it.
///
/// Where the test itself allocates, its name says nothing. Then the source line stands for it.
pub fn of_allocation(
    kind: LeakKind,
    type_name: Option<&str>,
    traceback: &[FrameEntry],
    test: OfTest<'_>,
    source: Option<&str>,
) -> String {
    let mut functions: Vec<String> = Vec::new();
    for frame in traceback.iter().rev() {
        let is_test = match test.is_doctest {
            true => function_name::crate_name(&frame.function) == Some(DOCTEST_CRATE),
            false => is_of_test(&frame.function, test.crate_name, test.names),
        };
        // One line that leaks is one leak, whatever types it is compiled for.
        let function = without_numbers(&function_name::path(&frame.function));
        // A recursion may be deeper in another run.
        if !is_test && is_of_workspace(frame) && !functions.contains(&function) {
            functions.push(function);
        }
    }
    if functions.is_empty() {
        let inner = traceback.iter().rev().find(|frame| is_of_workspace(frame));
        let inner = inner.or(traceback.last());
        functions.extend(inner.map(|frame| frame.file.clone()));
        functions.extend(source.map(|source| without_test(source, test.name)));
    }
    let parts = [word(kind), type_name.map_or("", head)].into_iter();
    let parts: Vec<&str> = parts.chain(functions.iter().map(String::as_str)).collect();
    hash(&parts)
}

/// The source line of a test, without the test's name: a test of one line may be renamed. Behind
/// `fn`, or as the first word that a macro gets.
fn without_test(source: &str, test: &str) -> String {
    let name = test.rsplit("::").next().unwrap_or(test);
    let is_word = |index: usize| {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let (before, after) = (&source[..index], &source[index + name.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    };
    let words = || source.match_indices(name).map(|(index, _)| index).filter(|at| is_word(*at));
    let defined = words().find(|index| source[..*index].trim_end().ends_with("fn"));
    match defined.or_else(|| words().next()) {
        Some(index) if !name.is_empty() => {
            format!("{}_{}", &source[..index], &source[index + name.len()..])
        }
        _ => source.to_owned(),
    }
}

/// The fingerprint of held memory: the holder, and the types on the path to what grows.
pub fn of_holder(holder_key: &str, growing: &[&str]) -> String {
    let growing = growing.iter().map(|name| head(name));
    let parts: Vec<&str> = [word(LeakKind::Held), holder_key].into_iter().chain(growing).collect();
    hash(&parts)
}

/// The name of a holder for a fingerprint. A thread goes by its first function, or by its name
/// without numbers.
pub fn holder_key(holder: &HolderEntry, test: OfTest<'_>) -> String {
    match holder.kind {
        HolderKind::Static => format!("static {}", holder.name),
        HolderKind::Library => format!("library {}", holder.name),
        HolderKind::ThreadLocal => format!("thread-local {}", holder.name),
        HolderKind::Foreign => "foreign".to_owned(),
        HolderKind::LostBlock => format!("lost {}", holder.name),
        HolderKind::Stack | HolderKind::Register => thread_key(holder, test),
    }
}

/// The name of a holder's thread for a fingerprint.
pub fn thread_key(holder: &HolderEntry, test: OfTest<'_>) -> String {
    let thread = holder.thread.as_deref().unwrap_or(&holder.name);
    match &holder.start {
        Some(start) => format!("thread {}", without_numbers(start)),
        None if is_cut_name(thread, test.name) => "thread of the test".to_owned(),
        None => format!("thread {}", without_numbers(thread)),
    }
}

/// Whether the system's name of a thread is this name, of which it keeps 15 bytes.
fn is_cut_name(thread: &str, name: &str) -> bool {
    thread == name || thread.len() == 15 && name.starts_with(thread)
}

/// A type without its generics, which optimised code does not always tell.
fn head(type_name: &str) -> &str {
    type_name.split('<').next().unwrap_or(type_name)
}

/// A name without the numbers of closures and of threads: others before them change the numbers.
fn without_numbers(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find(['#', '-']) {
        let (before, after) = rest.split_at(start + 1);
        out.push_str(before);
        rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    out + rest
}

fn word(kind: LeakKind) -> &'static str {
    match kind {
        LeakKind::Lost => "lost",
        LeakKind::Cycle => "cycle",
        LeakKind::Held => "held",
        LeakKind::Grown => "grown",
    }
}

/// Eight hexadecimal digits of an FNV-1a hash over the parts.
pub fn hash(parts: &[&str]) -> String {
    let add = |hash, part: &&str| fnv::add(fnv::add(hash, part.as_bytes()), &[0]);
    let hash = parts.iter().fold(fnv::EMPTY, add);
    format!("{:08x}", hash >> 32 ^ hash & 0xFFFF_FFFF)
}

#[cfg(test)]
mod tests {
    use super::without_test;

    /// A test of one line got a new id when it was renamed.
    #[test]
    fn the_source_line_of_a_test_goes_without_its_name() {
        let line = |name: &str| format!("#[test] fn {name}() {{ forget(push(push_2(1))) }}");
        let expected = "#[test] fn _() { forget(push(push_2(1))) }";
        for name in ["push", "push_2", "pu", "loses"] {
            assert_eq!(without_test(&line(name), &format!("tests::{name}")), expected);
        }
        let of_macro = without_test("case!(loses, forget(vec![1]));", "tests::loses");
        assert_eq!(of_macro, "case!(_, forget(vec![1]));");
        assert_eq!(without_test("forget(vec![1]);", "tests::loses"), "forget(vec![1]);");
        assert_eq!(without_test("forget(v);", ""), "forget(v);");
    }
}
