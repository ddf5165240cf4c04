//! The system's unwinder, through the `backtrace` crate, which knows them all.

/// A frame, while it is visited.
pub struct Frame<'a>(&'a backtrace::Frame);

impl Frame<'_> {
    /// The address that it goes on at.
    pub fn address(&self) -> usize {
        self.0.ip().addr()
    }

    /// Where its function begins; where that is not known, 0 or another address in it.
    pub fn function(&self) -> usize {
        self.0.symbol_address().addr()
    }
}

/// Calls `visit` with the frames of this thread, innermost first, as long as it says true.
pub fn for_each(mut visit: impl FnMut(&Frame<'_>) -> bool) {
    // SAFETY: the unsynchronised form shares no state between threads as long as nothing is
    // resolved, and it takes no lock, which an allocation inside the symboliser would otherwise
    // wait for.
    unsafe { backtrace::trace_unsynchronized(|frame| visit(&Frame(frame))) };
}
