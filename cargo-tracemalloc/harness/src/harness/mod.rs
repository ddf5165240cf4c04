//! The test harness itself: what a test binary runs in place of libtest.

mod arguments;
mod child;
mod fragment;
mod front;
mod judged;
mod leak_id;
pub mod libtest;
mod limits;
mod placement;
mod process;
mod rules;
mod scratch;
mod settle;
mod silence;
mod start;
mod test;
