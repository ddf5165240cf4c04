//! The unwinder of any other system, through the `backtrace` crate, which knows them all.

/// A frame, while it is visited.
pub struct Frame<'a>(&'a backtrace::Frame);

impl Frame<'_> {
    /// The address that the function continues at.
    pub fn address(&self) -> usize {
        self.0.ip().addr()
    }

    /// The first address of its function; if that is not known, 0 or another address in it.
    pub fn function(&self) -> usize {
        self.0.symbol_address().addr()
    }

    /// The stack pointer of its function.
    pub fn stack_pointer(&self) -> usize {
        self.0.sp().addr()
    }
}

/// Calls `visit` with the frames of this thread, innermost first, as long as it returns true.
pub fn for_each(mut visit: impl FnMut(&Frame<'_>) -> bool) {
    // SAFETY: the unsynchronised form shares no state between threads as long as it resolves
    // nothing. It takes no lock; an allocation inside the symbolizer would wait for that lock.
    unsafe { backtrace::trace_unsynchronized(|frame| visit(&Frame(frame))) };
}
