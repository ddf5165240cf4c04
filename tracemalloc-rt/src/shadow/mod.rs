//! Where every live block is known: by the address of its first byte, the id of its stack and its size.
//!
//! On 64-bit Unix a map of the address space ([`map`]), elsewhere, and for the few blocks that the map has no place for,
//! a table ([`table`]).

#[cfg(all(unix, target_pointer_width = "64"))]
mod map;
mod table;

use crate::stacks::StackId;

/// A live block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub id: StackId,
    pub size: usize,
}

/// Makes what has to be there before the first block. False where every block will be in the table.
pub fn prepare() -> bool {
    #[cfg(all(unix, target_pointer_width = "64"))]
    return map::prepare();
    #[cfg(not(all(unix, target_pointer_width = "64")))]
    false
}

/// Remembers a block that has just been allocated. False when there is no memory for that.
#[inline(always)]
pub fn insert(address: usize, block: Block) -> bool {
    #[cfg(all(unix, target_pointer_width = "64"))]
    if map::insert(address, block) {
        return true;
    }
    table::insert(address, block)
}

/// Forgets the block at an address, and returns what it was. `None` where no traced block begins.
#[inline(always)]
pub fn remove(address: usize) -> Option<Block> {
    #[cfg(all(unix, target_pointer_width = "64"))]
    if let Some(block) = map::remove(address) {
        return Some(block);
    }
    table::remove(address)
}

pub fn before_fork() {
    table::before_fork();
}

pub fn after_fork() {
    table::after_fork();
}
