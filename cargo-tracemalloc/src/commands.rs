//! One file a command.

pub mod test;
