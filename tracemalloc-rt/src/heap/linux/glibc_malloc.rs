//! What of the memory of the GNU C library's `malloc` is in use.
//!
//! A freed block still holds the pointers that it held, and they would make a lost block look held.
//! So the chunks of the heap are walked, along the sizes that each has in front of it: a free one
//! is told by the next one's flag, or, where it lies in a thread's cache, by being on the lists of
//! that cache, which is a chunk itself. Chunks in use that are not ours are blocks of C, and
//! of what the program allocated while it was not traced.
//!
//! A walk has to come out exactly at the heap's end. Where it does not, because the heap is another
//! library's or in another form, all of the heap counts as in use.

use crate::heap::linux::blocks::Block;
use crate::heap::linux::list::List;
use crate::heap::linux::maps::{Backing, Mapping};

/// Before the memory of a chunk: the size of the free chunk before it, and its own size with three
/// flags.
const HEADER: usize = 16;
const SMALLEST: usize = 32;
const FLAGS: usize = 7;
const PREVIOUS_IN_USE: usize = 1;
const MAPPED: usize = 2;

/// Sizes that a thread's cache has lists for, and its own size.
const LISTS: usize = 64;
const CACHE: usize = LISTS * (2 + 8) + 8;

/// Heaps of threads are aligned to this.
const ARENA: usize = 64 << 20;
/// Where the first chunk of a thread's first heap may lie, from the start of the arena's state: its
/// size has been this for many versions, and the alignment leaves some freedom.
const STATE: core::ops::RangeInclusive<usize> = 0x880..=0x8c0;

/// Addresses from (inclusive) and to (exclusive).
pub type Range = (usize, usize);

/// What was found out.
#[derive(Debug)]
pub struct CHeap {
    /// Chunks in use that are not traced.
    pub chunks: List<Block>,
    /// Heaps that were walked to their end: what is neither traced nor in `chunks` is free there.
    pub walked: List<Range>,
}

/// Walks all heaps. `traced` are the traced blocks, sorted. `None` where the system has no memory.
pub fn walk(mappings: &[Mapping], traced: &[Block]) -> Option<CHeap> {
    let mut heap = CHeap { chunks: List::new(), walked: List::new() };
    for mapping in mappings {
        if !mapping.readable || !mapping.writable || mapping.shared {
            continue;
        }
        if mapping.backing == Backing::Heap {
            if heap.walk(mapping.start.next_multiple_of(HEADER), mapping.end, traced)? {
                heap.walked((mapping.start, mapping.end))?;
            }
        } else if mapping.backing == Backing::Nothing {
            // The kernel joins neighbours, so a thread's heap may begin inside a mapping.
            for start in (mapping.start.next_multiple_of(ARENA)..mapping.end).step_by(ARENA) {
                heap.walk_arena(start, mapping, traced)?;
            }
        }
    }
    heap.leave_out_cached()?;
    Some(heap)
}

/// The address behind the chunk of a block, which is the next chunk's: `malloc`'s own lists may
/// point there, and it may still be inside the block, because a chunk in use reaches into the next
/// one's header.
pub fn chunk_end(block: &Block) -> usize {
    (block.start - HEADER).wrapping_add(word(block.start - 8) & !FLAGS)
}

impl CHeap {
    /// Leaves out chunks that are free, in the cache of some thread.
    fn leave_out_cached(&mut self) -> Option<()> {
        let mut cached = List::new();
        for chunk in self.chunks.iter().filter(|chunk| chunk.size == CACHE) {
            let before = cached.len();
            if !self.is_cache(chunk.start, &mut cached)? {
                while cached.len() > before {
                    cached.pop();
                }
            }
        }
        cached.sort_unstable();
        let mut kept = 0;
        for index in 0..self.chunks.len() {
            let chunk = self.chunks[index];
            if cached.binary_search(&chunk.start).is_err() {
                self.chunks[kept] = chunk;
                kept += 1;
            }
        }
        while self.chunks.len() > kept {
            self.chunks.pop();
        }
        Some(())
    }

    /// Whether a chunk is the cache of a thread: for each size the number of free chunks, 16 bits,
    /// and then for each size the first of them. Each has the next in its first word, mixed
    /// with its own address, and in its second word a number that is the same in all. Adds the
    /// chunks to `cached`.
    fn is_cache(&self, cache: usize, cached: &mut List<usize>) -> Option<bool> {
        let mut mark = None;
        for list in 0..LISTS {
            let count = word(cache + list * 2 / 8 * 8) >> (list % 4 * 16) & 0xFFFF;
            let mut chunk = word(cache + LISTS * 2 + list * 8);
            for _ in 0..count {
                let place = self.chunks.binary_search_by_key(&chunk, |chunk| chunk.start);
                let has_size = place
                    .is_ok_and(|place| self.chunks[place].size == SMALLEST - 8 + list * HEADER);
                if !has_size || *mark.get_or_insert(word(chunk + 8)) != word(chunk + 8) {
                    return Some(false);
                }
                if !cached.push(chunk) {
                    return None;
                }
                chunk = word(chunk) ^ chunk >> 12;
            }
            if chunk != 0 {
                return Some(false);
            }
        }
        Some(mark.is_some())
    }

    /// Walks what begins at an address, if it is a thread's heap. `None` where the system has no
    /// memory.
    fn walk_arena(&mut self, start: usize, mapping: &Mapping, traced: &[Block]) -> Option<()> {
        if mapping.end - start < 4096 {
            return Some(());
        }
        // The arena's state, the heap before it, its size, and how much of it was ever made
        // accessible.
        let [state, _, size, accessible] = [0, 8, 16, 24].map(|place| word(start + place));
        let is_heap =
            (4096..=accessible).contains(&size) && accessible <= ARENA && size.is_multiple_of(4096);
        if !is_heap || accessible > mapping.end - start {
            return Some(());
        }
        let end = start + size;
        let is_first = (0..=64).contains(&state.wrapping_sub(start));
        // A further heap of an arena has no state in it, only a few words about it.
        let (first, last) = if is_first {
            (state + STATE.start(), state + STATE.end())
        } else {
            (start + 0x20, start + 0x40)
        };
        for first in (first..=last).step_by(HEADER) {
            if self.walk(first.next_multiple_of(HEADER), end, traced)? {
                // What lies between the end and what is accessible, the heap has shrunk by.
                return self.walked((start, start + accessible));
            }
        }
        Some(())
    }

    fn walked(&mut self, range: Range) -> Option<()> {
        self.walked.push(range).then_some(())
    }

    /// Walks from the first chunk. False where that does not lead to the end; then nothing was
    /// added.
    fn walk(&mut self, first: usize, end: usize, traced: &[Block]) -> Option<bool> {
        let before = self.chunks.len();
        let mut next_traced = traced.partition_point(|block| block.start < first);
        let mut chunk = first;
        let mut steps = 0_usize;
        loop {
            if chunk + SMALLEST > end {
                // Two headers without a chunk close a heap that is not its arena's last.
                if steps > 0 && end - chunk <= SMALLEST {
                    return Some(true);
                }
                break;
            }
            let size = word(chunk + 8) & !FLAGS;
            if size == HEADER && end - chunk <= 2 * HEADER && steps > 0 {
                return Some(true);
            }
            let Some(next) = chunk.checked_add(size).filter(|next| *next <= end) else { break };
            if size < SMALLEST || !size.is_multiple_of(HEADER) || word(chunk + 8) & MAPPED != 0 {
                break;
            }
            if next == end {
                // What is left of the heap.
                return Some(true);
            }
            if next + HEADER > end {
                break;
            }
            let start = chunk + HEADER;
            while traced.get(next_traced).is_some_and(|block| block.start < start) {
                next_traced += 1;
            }
            let is_traced = traced.get(next_traced).is_some_and(|block| block.start < next);
            let in_use = word(next + 8) & PREVIOUS_IN_USE != 0;
            if in_use && !is_traced && !self.chunks.push(Block::new(start, size - 8, 0)) {
                return None;
            }
            chunk = next;
            steps += 1;
        }
        while self.chunks.len() > before {
            self.chunks.pop();
        }
        Some(false)
    }
}

fn word(address: usize) -> usize {
    // SAFETY: callers give addresses inside a mapping that can be read and is only this copy's.
    unsafe { core::ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}

/// Has `malloc` put small free chunks, which look as if they were in use, together with their
/// neighbours. It gives free pages back to the system on the way.
pub fn tidy() {
    #[cfg(target_env = "gnu")]
    // SAFETY: may be called at any time; touches free memory alone.
    unsafe {
        libc::malloc_trim(0)
    };
}
