//! The search on Linux: it stops the other threads, copies the process, and searches in the copy.
//!
//! It may call `names`, `trace`, `util` and `os`. While threads are stopped, and in a copy, never
//! call anything that allocates or takes a lock, in Rust or in C. A stopped thread may hold that
//! lock.
//!
//! In the process: [`query`], [`inventory`], [`known_names`], [`modules`], [`thread_names`]. In a
//! copy: [`search`], [`original`], [`residence`], [`roots`], [`reachability`], [`heads`],
//! [`summary`], [`blocks`], [`glibc_malloc`], [`thread_cache`], [`dead_stack`]. In both: the rest.

mod blocks;
mod cycles;
mod dead_stack;
mod glibc_malloc;
mod heads;
mod holder_tree;
mod inventory;
mod known_names;
mod list;
mod maps;
mod modules;
mod original;
mod page_run;
mod process;
mod ptrace;
mod query;
mod range;
mod reachability;
mod reply;
mod request;
mod residence;
mod roots;
mod search;
mod shared;
mod stage;
mod strong_counts;
mod summary;
mod thread_cache;
mod thread_names;

pub use query::{holdings, look_up};
