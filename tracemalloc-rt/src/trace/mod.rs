//! The tracer: what an allocation and a free do, and the state that they keep.
//!
//! It may call `os` and `util`. Nothing here may be called while a thread is stopped by a search.

pub mod capture;
pub mod contexts;
pub mod environment;
pub mod fork;
pub mod ledger;
pub mod live;
pub mod scope;
pub mod shadow;
pub mod stack_id;
pub mod thread;
pub mod view;
