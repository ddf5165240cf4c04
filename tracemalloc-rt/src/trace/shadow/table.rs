//! A hash table of blocks by domain and address, in shards with a lock each.
//!
//! It has blocks that the map has no slot for, and blocks of other domains.
//!
//! Open addressing with linear probing; removal shifts the run behind it back, so there are no
//! tombstones.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::os::memory;
use crate::os::spin_lock::SpinLock;
use crate::trace::shadow::block::Block;
use crate::trace::stack_id::StackId;

const SHARDS: usize = 64;
const FIRST_CAPACITY: usize = 1 << 9;
/// In `Entry::id`: the block is in the view.
const IN_VIEW: u32 = 1 << 31;

/// An entry; id 0 is an empty one.
#[derive(Clone, Copy)]
struct Entry {
    address: usize,
    size: usize,
    domain: u32,
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
/// How many blocks are in the table. On most machines none ever is, and then no lock is taken.
static LEN: AtomicUsize = AtomicUsize::new(0);

pub fn insert(domain: u32, address: usize, block: Block) -> bool {
    let hash = hash(domain, address);
    let view = if block.in_view { IN_VIEW } else { 0 };
    let entry = Entry { address, size: block.size, domain, id: block.id.0 | view };
    let inserted = SHARD[hash % SHARDS].lock().insert(hash / SHARDS, entry);
    if inserted {
        LEN.fetch_add(1, Ordering::Release);
    }
    inserted
}

#[inline(always)]
pub fn is_empty() -> bool {
    LEN.load(Ordering::Acquire) == 0
}

#[inline(always)]
pub fn remove(domain: u32, address: usize) -> Option<Block> {
    if is_empty() { None } else { remove_from_shard(domain, address) }
}

#[inline(never)]
fn remove_from_shard(domain: u32, address: usize) -> Option<Block> {
    let hash = hash(domain, address);
    let entry = SHARD[hash % SHARDS].lock().remove(hash / SHARDS, domain, address)?;
    LEN.fetch_sub(1, Ordering::Release);
    Some(entry.block())
}

pub fn get(domain: u32, address: usize) -> Option<Block> {
    let hash = hash(domain, address);
    let mut shard = SHARD[hash % SHARDS].lock();
    let index = shard.find(hash / SHARDS, domain, address)?;
    shard.entries()?.get(index).map(Entry::block)
}

/// Calls `visit` with every block. It may allocate: no lock is held then.
pub fn for_each(visit: &mut impl FnMut(u32, usize, Block)) {
    for shard in &SHARD {
        let mut copy = Vec::new();
        loop {
            let mut shard = shard.lock();
            if shard.len <= copy.capacity() {
                copy.extend(
                    shard.entries().unwrap_or_default().iter().filter(|entry| entry.id != 0),
                );
                break;
            }
            let len = shard.len;
            // The allocation may free a block, and come back here, so the lock is released first.
            drop(shard);
            copy.reserve(len);
        }
        copy.iter().for_each(|entry: &Entry| visit(entry.domain, entry.address, entry.block()));
    }
}

/// As [`for_each`], without allocating, in a copy of the process in which nothing else runs.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn for_each_in_copy(visit: &mut impl FnMut(u32, usize, Block)) {
    for shard in &SHARD {
        let mut shard = shard.lock();
        let entries = shard.entries().unwrap_or_default().iter().filter(|entry| entry.id != 0);
        entries.for_each(|entry| visit(entry.domain, entry.address, entry.block()));
    }
}

/// Takes every block out of the view, and calls `visit` with it.
pub fn clear_view(visit: &mut impl FnMut(u32, Block)) {
    for shard in &SHARD {
        for entry in shard.lock().entries().unwrap_or_default() {
            if entry.id & IN_VIEW != 0 {
                visit(entry.domain, entry.block());
                entry.id &= !IN_VIEW;
            }
        }
    }
}

pub fn before_fork() {
    SHARD.iter().for_each(SpinLock::acquire);
}

pub fn after_fork() {
    SHARD.iter().for_each(SpinLock::release);
}

fn hash(domain: u32, address: usize) -> usize {
    let mixed =
        (address as u64 ^ u64::from(domain).rotate_left(40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 32) as usize
}

impl Entry {
    fn block(&self) -> Block {
        Block { id: StackId(self.id & !IN_VIEW), size: self.size, in_view: self.id & IN_VIEW != 0 }
    }

    fn home(&self) -> usize {
        hash(self.domain, self.address) / SHARDS
    }
}

impl Shard {
    fn insert(&mut self, hash: usize, entry: Entry) -> bool {
        if (self.len + 1) * 4 > self.capacity * 3 && !self.grow() {
            return false;
        }
        let Some(entries) = self.entries() else { return false };
        let mut index = hash & (entries.len() - 1);
        while entries[index].id != 0 {
            index = (index + 1) & (entries.len() - 1);
        }
        entries[index] = entry;
        self.len += 1;
        true
    }

    fn find(&mut self, hash: usize, domain: u32, address: usize) -> Option<usize> {
        let entries = self.entries()?;
        let mask = entries.len() - 1;
        let mut index = hash & mask;
        while entries[index].id != 0 {
            if entries[index].address == address && entries[index].domain == domain {
                return Some(index);
            }
            index = (index + 1) & mask;
        }
        None
    }

    fn remove(&mut self, hash: usize, domain: u32, address: usize) -> Option<Entry> {
        let mut index = self.find(hash, domain, address)?;
        let entries = self.entries()?;
        let mask = entries.len() - 1;
        let removed = entries[index];
        let mut next = (index + 1) & mask;
        while entries[next].id != 0 {
            let home = entries[next].home() & mask;
            // The entry may move back when its home is not between the gap and where it is.
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(index) & mask {
                entries[index] = entries[next];
                index = next;
            }
            next = (next + 1) & mask;
        }
        entries[index].id = 0;
        self.len -= 1;
        Some(removed)
    }

    fn entries(&mut self) -> Option<&mut [Entry]> {
        // SAFETY: `capacity` entries were reserved, zeroed or written since, and belong to this
        // shard alone.
        Some(unsafe { core::slice::from_raw_parts_mut(self.entries?.as_ptr(), self.capacity) })
    }

    /// Doubles the room. The old room stays reserved; all together, that is at most twice the final
    /// size.
    fn grow(&mut self) -> bool {
        let capacity = (self.capacity * 2).max(FIRST_CAPACITY);
        let Some(size) = capacity.checked_mul(size_of::<Entry>()) else { return false };
        let Some(room) = memory::reserve(size) else { return false };
        let mut larger = Shard { entries: Some(room.cast()), capacity, len: 0 };
        for entry in self.entries().unwrap_or_default() {
            if entry.id != 0 {
                larger.insert(entry.home(), *entry);
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
        let count = if cfg!(miri) { 2_000 } else { 100_000_usize };
        let block =
            |n: usize| Block { id: StackId(n as u32 % 1000 + 1), size: n, in_view: n % 2 == 0 };
        let domain = |n: usize| (n % 3) as u32;
        for n in 0..count {
            assert!(insert(domain(n), n / 3, block(n)));
        }
        let mut seen = Vec::new();
        for_each(&mut |domain, address, block| seen.push((address, domain, block.size)));
        seen.sort_unstable();
        assert_eq!(seen, (0..count).map(|n| (n / 3, domain(n), n)).collect::<Vec<_>>());
        let mut cleared = 0;
        clear_view(&mut |_, _| cleared += 1);
        assert_eq!(cleared, count / 2);
        for n in (0..count).rev().step_by(2).chain((0..count).step_by(2)) {
            let expected = Block { in_view: false, ..block(n) };
            assert_eq!(get(domain(n), n / 3), Some(expected));
            assert_eq!(remove(domain(n), n / 3), Some(expected));
            assert_eq!(remove(domain(n), n / 3), None);
        }
        assert_eq!(LEN.load(Ordering::Acquire), 0);
    }
}
