//! The known holders of the running process, for loops in its tests.
//!
//! The harness announces the session's list, with the `[[holders]]` of the configuration. A loop
//! reads it, and may belong to another copy of the runtime.

use crate::bridge::heap_search::Known;
use crate::heap::KnownHolder;
use crate::os::fork::ForkLock;

static HOLDERS: ForkLock<Option<&'static [KnownHolder<'static>]>> = ForkLock::new(None);

/// Announces the known holders of this process.
pub fn announce(holders: &'static [KnownHolder<'static>]) {
    HOLDERS.with(|announced| *announced = Some(holders));
}

/// Calls `visit` with its context and each known holder, whose texts are constant. False if the
/// harness has not announced any list.
pub fn for_each(context: *mut u8, visit: extern "C" fn(*mut u8, &Known)) -> bool {
    let Some(holders) = HOLDERS.with(|announced| *announced) else { return false };
    holders.iter().for_each(|holder| visit(context, &Known::of(holder)));
    true
}
