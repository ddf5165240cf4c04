//! The bridge between two copies of the runtime in one program, through C functions and types.
//!
//! It may call `heap`, `names`, `trace` and `limits`. The hot path never calls it; the allocator
//! only answers the [`handshake`].

mod check_request;
mod handshake;
#[cfg(feature = "symbolize")]
mod heap_query;
mod heap_search;
pub mod held;
mod table;
pub mod test_holders;
pub mod test_limits;
mod text;

#[cfg(feature = "symbolize")]
pub use check_request::CheckRequest;
pub use handshake::{addresses, answer, domain, installed, is_installed, is_this_copy_installed};
#[cfg(feature = "symbolize")]
pub use heap_query::{known_holders, look_up};
#[cfg(all(test, target_os = "linux", target_env = "gnu", feature = "macros", not(miri)))]
pub use table::TABLE;
pub use table::Table;
