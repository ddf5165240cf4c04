//! The chunks in use of the GNU C library's `malloc`.
//!
//! A freed block still contains its old pointers, and they would make lost blocks look held. So the
//! heap is walked from chunk to chunk, by the size in front of each. A chunk is free if a flag in
//! the next one says so, or if it is on a list of a thread's cache. The cache is a chunk itself.
//! Untraced chunks in use are C's, or the program's from before tracing.
//!
//! A walk must end exactly at the heap's end. If it does not, the heap is another library's or has
//! another layout, and all of it counts as in use.

use crate::heap::linux::blocks::Block;
use crate::heap::linux::list::List;
use crate::heap::linux::maps::{Backing, Mapping};
use crate::heap::linux::range::Range;
use crate::heap::linux::thread_cache::{Layout, Reading};

/// A chunk's header: the size of the chunk before, if that is free, and its own size with three
/// flags.
const HEADER: usize = 16;
const SMALLEST: usize = 32;
const FLAGS: usize = 7;
const PREVIOUS_IN_USE: usize = 1;
const MAPPED: usize = 2;

/// The alignment of the heaps of threads.
const ARENA: usize = 64 << 20;
/// Offsets of the first chunk of a thread's first heap from the arena's state. The state had 0x898
/// bytes for many versions, and has 0x840 in 2.43; alignment adds some bytes.
const STATE: core::ops::RangeInclusive<usize> = 0x830..=0x8c0;

/// The result of a walk.
#[derive(Debug)]
pub struct CHeap {
    /// Untraced chunks in use.
    pub chunks: List<Block>,
    /// Starts of traced blocks in free chunks, and of those that are larger than their chunk, which
    /// C uses again: C has freed them past the runtime.
    pub freed: List<usize>,
    /// Heaps that were walked to their end. Memory in them that is neither traced nor in `chunks`
    /// is free.
    pub walked: List<Range>,
    /// Whether the cache of at least one thread was recognised.
    pub has_caches: bool,
}

/// Walks all heaps. `traced` are the traced blocks, sorted; `layout` is that of thread caches, if
/// there are any. `None` if the system has no memory.
pub fn walk(mappings: &[Mapping], traced: &[Block], layout: Option<&Layout>) -> Option<CHeap> {
    let mut heap =
        CHeap { chunks: List::new(), freed: List::new(), walked: List::new(), has_caches: false };
    for mapping in mappings {
        if !mapping.readable || !mapping.writable || mapping.shared {
            continue;
        }
        if mapping.backing == Backing::Heap {
            if heap.walk(mapping.start.next_multiple_of(HEADER), mapping.end, traced)? {
                heap.walked((mapping.start, mapping.end))?;
            }
        } else if mapping.backing == Backing::Nothing {
            // The kernel joins adjacent mappings, so a thread's heap may begin inside of one.
            for start in (mapping.start.next_multiple_of(ARENA)..mapping.end).step_by(ARENA) {
                heap.walk_arena(start, mapping, traced)?;
            }
        }
    }
    if let Some(layout) = layout {
        heap.remove_cached(layout, traced)?;
    }
    Some(heap)
}

/// The address behind a block's chunk. It is the next chunk's address, so `malloc`'s lists may
/// contain it. It may be inside the block: a chunk in use extends into the next chunk's header.
pub fn chunk_end(block: &Block) -> usize {
    (block.start - HEADER).wrapping_add(word(block.start - 8) & !FLAGS)
}

impl CHeap {
    /// Removes free chunks that are in the cache of some thread.
    fn remove_cached(&mut self, layout: &Layout, traced: &[Block]) -> Option<()> {
        let mut cached = List::new();
        let mut has_caches = false;
        let size_of =
            |start: usize| match self.chunks.binary_search_by_key(&start, |chunk| chunk.start) {
                Ok(place) => Some(self.chunks[place].size),
                Err(_) if self.is_walked(start) && is_traced(traced, start) => {
                    (word(start - 8) & !FLAGS).checked_sub(8)
                }
                Err(_) => None,
            };
        for chunk in self.chunks.iter().filter(|chunk| chunk.size == layout.size()) {
            let before = cached.len();
            match layout.read(chunk.start, size_of, &mut cached) {
                Reading::Cache => has_caches = true,
                Reading::Other => cached.truncate(before),
                Reading::NoMemory => return None,
            }
        }
        self.has_caches = has_caches;
        cached.sort_unstable();
        for chunk in cached.iter().filter(|chunk| is_traced(traced, **chunk)) {
            self.freed.push(*chunk).then_some(())?;
        }
        let mut kept = 0;
        for index in 0..self.chunks.len() {
            let chunk = self.chunks[index];
            if cached.binary_search(&chunk.start).is_err() {
                self.chunks[kept] = chunk;
                kept += 1;
            }
        }
        self.chunks.truncate(kept);
        Some(())
    }

    /// Walks a thread's heap, if one begins at this address. `None` if the system has no memory.
    fn walk_arena(&mut self, start: usize, mapping: &Mapping, traced: &[Block]) -> Option<()> {
        if mapping.end - start < 4096 {
            return Some(());
        }
        // The arena's state, the previous heap, the size, and the bytes that were ever accessible.
        let [state, _, size, accessible] = [0, 8, 16, 24].map(|place| word(start + place));
        let is_heap =
            (4096..=accessible).contains(&size) && accessible <= ARENA && size % 4096 == 0;
        if !is_heap || accessible > mapping.end - start {
            return Some(());
        }
        let end = start + size;
        let is_first = (0..=64).contains(&state.wrapping_sub(start));
        // A further heap of an arena begins with a few words, without a state.
        let (first, last) = if is_first {
            (state + STATE.start(), state + STATE.end())
        } else {
            (start + 0x20, start + 0x40)
        };
        for first in (first..=last).step_by(HEADER) {
            if self.walk(first.next_multiple_of(HEADER), end, traced)? {
                // The heap has shrunk: memory behind its end may still be accessible.
                return self.walked((start, start + accessible));
            }
        }
        Some(())
    }

    /// Notes that these traced blocks are free, up to an address.
    fn freed(&mut self, traced: &[Block], end: usize) -> Option<()> {
        let mut inside = traced.iter().take_while(|block| block.start < end);
        inside.all(|block| self.freed.push(block.start)).then_some(())
    }

    fn is_walked(&self, address: usize) -> bool {
        self.walked.iter().any(|(low, high)| (*low..*high).contains(&address))
    }

    fn walked(&mut self, range: Range) -> Option<()> {
        self.walked.push(range).then_some(())
    }

    /// Walks from the first chunk. False if the walk does not end at the heap's end: then nothing
    /// is added.
    fn walk(&mut self, first: usize, end: usize, traced: &[Block]) -> Option<bool> {
        let before = (self.chunks.len(), self.freed.len());
        let mut next_traced = traced.partition_point(|block| block.start < first);
        let mut chunk = first;
        let mut steps = 0_usize;
        loop {
            if chunk + SMALLEST > end {
                // Two headers without a chunk end a heap that is not the last of its arena.
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
            if size < SMALLEST || size % HEADER != 0 || word(chunk + 8) & MAPPED != 0 {
                break;
            }
            if next == end {
                // The unused rest of the heap.
                let first = traced.partition_point(|block| block.start < chunk);
                self.freed(&traced[first..], end)?;
                return Some(true);
            }
            if next + HEADER > end {
                break;
            }
            let start = chunk + HEADER;
            while traced.get(next_traced).is_some_and(|block| block.start < start) {
                next_traced += 1;
            }
            let in_use = word(next + 8) & PREVIOUS_IN_USE != 0;
            let mut is_traced = false;
            for block in traced[next_traced..].iter().take_while(|block| block.start < next) {
                // A chunk ends with the first word of the next header.
                if in_use && block.end() <= next + 8 {
                    is_traced = true;
                } else {
                    self.freed.push(block.start).then_some(())?;
                }
            }
            if in_use && !is_traced && !self.chunks.push(Block::new(start, size - 8, 0)) {
                return None;
            }
            chunk = next;
            steps += 1;
        }
        self.chunks.truncate(before.0);
        self.freed.truncate(before.1);
        Some(false)
    }
}

/// Whether a traced block begins at this address.
fn is_traced(traced: &[Block], address: usize) -> bool {
    traced.binary_search_by_key(&address, |block| block.start).is_ok()
}

fn word(address: usize) -> usize {
    // SAFETY: callers give addresses inside a readable private mapping of this copy.
    unsafe { core::ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}

/// Makes `malloc` join small free chunks, which look as if they were in use, with their neighbours.
/// It also returns free pages to the system.
pub fn join_free_chunks() {
    #[cfg(target_env = "gnu")]
    // SAFETY: may be called at any time, and changes only free memory.
    unsafe {
        libc::malloc_trim(0)
    };
}
