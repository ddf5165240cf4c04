//! A two-level array over the address space: one 32-bit slot for every 8 bytes, made for 4 MiB of addresses at a time.
//!
//! A look-up is two loads, takes no lock, never resizes, and costs the same however many blocks are live; neighbours in
//! the heap are neighbours here. A block's slots are written by the thread that allocates it and cleared by the one that
//! frees it, and whoever passes the pointer from one to the other orders the two, so relaxed operations are enough.
//!
//! The slot of a block's first byte:
//!
//! | bit 31 | bits 27 to 30 | bits 0 to 26 |
//! |---|---|---|
//! | 1: a block begins here | 0 to 8: its size; 9: the size is in the next slot; 10: in the next two | id of its stack |
//!
//! Slots that hold sizes have bit 31 clear, so no pointer into a block can be taken for a block. Blocks that begin at
//! an address that is no multiple of 8, or beyond the map, have no slot: they go to the table.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::Block;
use crate::memory;
use crate::stacks::{MAX_STACKS, StackId};

/// Bits of an address that programs see: 47 on x86-64, 48 on AArch64 and others.
const ADDRESS_BITS: u32 = if cfg!(target_arch = "x86_64") { 47 } else { 48 };
const LEAF_BITS: u32 = 22;
const LEAVES: usize = 1 << (ADDRESS_BITS - LEAF_BITS);
const SLOTS: usize = 1 << (LEAF_BITS - 3);

const BEGINS: u32 = 1 << 31;
const SIZE_SHIFT: u32 = 27;
const SIZE_IN_ONE: u32 = 9;
const SIZE_IN_TWO: u32 = 10;
const SIZE_BITS: u32 = 31;

const _: () = assert!(MAX_STACKS == 1 << SIZE_SHIFT);

/// The slots of 4 MiB of addresses.
type Leaf = [AtomicU32; SLOTS];

static ROOT: AtomicPtr<AtomicPtr<Leaf>> = AtomicPtr::new(ptr::null_mut());

/// Reserves the first level. False where the system does not give so much address space.
pub fn prepare() -> bool {
    if !ROOT.load(Ordering::Acquire).is_null() {
        return true;
    }
    let Some(root) = memory::reserve(LEAVES * size_of::<AtomicPtr<Leaf>>()) else { return false };
    // Of two threads that come here at once one loses; its reservation is address space that is never touched.
    let root = root.cast::<AtomicPtr<Leaf>>().as_ptr();
    let _ = ROOT.compare_exchange(ptr::null_mut(), root, Ordering::AcqRel, Ordering::Acquire);
    true
}

#[inline(always)]
pub fn insert(address: usize, block: Block) -> bool {
    if !address.is_multiple_of(8) {
        return false;
    }
    let Some(leaf) = leaf_or_new(address) else { return false };
    let index = slot_index(address);
    let first = BEGINS | block.id.0;
    if block.size <= 8 {
        leaf[index].store(first | (block.size as u32) << SIZE_SHIFT, Ordering::Relaxed);
        return true;
    }
    if block.size >> SIZE_BITS == 0
        && let Some(second) = leaf.get(index + 1)
    {
        second.store(block.size as u32, Ordering::Relaxed);
        leaf[index].store(first | SIZE_IN_ONE << SIZE_SHIFT, Ordering::Relaxed);
        return true;
    }
    insert_elsewhere(leaf, address, block)
}

/// A block whose size does not fit into one slot, or whose next slot is in the next leaf.
#[cold]
fn insert_elsewhere(leaf: &Leaf, address: usize, block: Block) -> bool {
    let words = if block.size >> SIZE_BITS == 0 { SIZE_IN_ONE } else { SIZE_IN_TWO };
    for word in 0..(words - SIZE_IN_ONE + 1) as usize {
        let place = address + 8 * (word + 1);
        let Some(leaf) = leaf_or_new(place) else { return false };
        let part = (block.size >> (SIZE_BITS as usize * word)) as u32 & (BEGINS - 1);
        leaf[slot_index(place)].store(part, Ordering::Relaxed);
    }
    leaf[slot_index(address)].store(BEGINS | words << SIZE_SHIFT | block.id.0, Ordering::Relaxed);
    true
}

#[inline(always)]
pub fn remove(address: usize) -> Option<Block> {
    let leaf = leaf(address)?;
    let index = slot_index(address);
    if !address.is_multiple_of(8) {
        return None;
    }
    let first = leaf[index].load(Ordering::Relaxed);
    if first & BEGINS == 0 {
        return None;
    }
    leaf[index].store(0, Ordering::Relaxed);
    let id = StackId(first & (MAX_STACKS - 1));
    let words = first >> SIZE_SHIFT & 0xF;
    if words <= 8 {
        return Some(Block { id, size: words as usize });
    }
    if words == SIZE_IN_ONE
        && let Some(second) = leaf.get(index + 1)
    {
        let size = second.load(Ordering::Relaxed) as usize;
        second.store(0, Ordering::Relaxed);
        return Some(Block { id, size });
    }
    Some(Block { id, size: remove_size(address, words) })
}

#[cold]
fn remove_size(address: usize, words: u32) -> usize {
    let mut size = 0;
    for word in 0..(words - SIZE_IN_ONE + 1) as usize {
        let place = address + 8 * (word + 1);
        if let Some(leaf) = leaf(place) {
            let slot = &leaf[slot_index(place)];
            size |= (slot.load(Ordering::Relaxed) as usize) << (SIZE_BITS as usize * word);
            slot.store(0, Ordering::Relaxed);
        }
    }
    size
}

#[inline(always)]
fn slot_index(address: usize) -> usize {
    address >> 3 & (SLOTS - 1)
}

#[inline(always)]
fn entry(address: usize) -> Option<&'static AtomicPtr<Leaf>> {
    let root = NonNull::new(ROOT.load(Ordering::Acquire))?;
    if address >> ADDRESS_BITS != 0 {
        return None;
    }
    // SAFETY: the first level has an entry for each of the 2^ADDRESS_BITS addresses and is never unmapped; zeroed
    // memory is a null pointer.
    Some(unsafe { root.add(address >> LEAF_BITS).as_ref() })
}

#[inline(always)]
fn leaf(address: usize) -> Option<&'static Leaf> {
    // SAFETY: a published leaf has SLOTS zeroed or written slots and is never unmapped.
    unsafe { entry(address)?.load(Ordering::Acquire).as_ref() }
}

#[inline(always)]
fn leaf_or_new(address: usize) -> Option<&'static Leaf> {
    match leaf(address) {
        Some(leaf) => Some(leaf),
        None => new_leaf(address),
    }
}

#[cold]
fn new_leaf(address: usize) -> Option<&'static Leaf> {
    let entry = entry(address)?;
    let new = memory::reserve(size_of::<Leaf>())?.cast::<Leaf>().as_ptr();
    let published = match entry.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => new,
        Err(other) => {
            #[cfg(unix)]
            // SAFETY: `new` was mapped with this size just now and nobody else has seen it.
            unsafe {
                libc::munmap(new.cast(), size_of::<Leaf>())
            };
            other
        }
    };
    // SAFETY: a published leaf has SLOTS zeroed or written slots and is never unmapped.
    unsafe { published.as_ref() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses that nothing is mapped at: the map never touches the blocks themselves.
    const FREE: usize = 0x1234_5640_0000;

    #[test]
    fn every_size_comes_back() {
        assert!(prepare());
        let id = StackId(MAX_STACKS - 1);
        for size in [0, 1, 7, 8, 9, 4096, (1 << 31) - 1, 1 << 31, (1 << 31) + 5, isize::MAX as usize >> 1] {
            assert!(insert(FREE, Block { id, size }));
            assert_eq!(remove(FREE), Some(Block { id, size }));
            assert_eq!(remove(FREE), None);
        }
    }

    #[test]
    fn sizes_cross_into_the_next_leaf() {
        assert!(prepare());
        let last = FREE + (1 << LEAF_BITS) - 8;
        for address in [last, last - 8] {
            for size in [8, 100, 1 << 40] {
                assert!(insert(address, Block { id: StackId(5), size }));
                assert_eq!(remove(address + 8), None, "a size is no block");
                assert_eq!(remove(address), Some(Block { id: StackId(5), size }));
            }
        }
    }

    #[test]
    fn what_the_map_has_no_place_for_is_refused() {
        assert!(prepare());
        assert!(!insert(FREE + 1, Block { id: StackId(1), size: 3 }));
        assert!(!insert(1 << ADDRESS_BITS, Block { id: StackId(1), size: 3 }));
        assert_eq!(remove(usize::MAX), None);
    }
}
