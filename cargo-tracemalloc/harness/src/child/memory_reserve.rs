//! Memory for the harness, put aside before the body runs. A body may lower the limit on memory so
//! far that the process gets no more.

/// The size of a block. Small enough that the C library keeps it in its heap.
const BLOCK_SIZE: usize = 16 << 10;
/// The number of blocks.
const BLOCKS: usize = 32;

/// The memory.
#[derive(Debug)]
pub struct MemoryReserve {
    blocks: Vec<Box<[u8]>>,
    /// A block behind the others. Because of it, their memory stays in the heap when it is free.
    _last: Box<[u8]>,
}

impl MemoryReserve {
    /// Puts memory aside.
    pub fn new() -> Self {
        let block = || vec![1_u8; BLOCK_SIZE].into_boxed_slice();
        let blocks = (0..BLOCKS).map(|_| block()).collect();
        Self { blocks, _last: vec![1_u8; 64].into_boxed_slice() }
    }

    /// Frees the memory for the harness.
    pub fn release(&mut self) {
        self.blocks.clear();
    }
}
