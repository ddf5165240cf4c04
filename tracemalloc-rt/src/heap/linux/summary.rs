//! The summary of a search: the reached and the lost blocks, as entries of the reply.

use crate::heap::linux::blocks::{Block, FREED, NONE};
use crate::heap::linux::cycles::Cycles;
use crate::heap::linux::heads;
use crate::heap::linux::list::{self, List};
use crate::heap::linux::reachability::{KnownRoot, Reachability};
use crate::heap::linux::reply::{
    Entry, Hindrance, MOST_ENTRIES, MOST_STEPS, Reply, Root, RootKind, Step,
};
use crate::heap::linux::strong_counts::strong_counts;
use crate::heap::retained::Fate;
use crate::model::domain::Domain;
use crate::trace::contexts;
use crate::trace::stack_id::StackId;

const OUT_OF_MEMORY: Hindrance = Hindrance::Memory;
/// The most lost blocks of one stack that are tried for a cycle.
const MOST_HEADS: usize = 16;
/// The most cycles whose strong counts are read: each takes a look at all blocks.
const MOST_COUNTED: usize = 64;
/// The most words that are read for the places of pointers on all paths: a tenth of a second.
const MOST_WORDS: usize = 16 << 20;

/// Writes the entries of the wanted stacks; if `wanted` is empty, of all lost blocks of a domain.
pub fn write_entries(
    reached: &mut Reachability<'_>,
    wanted: &[u32],
    domain: Domain,
    reply: &mut Reply,
) -> Result<(), Hindrance> {
    let heads = heads::heads_of_lost(reached)?;
    let mut cycles = Cycles::new(reached, &heads)?;
    let mut numbers = List::new();
    for number in 0..reached.blocks.len() {
        if is_wanted(&reached.blocks[number], wanted, domain) && !numbers.push(number as u32) {
            return Err(OUT_OF_MEMORY);
        }
    }
    let key = |number: u32| {
        let block = &reached.blocks[number as usize];
        let head = if block.root == NONE { heads[number as usize] } else { number };
        let fate = match block.root {
            NONE if head == number => Fate::Lost,
            NONE => Fate::LostWith,
            FREED => Fate::Freed,
            _ => Fate::Held,
        };
        let head_stack =
            if fate == Fate::LostWith { reached.blocks[head as usize].stack } else { 0 };
        (block.stack, fate, block.root, head_stack)
    };
    // Blocks of one entry lie together. Blocks that a root points to come first.
    let order = |number: u32| (key(number), reached.blocks[number as usize].from & 1, number);
    list::sort(&mut numbers, &|a, b| order(a).cmp(&order(b)));
    let mut hindrances = 0;
    let mut counted = 0;
    let mut words = MOST_WORDS;
    for same in numbers.chunk_by(|a, b| key(*a) == key(*b)) {
        let Some(place) = reply.entries.get_mut(reply.entries_len as usize) else {
            if !wanted.is_empty() {
                hindrances |= Hindrance::Entries as u32;
            }
            break;
        };
        let (stack, fate, _, head) = key(same[0]);
        let bytes = same.iter().map(|number| reached.blocks[*number as usize].size as u64).sum();
        let mut entry = Entry {
            stack,
            fate,
            bytes,
            blocks: same.len() as u64,
            root: Root { kind: RootKind::Foreign, thread: 0, address: 0, number: 0 },
            head,
            steps_len: 0,
            steps: [Step { stack: 0, pointer: 0, strong: 0, size: 0 }; MOST_STEPS],
        };
        match fate {
            Fate::Held => write_path(reached, same[0] as usize, &mut words, &mut entry)?,
            Fate::Lost => {
                let cycle = find_cycle(reached, &mut cycles, same)?;
                counted += usize::from(!cycle.is_empty());
                let strong = if cycle.is_empty() || counted > MOST_COUNTED {
                    [0; MOST_STEPS]
                } else {
                    strong_counts(reached, &heads, cycle)?
                };
                write_cycle(reached, cycle, strong, &mut entry);
            }
            Fate::LostWith | Fate::Freed => {}
        }
        *place = entry;
        reply.entries_len += 1;
    }
    const { assert!(MOST_ENTRIES < u32::MAX as usize) };
    reached.hindrances |= hindrances;
    Ok(())
}

fn is_wanted(block: &Block, wanted: &[u32], domain: Domain) -> bool {
    if wanted.is_empty() {
        is_of(block, domain) && block.root == NONE
    } else {
        block.is_traced() && wanted.binary_search(&block.stack).is_ok()
    }
}

/// Whether a block is traced, and of a domain.
pub fn is_of(block: &Block, domain: Domain) -> bool {
    let of_block = || Domain::numbered(contexts::domain(StackId(block.stack)));
    block.is_traced() && domain.counts(of_block())
}

/// Writes the path from the root to a block: its first steps, and the block itself as the last.
/// Reads at most so many `words` of the blocks on it.
fn write_path(
    reached: &Reachability<'_>,
    block: usize,
    words: &mut usize,
    entry: &mut Entry,
) -> Result<(), Hindrance> {
    let mut ring = [block; MOST_STEPS - 1];
    let mut steps = 0_usize;
    let mut number = block;
    let address = loop {
        ring[steps % ring.len()] = number;
        steps += 1;
        let from = reached.blocks[number].from;
        if from & 1 == 0 {
            break from;
        }
        number = from >> 1;
    };
    entry.root = root_at(&reached.roots[reached.blocks[block].root as usize], address);
    entry.steps_len = steps as u32;
    let shown = steps.min(ring.len());
    for (place, step) in entry.steps.iter_mut().zip((0..shown).map(|back| steps - 1 - back)) {
        let number = ring[step % ring.len()];
        *place = step_of(&reached.blocks[number]);
        let next = match step {
            0 => continue,
            // The ring has the last one no more, unless it is the block itself.
            _ if step + ring.len() == steps => Some(block).filter(|_| step == 1),
            _ => Some(ring[(step - 1) % ring.len()]),
        };
        let offset = match next {
            Some(next) => reached.offset_of_pointer(number, next, words)?,
            None => None,
        };
        place.pointer = offset.and_then(|offset| u32::try_from(offset).ok()).unwrap_or(NONE);
    }
    if steps > shown {
        entry.steps[shown] = step_of(&reached.blocks[block]);
    }
    Ok(())
}

/// Finds the first cycle that one of these heads begins. Empty if there is none.
fn find_cycle<'a>(
    reached: &Reachability<'_>,
    cycles: &'a mut Cycles<'_>,
    heads: &[u32],
) -> Result<&'a [(u32, u32)], Hindrance> {
    for head in heads.iter().take(MOST_HEADS) {
        if !cycles.through(reached, *head)?.is_empty() {
            break;
        }
    }
    Ok(cycles.last())
}

/// Writes a cycle: its first steps and its last, or all.
fn write_cycle(
    reached: &Reachability<'_>,
    cycle: &[(u32, u32)],
    strong: [u32; MOST_STEPS],
    entry: &mut Entry,
) {
    entry.steps_len = cycle.len() as u32;
    let last = cycle.len().saturating_sub(entry.steps.len());
    let shown = cycle.iter().take(entry.steps.len() - usize::from(last > 0));
    let shown = shown.chain(cycle.last().filter(|_| last > 0)).zip(strong);
    for (place, ((number, pointer), strong)) in entry.steps.iter_mut().zip(shown) {
        let step = step_of(&reached.blocks[*number as usize]);
        *place = Step { pointer: *pointer, strong, ..step };
    }
}

fn root_at(root: &KnownRoot, address: usize) -> Root {
    Root { kind: root.kind, thread: root.thread, address, number: root.number }
}

fn step_of(block: &Block) -> Step {
    let stack = if block.is_traced() { block.stack } else { 0 };
    Step { stack, pointer: 0, strong: 0, size: block.size as u64 }
}
