//! The tracer below Python's names: stacks of return addresses, and what is live by stack. The
//! harness of `cargo tracemalloc` stands on it. It may change in any version.

pub use crate::asked::{asked, expect};
pub use crate::capture::Walk;
pub use crate::handshake::is_this_copy_installed;
pub use crate::live::{Change, Live, LiveBlock, for_each_block, missed, start, stop};
pub mod scan {
    //! Whether something still points to a block, and what.
    pub use crate::scan::*;
}
pub use crate::loaded::Place;
pub mod names {
    //! Who tells what stands in the files of this process.
    pub use crate::names::{Named, Names, Statics, ask, missing};
}
pub use crate::stacks::{FRAMES_OF_STD, MAX_DEPTH, StackId};
pub mod judge {
    //! What a test has kept, and what that comes to.
    pub use crate::judge::*;
}
pub mod symbol_name {
    //! What a demangled name tells.
    pub use crate::symbol_name::*;
}
pub use crate::symbolize::Symbol;
pub use crate::thread::{Outermost, Pause, pause};
pub use crate::trim::{Trimmed, trim};
