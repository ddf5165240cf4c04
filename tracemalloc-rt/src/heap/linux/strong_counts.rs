//! Strong counts of the `Rc` and `Arc` blocks on a cycle, where lost pointers explain them.

use crate::heap::linux::list::List;
use crate::heap::linux::reachability::Reachability;
use crate::heap::linux::reply::{Hindrance, MOST_STEPS};

/// For each block of a cycle, the number of strong handles to it; 0 if that is not proven.
///
/// The block of an `Rc` or `Arc` begins with a strong and a weak count. All strong handles together
/// have one weak count. So two facts prove that each pointer to the block is a strong handle:
///
/// - the weak count is 1, so there is no `Weak`;
/// - as many lost pointers lead to the block's start as the strong count says.
///
/// The cycle's own pointer must be one of them. For blocks of other types, the result has no
/// meaning.
pub fn strong_counts(
    reached: &Reachability<'_>,
    heads: &List<u32>,
    cycle: &[(u32, u32)],
) -> Result<[u32; MOST_STEPS], Hindrance> {
    let mut counts = [0_u32; MOST_STEPS];
    if cycle.len() > counts.len() {
        return Ok(counts);
    }
    let start_of = |number: u32| reached.blocks[number as usize].start;
    // Every lost block that leads to the cycle has its head.
    let head = cycle.first().map(|(head, _)| *head);
    for number in 0..reached.blocks.len() {
        if Some(heads[number]) != head {
            continue;
        }
        let mut address = reached.blocks[number].start.next_multiple_of(8);
        let place = |block: usize| cycle.iter().position(|(other, _)| *other as usize == block);
        let is_handle = |block: usize, word: usize| {
            place(block).is_some_and(|place| start_of(cycle[place].0) == word)
        };
        while let Some((block, behind)) = reached.next_lost(number, address, is_handle)? {
            if let Some(place) = place(block) {
                counts[place] += 1;
            }
            address = behind;
        }
    }
    for (place, (block, _)) in cycle.iter().enumerate() {
        let (before, pointer) = cycle[place.checked_sub(1).unwrap_or(cycle.len() - 1)];
        let address = start_of(before).saturating_add(pointer as usize);
        let is_this =
            |other: usize, word: usize| other == *block as usize && word == start_of(*block);
        let next = reached.next_lost(before as usize, address, is_this)?;
        let is_handle = next.is_some_and(|(_, behind)| behind == address.saturating_add(8));
        let words = reached.first_words(*block as usize)?;
        if !is_handle || words != Some([counts[place] as usize, 1]) {
            counts[place] = 0;
        }
    }
    reached.in_time()?;
    Ok(counts)
}
