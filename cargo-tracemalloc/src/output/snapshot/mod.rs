//! The results of `top`, `diff` and `show`.

mod held_path;
pub mod json;
pub mod text;
