//! Heads of lost blocks: for every lost block, the lost block that a report names in its place.

use crate::heap::linux::blocks::NONE;
use crate::heap::linux::list::{self, List};
use crate::heap::linux::reachability::Reachability;
use crate::heap::linux::reply::Hindrance;

const OUT_OF_MEMORY: Hindrance = Hindrance::Memory;

/// Blocks that are being looked into, outermost first, each with the address of its next word.
type Way = List<(u32, usize)>;

/// For every block, the number of its head; [`NONE`] for a block that is not lost.
///
/// The head leads to the block. No lost block leads to the head, except from a cycle that both are
/// on. The head of a cycle is its first block by stack, which is the oldest stack.
pub fn heads_of_lost(reached: &Reachability<'_>) -> Result<List<u32>, Hindrance> {
    let count = reached.blocks.len();
    // SAFETY: zero is a valid number.
    let mut heads: List<u32> = unsafe { List::zeroed(count) }.ok_or(OUT_OF_MEMORY)?;
    let mut lost = List::new();
    for number in 0..count {
        heads[number] = NONE;
        let block = &reached.blocks[number];
        if block.root == NONE && block.is_traced() && !lost.push(number as u32) {
            return Err(OUT_OF_MEMORY);
        }
    }
    let order = |number: u32| (reached.blocks[number as usize].stack, number);
    list::sort(&mut lost, &|a, b| order(a).cmp(&order(b)));
    let left = depth_first(reached, &lost)?;
    // In reverse, every block comes after the blocks that lead to it, except on cycles.
    let mut way = Way::new();
    for head in left.iter().rev() {
        if heads[*head as usize] != NONE {
            continue;
        }
        heads[*head as usize] = *head;
        let mut has_room = way.push(beginning(reached, *head));
        while let Some((number, address)) = way.pop() {
            let is_new = |next: usize, _| heads[next] == NONE;
            if let Some((next, behind)) = reached.next_lost(number as usize, address, is_new)? {
                heads[next] = *head;
                has_room = has_room
                    && way.push((number, behind))
                    && way.push(beginning(reached, next as u32));
            }
            if !has_room {
                return Err(OUT_OF_MEMORY);
            }
        }
        reached.in_time()?;
    }
    Ok(heads)
}

/// The lost blocks, in the order in which a depth-first search leaves them.
fn depth_first(reached: &Reachability<'_>, lost: &[u32]) -> Result<List<u32>, Hindrance> {
    let mut left = List::new();
    // SAFETY: zero is a valid number.
    let mut entered: List<u8> =
        unsafe { List::zeroed(reached.blocks.len()) }.ok_or(OUT_OF_MEMORY)?;
    let mut way = Way::new();
    for first in lost {
        if entered[*first as usize] != 0 {
            continue;
        }
        entered[*first as usize] = 1;
        let mut has_room = way.push(beginning(reached, *first));
        while let Some((number, address)) = way.pop() {
            match reached.next_lost(number as usize, address, |next, _| entered[next] == 0)? {
                Some((next, behind)) => {
                    entered[next] = 1;
                    has_room = has_room
                        && way.push((number, behind))
                        && way.push(beginning(reached, next as u32));
                }
                None => has_room = has_room && left.push(number),
            }
            if !has_room {
                return Err(OUT_OF_MEMORY);
            }
        }
        reached.in_time()?;
    }
    Ok(left)
}

/// A block with the address of its first word.
fn beginning(reached: &Reachability<'_>, number: u32) -> (u32, usize) {
    (number, reached.blocks[number as usize].start.next_multiple_of(8))
}
