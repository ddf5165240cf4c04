//! Blocks that one language allocated and the other one freed, by both stacks.
//!
//! Such a free works as long as both languages have one heap. It breaks where Rust gets another
//! allocator. So the block is forgotten as in any free, and the harness reports the places.
//!
//! The table takes no lock, and needs no memory. When it is full, further places are left out.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::trace::contexts;
use crate::trace::stack_id::StackId;
use crate::trace::state::{FOR_HARNESS, TRACING};

/// The most places.
const MOST: usize = 256;

/// One place: the stack that allocates in the upper half of `stacks`, and the one that frees in the
/// lower half. 0 is an empty place.
struct Place {
    stacks: AtomicU64,
    blocks: AtomicU64,
}

static PLACES: [Place; MOST] =
    [const { Place { stacks: AtomicU64::new(0), blocks: AtomicU64::new(0) } }; MOST];

/// Blocks that one language allocated and the other one freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatched {
    /// The stack that allocated them. It tells the language.
    pub allocated: StackId,
    /// The stack that freed them.
    pub freed: StackId,
    /// Their number.
    pub blocks: u64,
}

/// Whether a block of this stack, which this language frees, is to be noted. The harness alone
/// reads the table.
#[inline]
pub fn is_one(allocated: StackId, freeing: u32) -> bool {
    allocated != StackId::OURS
        && TRACING.flags() & FOR_HARNESS != 0
        && contexts::domain(allocated) != freeing
}

/// Notes a block.
#[cold]
pub fn note(allocated: StackId, freed: StackId) {
    if freed == StackId::OURS {
        return;
    }
    let stacks = u64::from(allocated.0) << 32 | u64::from(freed.0);
    for place in &PLACES {
        let found = place.stacks.compare_exchange(0, stacks, Ordering::Relaxed, Ordering::Relaxed);
        if found.is_ok() || found == Err(stacks) {
            place.blocks.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
}

/// All places so far.
pub fn all() -> impl Iterator<Item = Mismatched> {
    PLACES.iter().map_while(|place| {
        let stacks = place.stacks.load(Ordering::Relaxed);
        (stacks != 0).then(|| Mismatched {
            allocated: StackId((stacks >> 32) as u32),
            freed: StackId(stacks as u32),
            blocks: place.blocks.load(Ordering::Relaxed),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_noted_once_and_its_blocks_are_counted() {
        let (one, other, freed) = (StackId(700), StackId(701), StackId(702));
        for allocated in [one, other, one] {
            note(allocated, freed);
        }
        note(one, StackId::OURS);
        let of = |stack| all().filter(move |found| found.allocated == stack).collect::<Vec<_>>();
        assert_eq!(of(one), [Mismatched { allocated: one, freed, blocks: 2 }]);
        assert_eq!(of(other), [Mismatched { allocated: other, freed, blocks: 1 }]);
    }
}
