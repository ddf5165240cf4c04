//! The search on systems where it is not implemented: an error.

use core::time::Duration;

use crate::heap::holdings::Holdings;
use crate::heap::known_holder::KnownHolder;
use crate::heap::retained::Found;
use crate::heap::search_place::SearchPlace;
use crate::heap::stranger::Stranger;
use crate::model::domain::Domain;
use crate::trace::stack_id::StackId;

const ELSEWHERE: &str = "the heap is searched on Linux alone, on x86-64 and AArch64";

/// Fails: the function of this name for Linux looks up what holds blocks.
///
/// # Errors
///
/// Always.
pub fn look_up(
    _: &[StackId],
    _: &[KnownHolder<'_>],
    _: &[Stranger],
    _: usize,
    _: SearchPlace,
    _: Duration,
) -> Result<Found, &'static str> {
    Err(ELSEWHERE)
}

/// Fails: the function of this name for Linux sums all live blocks by holder.
///
/// # Errors
///
/// Always.
pub fn holdings(_: usize, _: Domain) -> Result<Holdings, &'static str> {
    Err(ELSEWHERE)
}
