//! The names below Python's on which `cargo tracemalloc` stands: stacks of return addresses, live
//! blocks by stack, the heap search, the judge.
//!
//! This file only re-exports. The harness and the command call it, and nothing in this crate does.
//! It may change in any version.

pub use crate::api::take_snapshot_with_names;
pub mod c_malloc {
    //! Memory that C allocates.
    pub use crate::c_malloc::{arm, obstacle};
}
pub use crate::bridge::is_this_copy_installed;
pub mod test_limits {
    //! The limits of the running test's own check.
    pub use crate::bridge::test_limits::{begin_test, of_test};
}
pub mod test_holders {
    //! The known holders of this process, for loops.
    pub use crate::bridge::test_holders::announce;
}
pub use crate::limits::Limit;
pub mod spare_memory {
    //! Memory for the runtime after a test has lowered its limits.
    pub use crate::os::spare_memory::set_aside;
}
#[cfg(target_os = "linux")]
pub mod proc_dir {
    //! The directory `/proc`.
    pub use crate::os::proc_dir::threads;
}
pub mod run_delay {
    //! The wait of threads for a processor.
    pub use crate::os::run_delay::*;
}
pub use crate::os::thread_id::thread_id;
pub use crate::trace::capture::{Walk, stack_pointer_of_caller};
pub use crate::trace::live::{Change, Live, LiveBlock, for_each_block, missed, start, stop};
pub use crate::util::panic_message::panic_message;
pub mod heap {
    //! The search for pointers to live blocks.
    pub use crate::heap::*;
}
pub mod held_memory {
    //! The memory by holder of a snapshot.
    pub use crate::model::held_memory::*;
}
#[cfg(feature = "pprof")]
pub mod pprof {
    //! Profiles for pprof.
    pub use crate::model::pprof::*;
}
pub use crate::names::loaded::Place;
pub mod names {
    //! The provider of names for this process's files.
    pub use crate::names::provider::{Named, Provider, Statics, missing, set_provider};
}
pub use crate::trace::stack_id::{FRAMES_OF_STD, MAX_DEPTH, StackId};
pub mod judge {
    //! The verdict on a test's growth.
    pub use crate::judge::*;
}
pub mod function_name {
    //! Demangled names of functions and statics, taken apart.
    pub use crate::names::function_name::*;
}
pub use crate::names::symbol::Symbol;
pub use crate::names::trim::{Trimmed, trim};
pub use crate::trace::scope::enter_repeats;
pub use crate::trace::thread::{Outermost, Pause, pause, without_pause};

/// The sources of the types that stand in the messages of `cargo tracemalloc`: two builds of one
/// version may differ in them.
#[cfg(feature = "_wire")]
pub const WIRE_SOURCES: [&[u8]; 6] = [
    include_bytes!("limits.rs"),
    include_bytes!("judge/prefix.rs"),
    include_bytes!("judge/verdict.rs"),
    include_bytes!("model/domain.rs"),
    include_bytes!("model/key_type.rs"),
    include_bytes!("util/wire.rs"),
];
#[cfg(feature = "_wire")]
pub use crate::util::wire::{WireValue, wire};
