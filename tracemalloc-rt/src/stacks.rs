//! Interned stacks: each distinct list of return addresses is stored once and named by a small number.
//!
//! A look-up takes no lock: it probes a table of (upper half of the hash, id) and compares the addresses themselves, so
//! two stacks with one hash stay two. A new stack is added under a lock. When the table is half full it is copied into
//! one of twice the size; readers of the old one at worst miss, and then look again under the lock. Nothing is freed.
//!
//! Beside stacks, the table knows broken chains: what a walk along frame pointers gives where some function keeps none.
//! They are stored under another hash, so that none is ever taken for a stack; to know one means that the stack has to be
//! unwound.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use crate::memory;
use crate::scope;
use crate::spin_lock::SpinLock;

/// The name of an interned stack, from 1. 26 bits, because that is what a slot of the shadow map has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StackId(pub(crate) u32);

impl StackId {
    /// Of every block that is allocated while a thread is paused, whatever its stack: they are known, so that nobody takes
    /// what the harness keeps for what the program keeps, and are no part of what is live.
    pub(crate) const OURS: Self = Self(0);
}

/// One more than the largest id.
pub(crate) const MAX_STACKS: u32 = 1 << 26;
/// The most physical frames that are kept of a stack.
pub const MAX_DEPTH: usize = MAX_NFRAME as usize + FRAMES_OF_STD;
/// The most frames that a program can ask for.
pub const MAX_NFRAME: u32 = 65_535;
/// Between the allocator and the program's line lie up to 35 frames of the standard library, so this many physical frames
/// are captured beyond those that are shown.
pub const FRAMES_OF_STD: usize = 48;
/// What a broken chain's hash differs by from that of a stack of the same addresses.
const BROKEN: u64 = 0x5BD1_E995_A3C5_9AC3;

const IDS_PER_CHUNK: u32 = 1 << 14;
const CHUNKS: usize = (MAX_STACKS / IDS_PER_CHUNK) as usize;
const FIRST_TABLE: usize = 1 << 13;
const ARENA: usize = 1 << 20;

/// The header of a stored stack; `len` return addresses follow it, innermost first. The stack had `total` frames. Stacks of
/// one scope are a list, from the newest on.
#[repr(C)]
struct Header {
    hash: u64,
    len: u32,
    total: u32,
    scope: u32,
    next_in_scope: u32,
}

/// A stack as it was walked, to be interned.
#[derive(Clone, Copy)]
pub struct Walked<'a> {
    /// Return addresses, innermost first.
    pub addresses: &'a [usize],
    /// How many frames there were before they were cut to the most that are kept.
    pub total: u32,
    /// The [`scope`](crate::scope) that it was walked in, or 0. The same frames in two scopes are two stacks.
    pub scope: u32,
    /// As [`StackHash`] makes it, of the scope too where there is one.
    pub hash: u64,
}

/// A table of `mask + 1` slots that follow this header. A slot is 0, or the hash's upper half and the id.
#[repr(C)]
struct Table {
    mask: u64,
}

/// What only the holder of the lock touches.
struct Growing {
    next_id: u32,
    arena: *mut u8,
    arena_left: usize,
}

// SAFETY: the pointer is to memory that belongs to the arena alone and is reached under the lock only.
unsafe impl Send for Growing {}

static TABLE: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());
static CHUNK: [AtomicPtr<AtomicPtr<Header>>; CHUNKS] = [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
static COUNT: AtomicU32 = AtomicU32::new(0);
static GROWING: SpinLock<Growing> = SpinLock::new(Growing { next_id: 1, arena: ptr::null_mut(), arena_left: 0 });

/// The hash that [`intern`] expects: one multiplication a frame, as long as frames come in.
#[derive(Clone, Copy)]
pub struct StackHash(u64);

impl StackHash {
    pub const fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    #[inline(always)]
    pub fn add(&mut self, address: usize) {
        let mixed = (self.0 ^ address as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        self.0 = mixed ^ (mixed >> 32);
    }

    #[inline(always)]
    pub fn finish(self) -> u64 {
        self.0
    }
}

/// How many stacks there are; ids run from 1 to this.
pub fn count() -> u32 {
    COUNT.load(Ordering::Acquire)
}

/// The return addresses of a stack, innermost first.
pub fn addresses(id: StackId) -> &'static [usize] {
    match header(id.0) {
        // SAFETY: a published header is followed by `len` addresses, which are never written again nor unmapped.
        Some(header) => unsafe {
            let start = header.as_ptr().add(1).cast::<usize>();
            core::slice::from_raw_parts(start, header.as_ref().len as usize)
        },
        None => &[],
    }
}

/// How many frames the stack had before it was cut to the most that are kept.
pub fn total(id: StackId) -> u32 {
    // SAFETY: a published header is never written again.
    header(id.0).map_or(0, |header| unsafe { header.as_ref().total })
}

/// The scope that the stack was walked in, or 0.
pub fn scope(id: StackId) -> u32 {
    // SAFETY: a published header is never written again, but for its place in a list.
    header(id.0).map_or(0, |header| unsafe { (&raw const (*header.as_ptr()).scope).read() })
}

/// The next stack in the list of a scope, which begins at [`scope::newest_stack`].
pub fn next_in_scope(id: StackId) -> Option<StackId> {
    // SAFETY: as in `scope`; the list is written before its beginning is published, and never again.
    let next = header(id.0).map_or(0, |header| unsafe { (&raw const (*header.as_ptr()).next_in_scope).read() });
    (next != 0).then_some(StackId(next))
}

/// Whether the stack with this id is exactly this one.
#[inline]
pub fn is(id: StackId, walked: Walked) -> bool {
    match header(id.0) {
        Some(found) => {
            // SAFETY: a published header is never written again.
            let found = unsafe { found.as_ref() };
            found.hash == walked.hash
                && found.total == walked.total
                && found.scope == walked.scope
                && addresses(id) == walked.addresses
        }
        None => false,
    }
}

/// The id of a stack, if it is known.
#[inline]
pub fn find(walked: Walked) -> Option<StackId> {
    probe(NonNull::new(TABLE.load(Ordering::Acquire))?, walked).ok()
}

/// The id of a stack, which is added if it is new. `None` when there is no memory left for it.
#[inline]
pub fn intern(walked: Walked) -> Option<StackId> {
    find(walked).or_else(|| insert(walked))
}

/// Whether a chain of frame pointers is known to be broken.
pub fn is_broken(chain: Walked) -> bool {
    find(Walked { hash: chain.hash ^ BROKEN, scope: 0, ..chain }).is_some()
}

/// Remembers a broken chain.
pub fn remember_broken(chain: Walked) {
    // Without memory for it, the chain is found broken again next time.
    let _ = intern(Walked { hash: chain.hash ^ BROKEN, scope: 0, ..chain });
}

pub fn before_fork() {
    GROWING.acquire();
}

pub fn after_fork() {
    GROWING.release();
}

#[inline(always)]
fn header(id: u32) -> Option<NonNull<Header>> {
    let chunk = NonNull::new(CHUNK.get((id / IDS_PER_CHUNK) as usize)?.load(Ordering::Acquire))?;
    // SAFETY: a published chunk has IDS_PER_CHUNK entries and is never unmapped.
    let entry = unsafe { chunk.add((id % IDS_PER_CHUNK) as usize).as_ref() };
    NonNull::new(entry.load(Ordering::Acquire))
}

fn slot(table: NonNull<Table>, index: u64) -> &'static AtomicU64 {
    // SAFETY: a table is followed by `mask + 1` slots, `index` is masked by every caller, and tables are never unmapped.
    unsafe { table.add(1).cast::<AtomicU64>().add(index as usize).as_ref() }
}

/// The stack's id, or the index of the empty slot where it is missing.
fn probe(table: NonNull<Table>, walked: Walked) -> Result<StackId, u64> {
    // SAFETY: a published table's header is never written again.
    let mask = unsafe { table.as_ref().mask };
    let mut index = walked.hash & mask;
    loop {
        let value = slot(table, index).load(Ordering::Acquire);
        if value == 0 {
            return Err(index);
        }
        let id = StackId(value as u32);
        if value >> 32 == walked.hash >> 32 && is(id, walked) {
            return Ok(id);
        }
        index = (index + 1) & mask;
    }
}

#[cold]
fn insert(walked: Walked) -> Option<StackId> {
    let mut growing = GROWING.lock();
    let table = match NonNull::new(TABLE.load(Ordering::Relaxed)) {
        Some(table) => table,
        None => {
            let table = new_table(FIRST_TABLE)?;
            TABLE.store(table.as_ptr(), Ordering::Release);
            table
        }
    };
    let (table, empty) = match probe(table, walked) {
        Ok(found) => return Some(found),
        // SAFETY: a published table's header is never written again.
        Err(_) if u64::from(growing.next_id) * 2 > unsafe { table.as_ref().mask } => {
            let larger = enlarge(table, growing.next_id)?;
            (larger, probe(larger, walked).err()?)
        }
        Err(empty) => (table, empty),
    };
    let id = growing.next_id;
    if id >= MAX_STACKS {
        return None;
    }
    let next_in_scope = if walked.scope == 0 { 0 } else { scope::newest_stack(walked.scope) };
    let stored = growing.store(walked, next_in_scope)?;
    publish(id, stored)?;
    growing.next_id = id + 1;
    COUNT.store(id, Ordering::Release);
    if walked.scope != 0 {
        scope::set_newest_stack(walked.scope, id);
    }
    slot(table, empty).store((walked.hash >> 32 << 32) | u64::from(id), Ordering::Release);
    Some(StackId(id))
}

fn new_table(slots: usize) -> Option<NonNull<Table>> {
    let table = memory::reserve(size_of::<Table>() + slots * size_of::<AtomicU64>())?.cast::<Table>();
    // SAFETY: fresh memory, large enough and aligned to a page, that nobody else has seen.
    unsafe { table.write(Table { mask: slots as u64 - 1 }) };
    Some(table)
}

fn enlarge(table: NonNull<Table>, next_id: u32) -> Option<NonNull<Table>> {
    // SAFETY: a published table's header is never written again.
    let slots = (unsafe { table.as_ref().mask } as usize + 1) * 2;
    let larger = new_table(slots)?;
    for id in 1..next_id {
        let Some(stored) = header(id) else { continue };
        // SAFETY: a published header is never written again.
        let Header { hash, total, scope, .. } = *unsafe { stored.as_ref() };
        if let Err(empty) = probe(larger, Walked { addresses: addresses(StackId(id)), total, scope, hash }) {
            slot(larger, empty).store((hash >> 32 << 32) | u64::from(id), Ordering::Relaxed);
        }
    }
    TABLE.store(larger.as_ptr(), Ordering::Release);
    Some(larger)
}

fn publish(id: u32, stored: NonNull<Header>) -> Option<()> {
    let place = CHUNK.get((id / IDS_PER_CHUNK) as usize)?;
    let chunk = match NonNull::new(place.load(Ordering::Acquire)) {
        Some(chunk) => chunk,
        None => {
            let size = IDS_PER_CHUNK as usize * size_of::<AtomicPtr<Header>>();
            let chunk = memory::reserve(size)?.cast::<AtomicPtr<Header>>();
            place.store(chunk.as_ptr(), Ordering::Release);
            chunk
        }
    };
    // SAFETY: the chunk has IDS_PER_CHUNK entries; zeroed memory is a null `AtomicPtr`.
    let entry = unsafe { chunk.add((id % IDS_PER_CHUNK) as usize).as_ref() };
    entry.store(stored.as_ptr(), Ordering::Release);
    Some(())
}

impl Growing {
    fn store(&mut self, walked: Walked, next_in_scope: u32) -> Option<NonNull<Header>> {
        let Walked { addresses, total, scope, hash } = walked;
        let size = (size_of::<Header>() + size_of_val(addresses)).next_multiple_of(align_of::<Header>());
        if size > self.arena_left {
            self.arena = memory::reserve(ARENA)?.as_ptr();
            self.arena_left = ARENA;
        }
        let header = NonNull::new(self.arena)?.cast::<Header>();
        // SAFETY: `size` bytes are left in the arena; every size is a multiple of the alignment of a header, so they stay
        // aligned; nobody has seen this part of the arena yet.
        unsafe {
            header.write(Header { hash, len: addresses.len() as u32, total, scope, next_in_scope });
            let start = header.add(1).cast::<usize>();
            start.copy_from_nonoverlapping(NonNull::from(addresses).cast(), addresses.len());
            self.arena = self.arena.add(size);
        }
        self.arena_left -= size;
        Some(header)
    }
}

const _: () = assert!(size_of::<Header>() + MAX_DEPTH * size_of::<usize>() <= ARENA);
const _: () = assert!(size_of::<Header>() == 24 && align_of::<Header>() >= align_of::<usize>());

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(addresses: &[usize]) -> Walked<'_> {
        let mut hash = StackHash::new();
        addresses.iter().for_each(|address| hash.add(*address));
        Walked { addresses, total: addresses.len() as u32, scope: 0, hash: hash.finish() }
    }

    #[test]
    fn equal_stacks_get_one_id_under_threads_and_growth() {
        let stacks = if cfg!(miri) { 200 } else { 20_000_usize };
        let all: Vec<Vec<StackId>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..stacks).map(|n| intern(walked(&[n, n * 7 + 1, 0xABCD])).expect("there is memory")).collect()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        for ids in &all[1..] {
            assert_eq!(ids, &all[0]);
        }
        for (n, id) in all[0].iter().enumerate() {
            assert_eq!(addresses(*id), [n, n * 7 + 1, 0xABCD]);
        }
    }

    #[test]
    fn two_stacks_of_one_hash_stay_two() {
        let stack = |addresses, total| Walked { addresses, total, scope: 0, hash: 42 };
        let first = intern(stack(&[1, 2, 3], 3)).expect("there is memory");
        let second = intern(stack(&[1, 2, 4], 3)).expect("there is memory");
        let deeper = intern(stack(&[1, 2, 3], 9)).expect("there is memory");
        assert!(first != second && first != deeper);
        assert_eq!(intern(stack(&[1, 2, 3], 3)), Some(first));
        assert_eq!(addresses(second), [1, 2, 4]);
        assert_eq!((total(first), total(deeper)), (3, 9));
    }

    #[test]
    fn a_broken_chain_is_no_stack() {
        let chain = walked(&[0xB0, 0xB1]);
        remember_broken(chain);
        assert!(is_broken(chain));
        assert_eq!(find(chain), None);
        let id = intern(chain).expect("there is memory");
        assert_eq!((find(chain), addresses(id)), (Some(id), &[0xB0, 0xB1][..]));
    }
}
