//! A hash table by address, in shards with a lock each, for blocks that the map has no place for.
//!
//! Open addressing with linear probing; removal shifts the run behind it back, so there are no tombstones.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::Block;
use crate::memory;
use crate::spin_lock::SpinLock;
use crate::stacks::StackId;

const SHARDS: usize = 64;
const FIRST_CAPACITY: usize = 1 << 9;

/// An entry; address 0 is an empty one.
#[derive(Clone, Copy)]
struct Entry {
    address: usize,
    size: usize,
    id: u32,
}

struct Shard {
    entries: Option<NonNull<Entry>>,
    capacity: usize,
    len: usize,
}

// SAFETY: the entries belong to the shard alone, which is reached under its lock only.
unsafe impl Send for Shard {}

static SHARD: [SpinLock<Shard>; SHARDS] =
    [const { SpinLock::new(Shard { entries: None, capacity: 0, len: 0 }) }; SHARDS];
/// How many blocks are in the table. On most machines none ever is, and then nobody needs a lock to know that.
static LEN: AtomicUsize = AtomicUsize::new(0);

pub fn insert(address: usize, block: Block) -> bool {
    let hash = hash(address);
    let inserted =
        SHARD[hash % SHARDS].lock().insert(hash / SHARDS, Entry { address, size: block.size, id: block.id.0 });
    if inserted {
        LEN.fetch_add(1, Ordering::Release);
    }
    inserted
}

#[inline(always)]
pub fn remove(address: usize) -> Option<Block> {
    if LEN.load(Ordering::Acquire) == 0 { None } else { remove_from_shard(address) }
}

#[inline(never)]
fn remove_from_shard(address: usize) -> Option<Block> {
    let hash = hash(address);
    let entry = SHARD[hash % SHARDS].lock().remove(hash / SHARDS, address)?;
    LEN.fetch_sub(1, Ordering::Release);
    Some(Block { id: StackId(entry.id), size: entry.size })
}

pub fn before_fork() {
    SHARD.iter().for_each(SpinLock::acquire);
}

pub fn after_fork() {
    SHARD.iter().for_each(SpinLock::release);
}

fn hash(address: usize) -> usize {
    let mixed = (address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 32) as usize
}

impl Shard {
    fn insert(&mut self, hash: usize, entry: Entry) -> bool {
        if (self.len + 1) * 4 > self.capacity * 3 && !self.grow() {
            return false;
        }
        let Some(entries) = self.entries() else { return false };
        let mut index = hash & (entries.len() - 1);
        while entries[index].address != 0 {
            index = (index + 1) & (entries.len() - 1);
        }
        entries[index] = entry;
        self.len += 1;
        true
    }

    fn remove(&mut self, hash: usize, address: usize) -> Option<Entry> {
        let entries = self.entries()?;
        let mask = entries.len() - 1;
        let mut index = hash & mask;
        while entries[index].address != address {
            if entries[index].address == 0 {
                return None;
            }
            index = (index + 1) & mask;
        }
        let removed = entries[index];
        let mut next = (index + 1) & mask;
        while entries[next].address != 0 {
            let home = (self::hash(entries[next].address) / SHARDS) & mask;
            // The entry may move back when its home is not between the gap and where it is.
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(index) & mask {
                entries[index] = entries[next];
                index = next;
            }
            next = (next + 1) & mask;
        }
        entries[index].address = 0;
        self.len -= 1;
        Some(removed)
    }

    fn entries(&mut self) -> Option<&mut [Entry]> {
        // SAFETY: `capacity` entries were reserved, zeroed or written since, and belong to this shard alone.
        Some(unsafe { core::slice::from_raw_parts_mut(self.entries?.as_ptr(), self.capacity) })
    }

    /// Doubles the room. What was there before stays reserved: twice the final size at most.
    fn grow(&mut self) -> bool {
        let capacity = (self.capacity * 2).max(FIRST_CAPACITY);
        let Some(size) = capacity.checked_mul(size_of::<Entry>()) else { return false };
        let Some(room) = memory::reserve(size) else { return false };
        let mut larger = Shard { entries: Some(room.cast()), capacity, len: 0 };
        for entry in self.entries().unwrap_or_default() {
            if entry.address != 0 {
                larger.insert(hash(entry.address) / SHARDS, *entry);
            }
        }
        *self = larger;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_after_growth_and_in_any_order() {
        let count = 100_000_usize;
        let block = |n: usize| Block { id: StackId(n as u32 % 1000 + 1), size: n };
        for n in 1..=count {
            assert!(insert(n * 3, block(n)));
        }
        for n in (1..=count).rev().step_by(2).chain((1..count).step_by(2)) {
            assert_eq!(remove(n * 3), Some(block(n)));
            assert_eq!(remove(n * 3), None);
        }
        assert_eq!(LEN.load(Ordering::Acquire), 0);
    }
}
