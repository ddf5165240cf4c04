//! Doctests: rustdoc lists, compiles and runs them, and this program calls its compiler.
//!
//! rustdoc gets this program as the wrapper of the compiler of doctests, which is an unstable
//! option. On a stable toolchain, rustdoc alone gets `RUSTC_BOOTSTRAP`. The user's code is compiled
//! without it, as under `cargo test`.

mod call;
mod compiler;
mod generated_source;
mod listing;
mod options;
mod results;

pub use call::DoctestCall;
pub use compiler::compile;
pub use listing::runs as runs_doctests;
pub use options::Options;
pub use results::write as write_results;
