//! A stranger to a known holder: a stack whose blocks the holder does not own.
//!
//! Memory that the holder allocated and did not fill may still contain the words of an earlier
//! owner. They are no pointers of the holder, so they must not excuse a lost block.

use crate::trace::stack_id::StackId;

/// A stack whose blocks a known holder does not own, although its words lead to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stranger {
    /// The holder's number in the list of known holders.
    pub holder: u32,
    /// The stack.
    pub stack: StackId,
}
