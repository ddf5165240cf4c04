//! Names of this process's threads, and their first functions.

use crate::heap::linux::modules::{self, Module};
use crate::heap::linux::process::{File, ProcPath};
use crate::names::function_name::THREAD_START;
use crate::trace::thread_stacks;

/// A living thread.
#[derive(Debug, Clone)]
pub struct ThreadName {
    /// Its number.
    pub id: i32,
    /// Its name in the kernel, at most 15 bytes. By default, that is the process's name.
    pub name: String,
    /// Its first function, if that is known: `rayon_core::registry::ThreadBuilder::run`.
    pub start: Option<String>,
}

/// The words of a stack's upper end: frames of the C library and of std, and some more.
const WORDS: usize = 512;

/// The upper end of a living thread's stack.
#[derive(Debug)]
pub struct StackEnd {
    /// The thread's number.
    thread: i32,
    /// Its words.
    pub words: Vec<usize>,
}

/// The upper ends of the stacks of all threads but the calling one.
pub fn stack_ends(caller: i32, thread_local_size: usize) -> Vec<StackEnd> {
    let mut ids = Vec::new();
    if let Some(directory) = File::open(c"/proc/self/task") {
        directory.numbers(|id| ids.push(id));
    }
    ids.retain(|id| *id != caller);
    if ids.is_empty() {
        return Vec::new();
    }
    let words_of = |thread: i32| upper_stack(thread, thread_local_size, WORDS);
    ids.into_iter().map(|thread| StackEnd { thread, words: words_of(thread) }).collect()
}

/// The words at the upper end of a thread's stack, at most so many. Empty if they are unknown.
pub fn upper_stack(thread: i32, thread_local_size: usize, most: usize) -> Vec<usize> {
    let stack = thread_stacks::all().filter(|stack| stack.thread == thread).last();
    let memory = File::open(c"/proc/self/mem");
    stack.zip(memory).map_or(Vec::new(), |(stack, memory)| {
        let top = stack.thread_pointer.min(stack.high).saturating_sub(thread_local_size) & !7;
        let low = top.saturating_sub(most * 8).max(stack.low).min(top);
        let mut words = vec![0; (top - low) / 8];
        let read = memory.words_at(&mut words, low);
        words.truncate(read);
        words
    })
}

/// The threads that these stacks belong to.
pub fn named(stack_ends: Vec<StackEnd>, modules: &[Module]) -> Vec<ThreadName> {
    stack_ends
        .into_iter()
        .map(|StackEnd { thread: id, words }| {
            let path = ProcPath::new("/proc/self/task/").number(id).text("/comm");
            let name = File::open(path.as_c_str()).map(|file| file.read_to_end());
            let name = String::from_utf8(name.unwrap_or_default()).unwrap_or_default();
            ThreadName {
                id,
                name: name.trim_end().to_owned(),
                start: start_function(&words, modules),
            }
        })
        .collect()
}

/// The first type parameter of std's oldest frame for the start of a thread.
fn start_function(words: &[usize], modules: &[Module]) -> Option<String> {
    // A return address is behind its call, which may be the last instruction of the function.
    let at = |word: &usize| {
        let call = word.wrapping_sub(1);
        modules.iter().find_map(|module| modules::find(&module.thread_starts, call))
    };
    let start = words.iter().rev().find_map(at)?;
    let (_, generics) = start.name.split_once(THREAD_START)?;
    let generics = generics.strip_prefix("::<").or_else(|| generics.strip_prefix('<'))?;
    Some(start_of(generics).to_owned())
}

/// The function in the generics of std's frame. Around it, std may have a closure of its own:
/// `std::thread::lifecycle::spawn_unchecked<a::work, ()>::{closure#1}, ()>` names `a::work`.
fn start_of(generics: &str) -> &str {
    let first = first_generic(generics);
    let of_std = first.strip_prefix("std::thread::").and_then(|rest| rest.split_once('<'));
    let first = of_std.map_or(first, |(_, inner)| first_generic(inner));
    first.split_once("::{closure").map_or(first, |(function, _)| function)
}

/// The first of several generics, up to the comma or the bracket behind it.
fn first_generic(generics: &str) -> &str {
    let mut depth = 0_i32;
    let mut before = ' ';
    let end = generics.char_indices().find(|(_, character)| {
        let is_end = match character {
            '<' | '(' | '[' => {
                depth += 1;
                false
            }
            '>' if before == '-' => false,
            '>' | ')' | ']' => {
                depth -= 1;
                depth < 0
            }
            ',' => depth == 0,
            _ => false,
        };
        before = *character;
        is_end
    });
    end.map_or(generics, |(end, _)| &generics[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_generic_is_cut_out() {
        assert_eq!(start_of("<a::B<C, D>>::d::{closure#0}, ()>"), "<a::B<C, D>>::d");
        assert_eq!(start_of("a::work, u8>"), "a::work");
        assert_eq!(start_of("fn() -> u8, ()>"), "fn() -> u8");
    }

    /// The thread of a pool was said to run `std::thread::lifecycle::spawn_unchecked`.
    #[test]
    fn a_closure_of_std_goes_by_the_function_inside() {
        for (generics, expected) in [
            (
                "std::thread::lifecycle::spawn_unchecked<<a::Worker>::start::{closure#0}, ()>\
                 ::{closure#1}::{closure#0}::{closure#0}, ()>",
                "<a::Worker>::start",
            ),
            ("std::thread::lifecycle::spawn_unchecked<a::work, ()>::{closure#1}, ()>", "a::work"),
            ("std::thread::sleep, ()>", "std::thread::sleep"),
        ] {
            assert_eq!(start_of(generics), expected);
        }
    }
}
