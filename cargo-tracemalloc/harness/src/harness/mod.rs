//! The test harness itself: what a test binary runs in place of libtest.

mod arguments;
mod child;
mod fragment;
mod front;
mod heap;
mod holder;
mod judged;
mod leak_id;
pub mod libtest;
mod limits;
mod of_test;
mod placement;
mod process;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod program;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod remains;
mod rules;
mod scratch;
mod settle;
mod silence;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod snapshots;
mod start;
mod symbols;
mod test;
