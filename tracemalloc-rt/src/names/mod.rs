//! Names for addresses: functions, files and lines, and whose code they are.
//!
//! It may call `trace` and `model`, and the provider of names that the harness has set. The hot
//! path never calls it: a name costs memory, locks and the reading of debug information.

pub mod allocated_type;
pub mod function_name;
pub mod loaded;
pub mod named_frame;
pub mod origin;
pub mod provider;
pub mod symbol;
pub mod symbolizer;
pub mod trim;
