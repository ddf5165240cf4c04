//! Memory for the harness, put aside before the body runs. A body may lower the limit on memory so
//! far that the process gets no more.

use tracemalloc::internal;

/// The size of a block. Small enough that the C library keeps it in its heap.
const BLOCK_SIZE: usize = 96 << 10;
/// The number of blocks.
const BLOCKS: usize = 64;

/// The memory.
#[derive(Debug)]
pub struct MemoryReserve {
    blocks: Vec<Vec<u8>>,
    /// A block behind the others. Because of it, their memory stays in the heap when it is free.
    _last: Vec<u8>,
}

impl MemoryReserve {
    /// Puts memory aside, also for the runtime.
    pub fn new() -> Self {
        internal::spare_memory::set_aside();
        // Pages that are never touched cost nothing.
        let blocks = (0..BLOCKS).map(|_| Vec::with_capacity(BLOCK_SIZE)).collect();
        Self { blocks, _last: Vec::with_capacity(64) }
    }

    /// Frees the memory for the harness.
    pub fn release(&mut self) {
        self.blocks.clear();
    }
}
