//! The results of `top`, `diff` and `show`.

pub mod held_path;
pub mod json;
pub mod text;
