//! The report as text.

mod changes;
mod frames;
pub mod growth;
mod leak;
pub mod line;
mod once;
mod page;
mod short_name;
mod summary;
#[cfg(test)]
mod tests;

pub use leak::{in_a_line, title};
pub use page::{View, label, plain, render};
