//! The configuration file, and the settings that follow from it and from the command line.
//!
//! It calls `cli` and `util`, and never builds or runs anything.

mod baseline;
mod configuration;
mod document;
mod layer;
mod settings;
mod values;

pub use baseline::{Baseline, Mode};
pub use configuration::{Config, Holder, KnownLeak, Override};
pub use layer::{Layer, given, options};
pub use settings::{DENY, Origin, PROGRAMS, Settings};
