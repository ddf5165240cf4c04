//! The part of a stack that is the program's.

use std::sync::Arc;

use crate::names::named_frame::NamedFrame;
use crate::names::origin;

/// The frames of a stack, innermost first, in two parts. Those of the tracing allocator are left
/// out.
pub struct Trimmed<'a> {
    /// The standard library's between the allocator and the program.
    pub of_std: &'a [Arc<NamedFrame>],
    /// From the innermost one of the program to the outermost one of the program.
    pub of_program: &'a [Arc<NamedFrame>],
}

/// Trims the frames of a stack, which come innermost first.
pub fn trim(frames: &[Arc<NamedFrame>]) -> Trimmed<'_> {
    let without_runtime = after_runtime(frames);
    let inner = without_runtime.iter().position(|frame| !origin::is_std(frame));
    let (of_std, shown) = without_runtime.split_at(inner.unwrap_or(0));
    let outer =
        shown.iter().rposition(|frame| !origin::is_std(frame)).map_or(shown.len(), |last| last + 1);
    Trimmed { of_std, of_program: &shown[..outer] }
}

/// The frames beyond those of the tracing allocator.
pub fn after_runtime(frames: &[Arc<NamedFrame>]) -> &[Arc<NamedFrame>] {
    let inner =
        frames.iter().take_while(|frame| origin::is_runtime(frame) || origin::is_std(frame));
    let last = inner.enumerate().filter(|(_, frame)| origin::is_runtime(frame)).last();
    &frames[last.map_or(0, |(index, _)| index + 1)..]
}
