//! The user's workspace, repository and compiler, and the session's directory inside the target
//! directory.
//!
//! It calls `cli` and `util`. It starts no builds.

mod c_flags;
mod cargo_config;
mod context;
mod repository;
mod rustc;
mod session_dir;

pub use cargo_config::color;
pub use context::{Context, check_manifest, target_dir};
pub use repository::Repository;
pub use rustc::Rustc;
pub use session_dir::SessionDir;
