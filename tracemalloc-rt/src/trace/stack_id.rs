//! Stacks: the paths of the calling context tree that blocks were allocated by, each named by a
//! small number.

use crate::trace::contexts::Context;

/// The name of a stack: the number of its innermost context. 25 bits, because that is what a slot
/// of the shadow map has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StackId(pub(crate) u32);

impl StackId {
    /// Of every block that is allocated while a thread is paused, whatever its stack: they are
    /// known, so that nobody takes what the harness keeps for what the program keeps, and are
    /// no part of what is live.
    pub(crate) const OURS: Self = Self(0);

    /// That which ends in this context.
    #[inline(always)]
    pub(crate) fn of(context: Context) -> Self {
        Self(context.number())
    }

    pub(crate) fn context(self) -> Context {
        Context::numbered(self.0)
    }
}

/// One more than the largest id.
pub(crate) const MAX_STACKS: u32 = 1 << 25;
/// The most physical frames that are kept of a stack.
pub const MAX_DEPTH: usize = MAX_NFRAME as usize + FRAMES_OF_STD;
/// The most frames that a program can ask for.
pub const MAX_NFRAME: u32 = 65_535;
/// Between the allocator and the program's line lie up to 35 frames of the standard library, so at
/// least this many physical frames are captured beyond those that are shown.
pub const FRAMES_OF_STD: usize = 48;

/// The return addresses of a stack, innermost first.
pub fn addresses(id: StackId) -> impl Iterator<Item = usize> {
    id.context().addresses()
}

/// How many frames the stack had before it was cut to the most that are kept.
pub fn total(id: StackId) -> u32 {
    addresses(id).count() as u32 + id.context().beyond()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::contexts;

    fn path(beyond: u32, addresses: &[usize]) -> StackId {
        let root = contexts::root(0, beyond).expect("there is memory");
        StackId::of(
            addresses
                .iter()
                .fold(root, |context, address| context.call(*address).expect("there is memory")),
        )
    }

    #[test]
    fn what_was_cut_off_is_counted() {
        let (whole, cut) = (path(0, &[3, 2, 1]), path(6, &[3, 2, 1]));
        assert_ne!(whole, cut);
        assert_eq!((total(whole), total(cut)), (3, 9));
        assert_eq!(addresses(cut).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
