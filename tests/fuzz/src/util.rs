//! The modules of the command's room `util` that the configuration needs.

#[expect(dead_code, reason = "the configuration needs only a part")]
#[path = "../../../cargo-tracemalloc/src/util/exit_code.rs"]
pub mod exit_code;
#[expect(dead_code, reason = "the configuration needs only a part")]
#[path = "../../../cargo-tracemalloc/src/util/file.rs"]
pub mod file;
#[path = "../../../cargo-tracemalloc/src/util/nearest_name.rs"]
pub mod nearest_name;
#[expect(dead_code, reason = "the configuration needs only a part")]
#[path = "../../../cargo-tracemalloc/src/util/terminal.rs"]
pub mod terminal;
