//! The report as text.

pub mod growth;
pub mod line;
mod page;
mod summary;
#[cfg(test)]
mod tests;

pub use page::render;
