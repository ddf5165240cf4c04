//! The test harness itself: what a test binary runs in place of libtest.

mod assignment;
mod child;
mod command;
mod heap;
mod holder;
mod inside;
mod judged;
mod leak_id;
pub mod libtest;
mod limits;
#[cfg(target_os = "linux")]
mod names;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod program;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod remains;
mod rules;
mod settle;
mod silence;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod snapshots;
mod start;
mod test;
mod this_binary;
