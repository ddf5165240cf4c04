//! The blocks of one holder, in types of C.

use crate::bridge::text::Text;
#[cfg(feature = "symbolize")]
use crate::heap::Holder;
use crate::heap::{HolderKind, HolderSum};

/// One holder, and how much it holds. Unused texts are empty.
#[repr(C)]
pub struct Held {
    /// One of [`kind`]'s numbers.
    pub kind: u32,
    /// The name of a static or thread-local.
    pub name: Text,
    /// The thread's name.
    pub thread: Text,
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

/// Numbers for kinds of holders. A number never changes its meaning; a copy that does not know a
/// number takes it for [`FOREIGN`](kind::FOREIGN).
pub mod kind {
    pub const LOST: u32 = 0;
    pub const STATIC: u32 = 1;
    pub const LIBRARY: u32 = 2;
    pub const THREAD_LOCAL: u32 = 3;
    pub const STACK: u32 = 4;
    pub const REGISTER: u32 = 5;
    pub const FOREIGN: u32 = 6;
}

impl Held {
    /// Lost blocks.
    pub fn lost(bytes: u64, blocks: u64) -> Self {
        Self { kind: kind::LOST, name: Text::of(""), thread: Text::of(""), bytes, blocks }
    }

    /// The holder, with its kind and names alone; `None` for lost blocks.
    #[cfg(feature = "symbolize")]
    pub fn holder(&self) -> Option<Holder> {
        let thread = self.thread.read().into_owned();
        let (kind, name) = match self.kind {
            kind::LOST => return None,
            kind::STATIC => (HolderKind::Static, self.name.read().into_owned()),
            kind::LIBRARY => (HolderKind::Library, self.name.read().into_owned()),
            kind::THREAD_LOCAL => (HolderKind::ThreadLocal, self.name.read().into_owned()),
            kind::STACK => (HolderKind::Stack, thread.clone()),
            kind::REGISTER => (HolderKind::Register, thread.clone()),
            _ => (HolderKind::Foreign, self.name.read().into_owned()),
        };
        let thread = (!thread.is_empty()).then_some(thread);
        Some(Holder { kind, name, thread, start: None, known: false, known_number: None })
    }

    /// The blocks of a holder that the heap search has found.
    pub fn of(sum: &HolderSum) -> Self {
        let holder = &sum.holder;
        let (name, thread) = match holder.kind {
            // Where a holder is a thread's own, its name is the thread's.
            HolderKind::Stack | HolderKind::Register => {
                ("", holder.thread.as_ref().unwrap_or(&holder.name).as_str())
            }
            _ => (holder.name.as_str(), holder.thread.as_deref().unwrap_or("")),
        };
        let kind = match holder.kind {
            HolderKind::Static => kind::STATIC,
            HolderKind::Library => kind::LIBRARY,
            HolderKind::ThreadLocal => kind::THREAD_LOCAL,
            HolderKind::Stack => kind::STACK,
            HolderKind::Register => kind::REGISTER,
            HolderKind::Foreign => kind::FOREIGN,
        };
        let (bytes, blocks) = (sum.bytes, sum.blocks);
        Self { kind, name: Text::of(name), thread: Text::of(thread), bytes, blocks }
    }
}
