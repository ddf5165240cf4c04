//! A stack while it is captured, and its way into the tree of contexts.

use core::mem::MaybeUninit;

use crate::trace::contexts::{self, Context};

/// A stack while it is captured.
pub struct Captured<'a> {
    /// Room for as many frames as are kept, innermost first.
    room: &'a mut [MaybeUninit<usize>],
    len: usize,
    /// How many more frames there are, where that is wanted.
    pub beyond: usize,
    is_cut: bool,
    counts_all: bool,
    scope: u32,
}

impl<'a> Captured<'a> {
    /// An empty stack of a scope, with room for its frames. `counts_all` says whether frames beyond
    /// that room are counted.
    pub fn new(room: &'a mut [MaybeUninit<usize>], counts_all: bool, scope: u32) -> Self {
        Self { room, len: 0, beyond: 0, is_cut: false, counts_all, scope }
    }

    pub fn clear(&mut self) {
        (self.len, self.beyond, self.is_cut) = (0, 0, false);
    }

    /// Whether there were more frames than there is room for.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Adds the next outer frame, or counts it. False when no more are wanted.
    pub fn push(&mut self, address: usize) -> bool {
        if let Some(place) = self.room.get_mut(self.len) {
            place.write(address);
            self.len += 1;
            return true;
        }
        self.is_cut = true;
        self.beyond += usize::from(self.counts_all);
        self.counts_all
    }

    /// The context of the innermost frame. `None` when there is no memory for it.
    pub fn context(&self) -> Option<Context> {
        // SAFETY: `push` has written the first `len` entries.
        let addresses =
            unsafe { core::slice::from_raw_parts(self.room.as_ptr().cast::<usize>(), self.len) };
        let root = contexts::root(self.scope, self.beyond as u32)?;
        addresses.iter().rev().try_fold(root, |context, address| context.call(*address))
    }
}
