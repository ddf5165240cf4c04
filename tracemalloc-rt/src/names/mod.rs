//! Names for addresses.

pub mod function_name;
pub mod loaded;
pub mod provider;
pub mod symbolizer;
pub mod trim;
