//! The messages that the command and the processes of tests exchange, and the files that hold them.
//!
//! It may call the runtime's plain types. Nothing here calls `child`. The command depends on this
//! room alone.

pub mod doctest_note;
pub mod entry_slots;
pub mod exit_heap;
pub mod fnv;
pub mod fragment;
pub(crate) mod inside;
pub mod leak_text;
pub mod live_memory;
pub mod mismatch_text;
pub mod name_request;
pub mod private_dir;
pub mod process_role;
pub mod program_run;
pub mod session;
pub mod started_programs;
pub mod target_note;
pub mod test_entry;
pub mod test_failure;
pub mod test_list;
pub mod test_options;
#[cfg(test)]
mod tests;
pub mod wire;
