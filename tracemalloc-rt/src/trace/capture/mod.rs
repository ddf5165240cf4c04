//! Captures the call stack of an allocation: its return addresses, innermost first.

#[cfg(all(
    any(test, feature = "c-malloc"),
    target_os = "linux",
    target_env = "gnu",
    target_arch = "x86_64",
    not(miri)
))]
pub mod c_stack;
mod captured;
mod frame_pointer;
mod last_walk;
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64", not(miri))),
    path = "no_rule_walk.rs"
)]
mod rule_walk;
pub mod settings;
mod unwind;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64", not(miri)))]
pub mod unwind_rules;
mod walker;

pub use self::frame_pointer::Here;
pub use self::rule_walk::prepare;
pub use self::settings::Walk;
pub use self::unwind::stack_pointer_of_caller;
pub use self::walker::{Walker, stack_id_without_walker};
