//! A text that another copy of the runtime owns, in a type of C.

use std::borrow::Cow;

/// Where a text is, and its length in bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    at: *const u8,
    len: usize,
}

impl Text {
    /// The text of this copy. It has to stay where it is until the other copy has returned.
    pub fn of(text: &str) -> Self {
        Self { at: text.as_ptr(), len: text.len() }
    }

    /// The text, read where it is. A function of the bridge may call this only before it returns.
    pub fn read(&self) -> Cow<'_, str> {
        // SAFETY: `of` made it from a text. The copy that owns that text keeps it until the call
        // across the bridge has returned, and this one reads it only during that call.
        String::from_utf8_lossy(unsafe { core::slice::from_raw_parts(self.at, self.len) })
    }

    /// A constant text of the other copy; `None` if it is empty.
    #[cfg(feature = "symbolize")]
    pub fn constant(&self) -> Option<&'static str> {
        // SAFETY: only texts that live as long as their process are read by this, and a copy of the
        // runtime is never unloaded while it is in the program's allocator.
        let bytes = unsafe { core::slice::from_raw_parts(self.at, self.len) };
        core::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())
    }
}
