//! The statics, thread-locals, threads and other memory that hold blocks, for a program to match
//! on.

use std::fmt;

use crate::bridge::held::{Held, kind};

/// The holder of a block: the place where a search of the heap found the first pointer that leads
/// to it.
///
/// `Display` is one line: `store::SEEN`, ``stack of thread `main` ``, `foreign memory`, `lost`. Not
/// in Python.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// use tracemalloc::Holder;
///
/// # fn main() -> Result<(), tracemalloc::Error> {
/// tracemalloc::start(1)?;
/// std::mem::forget(vec![0_u8; 1000]);
/// # if !cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) { return Ok(()) }
/// for statistic in tracemalloc::holders()? {
///     if let Holder::Lost = statistic.holder {
///         println!("{} bytes leaked", statistic.size);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Holder {
    /// Nothing points to the blocks any more.
    Lost,
    /// A static of the executable.
    #[non_exhaustive]
    Static {
        /// Its path, `store::SEEN`; if it has no symbol, the file and the address in it.
        name: String,
    },
    /// A static or other data of a shared library.
    #[non_exhaustive]
    Library {
        /// The path and the library, `environ in libc.so.6`, or as much of them as is known.
        name: String,
    },
    /// A thread-local of a living thread.
    #[non_exhaustive]
    ThreadLocal {
        /// Its path, `store::KEPT`, or `thread-local storage` if it has no symbol.
        name: String,
        /// The thread's name.
        thread: String,
    },
    /// The stack of a living thread.
    #[non_exhaustive]
    Stack {
        /// The thread's name.
        thread: String,
    },
    /// A register of a living thread.
    #[non_exhaustive]
    Register {
        /// The thread's name.
        thread: String,
    },
    /// Memory that the tracing allocator did not hand out and that is no static or stack: the C
    /// library's heap, a mapping.
    Foreign,
}

impl Holder {
    /// The holder that the allocator's copy of the runtime tells of.
    pub(crate) fn of(held: &Held) -> Self {
        let name = || held.name.read().into_owned();
        let thread = || held.thread.read().into_owned();
        match held.kind {
            kind::LOST => Self::Lost,
            kind::STATIC => Self::Static { name: name() },
            kind::LIBRARY => Self::Library { name: name() },
            kind::THREAD_LOCAL => Self::ThreadLocal { name: name(), thread: thread() },
            kind::STACK => Self::Stack { thread: thread() },
            kind::REGISTER => Self::Register { thread: thread() },
            _ => Self::Foreign,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("lost"),
            Self::Static { name } | Self::Library { name } => f.write_str(name),
            Self::ThreadLocal { name, thread } => write!(f, "{name} of thread `{thread}`"),
            Self::Stack { thread } => write!(f, "stack of thread `{thread}`"),
            Self::Register { thread } => write!(f, "register of thread `{thread}`"),
            Self::Foreign => f.write_str("foreign memory"),
        }
    }
}
