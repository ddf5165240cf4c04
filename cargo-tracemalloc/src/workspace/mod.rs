//! The user's workspace and compiler, and the directory of a session in its target directory.
//!
//! It calls `cli` and `util`.

mod cargo_config;
mod context;
mod rustc;
mod session_dir;

pub use context::Context;
pub use rustc::Rustc;
pub use session_dir::SessionDir;
