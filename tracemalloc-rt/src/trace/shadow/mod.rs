//! The shadow: all live blocks by address, each with the id of its stack and its size.
//!
//! On 64-bit Unix it is a map of the address space ([`map`]). A hash table ([`table`]) has the few
//! blocks that the map has no slot for, blocks of other domains, and all blocks on other systems.

mod block;
#[cfg(all(unix, target_pointer_width = "64"))]
mod map;
#[cfg(not(all(unix, target_pointer_width = "64")))]
#[path = "no_map.rs"]
mod map;
mod table;

use crate::trace::{contexts, sampling};

pub use self::block::Block;
pub use self::map::Common;

/// The domain that the map and the table have for blocks of the allocators, Rust's and C's.
pub const ALLOCATOR: u32 = contexts::RUST;

/// The domain that a program sees, of a block that stands here in this one. An address has one
/// block of the allocators, whose stack tells which of them handed it out.
pub fn domain(domain: u32, block: Block) -> u32 {
    if domain == ALLOCATOR { contexts::domain(block.id) } else { domain }
}

/// The bytes that a sampled block stands for beyond its own. Blocks that the program tracks itself
/// are never sampled.
#[inline(always)]
pub fn extra_in_view(domain: u32, block: Block) -> usize {
    if domain == ALLOCATOR { sampling::weight(block.size).saturating_sub(block.size) } else { 0 }
}

/// Whether every block is in the map.
#[inline(always)]
pub fn all_in_map() -> bool {
    table::is_empty()
}

/// Prepares the map, before the first block. False if every block will be in the table.
pub fn prepare() -> bool {
    map::prepare()
}

/// Remembers a block that has just been allocated, by C if `OF_C`. False if there is no memory for
/// it.
#[inline(always)]
pub fn insert<const OF_C: bool>(address: usize, block: Block) -> bool {
    map::insert::<OF_C>(address, block) || table::insert(ALLOCATOR, address, block)
}

/// Forgets the block that begins at an address, and returns it. `None` if there is none.
#[inline(always)]
pub fn remove(address: usize) -> Option<Block> {
    match map::remove(address) {
        Some(block) => Some(block),
        None => table::remove(ALLOCATOR, address),
    }
}

/// As [`insert`], for a block of any domain. A known block has to be removed first.
pub fn insert_in(domain: u32, address: usize, block: Block) -> bool {
    table::insert(domain, address, block)
}

/// As [`remove`], for a block of any domain.
pub fn remove_from(domain: u32, address: usize) -> Option<Block> {
    let block = table::remove(domain, address);
    if domain == ALLOCATOR { block.or_else(|| map::remove(address)) } else { block }
}

/// Calls `visit` with domain, address and block of every live block. Blocks that other threads
/// allocate or free meanwhile may be there or not. The size of a block that is not in the view may
/// be that of an earlier or later block at the same address.
pub fn for_each(visit: &mut impl FnMut(u32, usize, Block)) {
    map::for_each(&mut |address, block| visit(ALLOCATOR, address, block));
    table::for_each(visit);
}

/// As [`for_each`], without allocating, in a copy of the process in which nothing else runs.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn for_each_in_copy(visit: &mut impl FnMut(u32, usize, Block)) {
    map::for_each(&mut |address, block| visit(ALLOCATOR, address, block));
    table::for_each_in_copy(visit);
}

/// Calls `visit` with domain, address and block of every block in the view. One caller at a time;
/// `visit` may allocate.
pub fn for_each_in_view(visit: &mut impl FnMut(u32, usize, Block)) {
    map::for_each_in_view(&mut |address, block| visit(ALLOCATOR, address, block));
    table::for_each(&mut |domain, address, block| {
        if block.in_view {
            visit(domain, address, block);
        }
    });
}

/// Takes every block out of the view, and calls `visit` with domain and block. One caller at a
/// time.
pub fn clear_view(visit: &mut impl FnMut(u32, Block)) {
    map::clear_view(&mut |_, block| visit(ALLOCATOR, block));
    table::clear_view(visit);
}

/// The block of the allocator's domain that `address` points to or into, if it is in the view. One
/// caller at a time.
pub fn get_in_view(address: usize) -> Option<Block> {
    let in_map = || {
        let begin = map::begin_of(address)?;
        let block = map::get_in_view(begin)?;
        (address == begin || address - begin < block.size).then_some(block)
    };
    table::get(ALLOCATOR, address).filter(|block| block.in_view).or_else(in_map)
}

pub fn before_fork() {
    table::before_fork();
}

pub fn after_fork() {
    table::after_fork();
}
