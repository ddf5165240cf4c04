//! The live view of a program's memory: its rows, as a page of text and as a screen.
//!
//! `screen` and `terminal` alone call the `ratatui` crate.

pub mod page;
mod screen;
pub mod terminal;
mod view;

pub use view::View;
