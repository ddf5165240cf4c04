//! The holder of a block: the static, thread or other memory where the path to it begins.

use std::fmt;

/// The holder of a block.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holder {
    /// Its kind.
    pub kind: HolderKind,
    /// `store::SEEN`, or a thread's name, or a description if there is no name.
    pub name: String,
    /// Its thread's name, if it belongs to a thread.
    pub thread: Option<String>,
    /// The first function of that thread.
    pub start: Option<String>,
    /// Whether it is a known holder.
    pub known: bool,
    /// For a static, its number in the list of known holders.
    pub known_number: Option<u32>,
}

/// Kinds of holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HolderKind {
    /// A static of the executable.
    Static,
    /// Data of a library.
    Library,
    /// A thread-local of a living thread.
    ThreadLocal,
    /// The stack of a living thread.
    Stack,
    /// A register of a living thread.
    Register,
    /// Other memory: the C library's heap, a mapping.
    Foreign,
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
impl Holder {
    pub(super) fn new(kind: HolderKind, name: String) -> Self {
        Self { kind, name, thread: None, start: None, known: false, known_number: None }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = self.thread.as_deref().unwrap_or(&self.name);
        match self.kind {
            HolderKind::Static | HolderKind::Library | HolderKind::Foreign => {
                f.write_str(&self.name)
            }
            HolderKind::ThreadLocal => write!(f, "{} of thread `{thread}`", self.name),
            HolderKind::Stack => write!(f, "stack of thread `{thread}`"),
            HolderKind::Register => write!(f, "register of thread `{thread}`"),
        }
    }
}
