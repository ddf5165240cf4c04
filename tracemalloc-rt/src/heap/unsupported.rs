//! Where the heap cannot be searched: the answer says so.

use crate::heap::{Found, Holdings, KnownHolder};
use crate::trace::stack_id::StackId;

const ELSEWHERE: &str = "the heap is searched on Linux alone, on x86-64 and AArch64";

/// See the other one.
///
/// # Errors
///
/// Always.
pub fn look_up(_: &[StackId], _: &[KnownHolder<'_>], _: usize) -> Result<Found, &'static str> {
    Err(ELSEWHERE)
}

/// See the other one.
///
/// # Errors
///
/// Always.
pub fn holdings(_: usize) -> Result<Holdings, &'static str> {
    Err(ELSEWHERE)
}
