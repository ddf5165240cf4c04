//! Captures the call stack of an allocation: its return addresses, innermost first.

mod captured;
mod frame_pointer;
mod last_walk;
pub mod settings;
mod unwind;
mod walker;

pub use self::frame_pointer::Here;
pub use self::settings::Walk;
pub use self::walker::{Walker, stack_id_without_walker};
