//! The tracer below Python's names: stacks of return addresses, and what is live by stack. The
//! harness of `cargo tracemalloc` stands on it. It may change in any version.

pub use crate::bridge::is_this_copy_installed;
pub mod test_limits {
    //! The limits of the running test's own check.
    pub use crate::bridge::test_limits::{begin_test, of_test};
}
pub use crate::limits::Limit;
pub use crate::trace::capture::Walk;
pub use crate::trace::live::{Change, Live, LiveBlock, for_each_block, missed, start, stop};
pub mod heap {
    //! Whether something still points to a block, and what.
    pub use crate::heap::*;
}
pub use crate::names::loaded::Place;
pub mod names {
    //! The provider of names for this process's files.
    pub use crate::names::provider::{Named, Provider, Statics, missing, set_provider};
}
pub use crate::trace::stack_id::{FRAMES_OF_STD, MAX_DEPTH, StackId};
pub mod judge {
    //! What a test has kept, and what that comes to.
    pub use crate::judge::*;
}
pub mod function_name {
    //! What a demangled name tells.
    pub use crate::names::function_name::*;
}
pub use crate::names::symbol::Symbol;
pub use crate::names::trim::{Trimmed, trim};
pub use crate::trace::thread::{Outermost, Pause, pause};

/// The sources of the types that stand in the messages of `cargo tracemalloc`: two builds of one
/// version may differ in them.
#[cfg(feature = "_wire")]
pub const WIRE_SOURCES: [&[u8]; 4] = [
    include_bytes!("limits.rs"),
    include_bytes!("judge/prefix.rs"),
    include_bytes!("judge/verdict.rs"),
    include_bytes!("model/key_type.rs"),
];
