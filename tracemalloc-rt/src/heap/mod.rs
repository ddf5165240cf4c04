//! The search for pointers to blocks: the lost blocks, and the holders of the others.
//!
//! It may call `names`, `trace`, `util` and `os`. Never call it on the path of an allocation: it
//! allocates, copies the process and waits for the copy.
//!
//! The search runs in a copy of the process, which `fork`'s system call makes while the other
//! threads stand still ([`linux`]). So the program is not changed, and no lock of it is taken.
//! Memory that the program frees meanwhile is still there in the copy. If the copy crashes or takes
//! too long, there is no result. The harness also allows a search in the process itself, where a
//! copy is impossible: see [`SearchPlace`].
//!
//! Errors go in one direction. Every word that may be a pointer counts as one, so a block that is
//! reported as held may be lost. No pointer leads to a block that is reported as lost; memory that
//! the search could not read is reported as a doubt.

mod holder;
mod holdings;
mod known_holder;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "unsupported.rs"
)]
mod linux;
mod retained;
mod search_place;
mod stranger;
#[cfg(all(feature = "symbolize", target_os = "linux"))]
mod symbols;

pub use holder::{Holder, HolderKind};
pub use holdings::{HeldStep, HolderSum, Holdings};
pub use known_holder::{KNOWN_HOLDERS, KnownHolder};
pub use linux::{holdings, look_up};
pub use retained::{Fate, Found, Retained, Step};
pub use search_place::SearchPlace;
pub use stranger::Stranger;
#[cfg(all(feature = "symbolize", target_os = "linux"))]
pub use symbols::read as statics_of_file;
