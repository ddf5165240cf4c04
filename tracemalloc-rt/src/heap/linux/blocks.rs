//! All blocks by address: finds the block that contains an address.

use crate::heap::linux::list::List;

/// The stack of blocks of the harness and the symbolizer. Pointers in them are not followed: they
/// hold nothing for the program, and unwritten words may be old pointers.
pub const OURS: u32 = 1 << 31;
/// In place of a root: C has freed the block past the runtime.
pub const FREED: u32 = u32::MAX - 1;
/// No root, and no block.
pub const NONE: u32 = u32::MAX;

/// A block, as the search sees it.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// Address of its first byte.
    pub start: usize,
    /// Its size in bytes.
    pub size: usize,
    /// The place of the pointer that leads to it: `2n + 1` for block `n`; for a root, the even
    /// address of the pointer.
    pub from: usize,
    /// The stack that allocated it; 0 for an untraced block, or [`OURS`].
    pub stack: u32,
    /// The root that leads to it, or [`NONE`], or [`FREED`].
    pub root: u32,
}

const _: () = assert!(size_of::<Block>() == 32);

const REGION_BITS: u32 = 21;
const PAGE_BITS: u32 = 12;
const PAGES: usize = 1 << (REGION_BITS - PAGE_BITS);

/// Two mebibytes of addresses.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Region {
    /// The address >> REGION_BITS, plus 1; 0 is an empty place.
    key: usize,
    /// For each page, the number of the first block in it, plus 1; 0 is none.
    first: [u32; PAGES],
}

/// All blocks, sorted, with an index by page.
#[derive(Debug)]
pub struct Blocks {
    blocks: List<Block>,
    regions: List<Region>,
    /// Numbers in `regions` by key, plus 1: open addressing; 0 is an empty place.
    table: List<u32>,
    low: usize,
    high: usize,
}

impl Blocks {
    /// Indexes blocks, which may come in any order. `None` if the system has no memory.
    ///
    /// Where a block begins at the address of a freed one, a pointer leads to the former.
    pub fn new(mut blocks: List<Block>) -> Option<Self> {
        let order = |block: &Block| (block.start, block.root != FREED);
        if !blocks.is_sorted_by_key(order) {
            blocks.sort_unstable_by_key(order);
        }
        let low = blocks.first().map_or(0, |block| block.start);
        let high = blocks.last().map_or(0, |block| block.end().saturating_add(1));
        // SAFETY: zero is a valid number.
        let table = unsafe { List::zeroed(1 << 10) }?;
        let mut index = Self { blocks: List::new(), regions: List::new(), table, low, high };
        for (number, block) in blocks.iter().enumerate() {
            for page in block.start >> PAGE_BITS..=block.end() >> PAGE_BITS {
                let region = index.region_or_new(page >> (REGION_BITS - PAGE_BITS))?;
                let first = &mut index.regions[region].first[page & (PAGES - 1)];
                if *first == 0 {
                    *first = number as u32 + 1;
                }
            }
        }
        index.blocks = blocks;
        Some(index)
    }

    /// The number of the block that this address points to: it contains the address, or ends there,
    /// and no other block begins there.
    #[inline]
    pub fn at(&self, address: usize) -> Option<usize> {
        if address < self.low || address >= self.high {
            return None;
        }
        let region = self.region(address >> REGION_BITS)?;
        let first = self.regions[region].first[address >> PAGE_BITS & (PAGES - 1)];
        let first = first.checked_sub(1)? as usize;
        // A page has room for so many blocks of 8 bytes, one that begins before it, and one that
        // ends where it begins.
        let last = self.blocks.len().min(first + (1 << PAGE_BITS) / 8 + 2);
        let behind = self.blocks[first..last].partition_point(|block| block.start <= address);
        let number = first + behind.checked_sub(1)?;
        let block = &self.blocks[number];
        (address - block.start <= block.size).then_some(number)
    }

    /// The number of the first block whose end is behind this address.
    pub fn first_behind(&self, address: usize) -> usize {
        self.blocks.partition_point(|block| block.start.saturating_add(block.size) <= address)
    }

    fn place(&self, key: usize) -> usize {
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let mask = self.table.len() - 1;
        let mut place = hash & mask;
        while let Some(region) = self.table[place].checked_sub(1) {
            if self.regions[region as usize].key == key {
                break;
            }
            place = (place + 1) & mask;
        }
        place
    }

    #[inline]
    fn region(&self, number: usize) -> Option<usize> {
        self.table[self.place(number + 1)].checked_sub(1).map(|region| region as usize)
    }

    fn region_or_new(&mut self, number: usize) -> Option<usize> {
        let key = number + 1;
        // Blocks come sorted, so it is mostly the last region.
        if self.regions.last().is_some_and(|region| region.key == key) {
            return Some(self.regions.len() - 1);
        }
        let place = self.place(key);
        if let Some(region) = self.table[place].checked_sub(1) {
            return Some(region as usize);
        }
        if !self.regions.push(Region { key, first: [0; PAGES] }) {
            return None;
        }
        self.table[place] = self.regions.len() as u32;
        if self.regions.len() * 2 > self.table.len() {
            // SAFETY: zero is a valid number.
            let larger = unsafe { List::zeroed(self.table.len() * 2) }?;
            core::mem::replace(&mut self.table, larger).release();
            for region in 0..self.regions.len() {
                let place = self.place(self.regions[region].key);
                self.table[place] = region as u32 + 1;
            }
        }
        Some(self.regions.len() - 1)
    }
}

impl core::ops::Deref for Blocks {
    type Target = [Block];

    fn deref(&self) -> &[Block] {
        &self.blocks
    }
}

impl core::ops::DerefMut for Blocks {
    fn deref_mut(&mut self) -> &mut [Block] {
        &mut self.blocks
    }
}

impl Block {
    /// A block that no root leads to yet.
    pub fn new(start: usize, size: usize, stack: u32) -> Self {
        Self { start, size, from: 0, stack, root: NONE }
    }

    /// Whether it was traced.
    pub fn is_traced(&self) -> bool {
        self.stack != 0 && self.stack != OURS
    }

    /// One past its last byte.
    pub fn end(&self) -> usize {
        self.start.saturating_add(self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(all: &[(usize, usize)]) -> Blocks {
        let mut list = List::new();
        for (start, size) in all {
            assert!(list.push(Block::new(*start, *size, 1)));
        }
        Blocks::new(list).expect("there is memory")
    }

    #[test]
    fn every_byte_of_a_block_and_its_end_point_to_it_and_no_others() {
        let all = [
            (0x1000, 8),
            (0x1008, 1),
            (0x1010, 24),
            (0x1ff8, 16),
            (0x3ff0, 16),
            (0x40_0000, 0x60_0000),
            (0x7f00_0000_0000, 0),
        ];
        let mut shuffled = all;
        shuffled.reverse();
        let blocks = blocks(&shuffled);
        for (number, (start, size)) in all.into_iter().enumerate() {
            for offset in [0, size / 2, size.saturating_sub(1)] {
                assert_eq!(blocks.at(start + offset), Some(number), "{start:#x} + {offset}");
            }
            let next_starts = all.iter().any(|(next, _)| *next == start + size && size > 0);
            assert_eq!(blocks.at(start + size) == Some(number), !next_starts, "{start:#x}");
            assert_ne!(blocks.at(start + size + 1), Some(number));
            assert_ne!(blocks.at(start - 1), Some(number));
        }
        assert_eq!(blocks.at(0x100a), None);
        assert_eq!(blocks.at(0), None);
        assert_eq!(blocks.at(usize::MAX), None);
    }

    #[test]
    fn many_regions_are_found() {
        let all: Vec<(usize, usize)> = (1..5_000).map(|n| (n << 24, 64)).collect();
        let blocks = blocks(&all);
        for (number, (start, _)) in all.iter().enumerate() {
            assert_eq!(blocks.at(start + 63), Some(number));
        }
    }
}
