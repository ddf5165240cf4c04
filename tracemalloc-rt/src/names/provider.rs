//! The interface of a provider of names: for this process's files, it reads the debug information
//! that this copy of the crate cannot read itself.
//!
//! A program that uses the library reads its own debug information (the feature `symbolize`). The
//! copy that `cargo tracemalloc` injects has no reader. The harness sets a provider that sends the
//! questions to the command.

use std::sync::OnceLock;

use crate::names::loaded::Place;
use crate::names::symbol::Symbol;
use crate::os::fork::ForkLock;

/// A provider of names. It is called while nothing is traced.
pub trait Provider: Send + Sync {
    /// The frames at each of these return addresses, innermost first. The list of an address is
    /// empty if nothing is known of it.
    ///
    /// # Errors
    ///
    /// In words, why names are unavailable.
    fn frames(&self, places: &[Place<'_>]) -> Result<Vec<Vec<Symbol>>, String>;

    /// The statics, thread-locals and first functions of threads in each of these files.
    ///
    /// # Errors
    ///
    /// In words, why names are unavailable.
    fn statics(&self, files: &[&str]) -> Result<Vec<Statics>, String>;
}

/// The names in a file that matter to a search of the heap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statics {
    /// Writable statics, by address in the file.
    pub statics: Vec<Named>,
    /// Thread-locals, by offset in a thread's copy.
    pub thread_locals: Vec<Named>,
    /// Functions of std that threads begin with, by address in the file.
    pub thread_starts: Vec<Named>,
}

/// A static, a thread-local or a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The address of its first byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Demangled, without a hash.
    pub name: String,
}

static PROVIDER: OnceLock<Box<dyn Provider>> = OnceLock::new();
/// The first error of the provider.
static MISSING: ForkLock<Option<String>> = ForkLock::new(None);

/// Sets the provider of this process, in place of its own debug information. A second call changes
/// nothing.
pub fn set_provider(provider: Box<dyn Provider>) {
    let _second = PROVIDER.set(provider);
}

/// The provider; `None` if the program reads its own debug information.
pub fn provider() -> Option<&'static dyn Provider> {
    PROVIDER.get().map(|provider| &**provider)
}

/// Why names are missing; `None` if the provider has never failed.
pub fn missing() -> Option<String> {
    MISSING.with(|missing| missing.clone())
}

/// The provider's reply. An error is kept for [`missing`], and the reply is then empty.
pub fn reply_or_missing<T>(reply: Result<Vec<T>, String>) -> Vec<T> {
    reply.unwrap_or_else(|why| {
        MISSING.with(|missing| {
            missing.get_or_insert(why);
        });
        Vec::new()
    })
}
