//! Renderings of what `top`, `diff` and `show` find in snapshots.

pub mod json;
pub mod text;
