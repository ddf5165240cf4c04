//! The results of `top`, `diff` and `show`.

pub mod json;
pub mod text;
