//! The symbolizer of the installed runtime's stacks.

use std::sync::Arc;

use crate::bridge;
use crate::names::named_frame::NamedFrame;
use crate::names::origin;
use crate::names::symbolizer::Symbolizer;
use crate::trace::stack_id::StackId;
use crate::trace::thread;

/// Names the frames of stacks, each address once.
#[derive(Debug, Clone, Default)]
pub struct StackSymbolizer {
    symbolizer: Symbolizer,
}

impl StackSymbolizer {
    /// Announces stacks that [`StackSymbolizer::frames`] will be called with: a provider of names
    /// then gets one request for all of them.
    pub fn prepare(&mut self, stacks: impl IntoIterator<Item = StackId>) {
        let _pause = thread::pause();
        self.symbolizer.prepare(stacks.into_iter().flat_map(bridge::addresses));
    }

    /// The frames of a stack, innermost first, up to where tracebacks end.
    pub fn frames(&mut self, stack: StackId) -> Vec<Arc<NamedFrame>> {
        self.symbolizer.frames(&bridge::addresses(stack), origin::ends_traceback).0
    }

    /// The same frames, if the stack was recorded up to there and all of them have names.
    pub fn whole_frames(&mut self, stack: StackId) -> Option<Vec<Arc<NamedFrame>>> {
        let (frames, is_whole) =
            self.symbolizer.frames(&bridge::addresses(stack), origin::ends_traceback);
        (is_whole && frames.iter().all(|frame| !frame.path().is_empty())).then_some(frames)
    }
}
