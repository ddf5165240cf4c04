//! The test harness itself: what a test binary runs in place of libtest.

mod arguments;
mod child;
mod fragment;
mod front;
mod growth;
mod heap;
mod holder;
mod initialiser;
mod leak_id;
mod leak_text;
pub mod libtest;
mod limits;
mod of_test;
mod placement;
mod process;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod program;
mod scratch;
mod settle;
mod silence;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod snapshots;
mod start;
mod test;
mod traceback;
mod verdict;
