//! Who tells what stands in the files that this process has loaded: how addresses read, and which
//! statics there are.
//!
//! A program that uses the library reads its own debug information (the feature `symbolize`). What is
//! injected by `cargo tracemalloc` asks the command, which has what that takes.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::names::loaded::Place;
use crate::names::symbolizer::Symbol;

/// Somebody who tells. Nothing is traced meanwhile.
pub trait Names: Send + Sync {
    /// The frames at each of these return addresses, innermost first; none where nothing is known.
    ///
    /// # Errors
    ///
    /// In words, why nobody tells.
    fn frames(&self, places: &[Place<'_>]) -> Result<Vec<Vec<Symbol>>, String>;

    /// What is named in each of these files.
    ///
    /// # Errors
    ///
    /// In words, why nobody tells.
    fn statics(&self, files: &[&str]) -> Result<Vec<Statics>, String>;
}

/// What is named in a file and matters to a search of the heap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statics {
    /// Statics that can be written, by address in the file.
    pub statics: Vec<Named>,
    /// Thread-locals, by their place in a thread's copy.
    pub thread_locals: Vec<Named>,
    /// Functions of std that threads begin with, by address in the file.
    pub thread_starts: Vec<Named>,
}

/// A static, a thread-local or a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Where it begins.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Demangled, without a hash.
    pub name: String,
}

static TELLER: OnceLock<Box<dyn Names>> = OnceLock::new();
/// Why somebody did not tell.
static MISSING: Mutex<Option<String>> = Mutex::new(None);

/// From now on this one tells, and not the program's own debug information. The first one stays.
pub fn ask(teller: Box<dyn Names>) {
    let _second = TELLER.set(teller);
}

/// Who is to be asked; nobody where the program reads for itself.
pub fn teller() -> Option<&'static dyn Names> {
    TELLER.get().map(|teller| &**teller)
}

/// Why names are missing, where somebody who was asked has not told.
pub fn missing() -> Option<String> {
    MISSING.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What somebody has told, or nothing, which [`missing`] then says.
pub fn told<T>(answer: Result<Vec<T>, String>) -> Vec<T> {
    answer.unwrap_or_else(|why| {
        MISSING.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        Vec::new()
    })
}
