//! The configuration file, and the settings that follow from it and from the command line.
//!
//! It calls `cli` and `util`, and never builds or runs anything.

mod configuration;
mod document;
mod settings;
mod values;

pub use configuration::{Config, Holder, KnownLeak, Layer, Override};
pub use document::Placed;
pub use settings::{Origin, Setting, Settings};
