//! No walks by unwind rules: on other systems than x86-64 Linux with glibc, the unwinder walks.

use crate::trace::capture::captured::Captured;
use crate::trace::capture::frame_pointer::{Bounds, Here};
use crate::trace::contexts::Context;

/// Prepares nothing.
pub fn prepare() {}

/// True, because no rule tells.
pub fn keeps_frame_pointer(_here: Here) -> bool {
    true
}

/// `None`: there are no rules.
pub fn agrees(
    _chain: Context,
    _is_cut: bool,
    _bounds: Bounds,
    _here: Here,
    _outermost: usize,
) -> Option<bool> {
    None
}

/// False: there are no rules.
pub fn capture(_captured: &mut Captured, _bounds: Bounds, _here: Here) -> bool {
    false
}
