//! A two-level array over the address space: one 32-bit slot for every 8 bytes, made for 4 MiB of
//! addresses at a time.
//!
//! A look-up is two loads. It takes no lock, never resizes, and costs the same however many blocks
//! are live. Nearly all blocks begin at a multiple of 16. So these slots come first, and behind
//! them the slots of the addresses in between. Neighbours in the heap are neighbours here, and
//! slots that are never used take no room in caches or in memory.
//!
//! The slot of a block's first byte:
//!
//! | bits | content |
//! |---|---|
//! | 31 | 1: a block begins here |
//! | 26 to 30 | size code |
//! | 25 | 1: in the program's view |
//! | 0 to 24 | id of its stack |
//!
//! The size code is the size itself from 0 to 16. With 17, the size is in the next slot. With 18,
//! it is in the next two. With 19, C allocated the block, and its size is in the next slot, however
//! small it is. So a thread that frees it by Rust notices, at no cost for Rust's own blocks. With
//! 31, a reader has the slot.
//!
//! The next slot is that of the address 16 bytes on, which is still in the block, or in its chunk:
//! the C library's are at least 32 bytes long. Slots that have
//! sizes have bit 31 clear, so no pointer into a block can be taken for a block. Blocks that begin
//! at an address that is no multiple of 8, or beyond the map, have no slot. They go to the table.
//!
//! # Writers
//!
//! The thread that allocates a block writes its slots, sizes first. The thread that frees it clears
//! the first slot. The program orders the two when it passes the pointer from one to the other. No
//! other thread writes to the slots of a block that is not in the view, so plain stores are enough.
//!
//! For a block in the view there is a third thread: a reader, which takes a snapshot or clears the
//! view.
//!
//! - To read a size that is not in the first slot, the reader first puts 31 there, by a
//!   compare-and-swap. It puts the old size code back when it has read.
//! - A thread that frees a block in the view takes the slot by a compare-and-swap, too, and waits
//!   while a reader has it. That takes a few instructions: readers come one at a time, and call
//!   nothing meanwhile.
//!
//! So a reader never sees the id of one block with the size of the next one at that address. And if
//! the bit of the view goes, exactly one of the two, the reader or the freeing thread, takes it
//! away.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use crate::os::memory;
use crate::os::page_map::{PageMap, for_each_touched};
use crate::trace::shadow::block::Block;
use crate::trace::stack_id::{MAX_STACKS, StackId};

/// The bits of an address in user space: 47 on x86-64, 48 on AArch64 and others. Miri gets a small
/// map.
const ADDRESS_BITS: u32 = if cfg!(miri) {
    32
} else if cfg!(target_arch = "x86_64") {
    47
} else {
    48
};
const LEAF_BITS: u32 = if cfg!(miri) { 14 } else { 22 };
const LEAVES: usize = 1 << (ADDRESS_BITS - LEAF_BITS);
const SLOTS: usize = 1 << (LEAF_BITS - 3);
/// The number of slots for multiples of 16, and of slots for the addresses in between.
const HALF: usize = SLOTS / 2;

const BEGINS: u32 = 1 << 31;
const SIZE_SHIFT: u32 = 26;
const SIZE_MASK: u32 = 0x1F << SIZE_SHIFT;
/// The largest size that is in the first slot.
const SMALL: usize = 16;
const SIZE_IN_ONE: u32 = 17;
const SIZE_IN_TWO: u32 = 18;
const SIZE_OF_C: u32 = 19;
const HELD: u32 = 31;
const SIZE_BITS: u32 = 31;
const IN_VIEW: u32 = 1 << 25;

const _: () = assert!(MAX_STACKS == IN_VIEW);

/// The longest way from a pointer back to the first byte of its block.
const FAR: usize = 16 << 20;

/// The slots of 4 MiB of addresses, as [`LEAF_BITS`] says.
type Leaf = [AtomicU32; SLOTS];

static ROOT: AtomicPtr<AtomicPtr<Leaf>> = AtomicPtr::new(ptr::null_mut());
/// The numbers of all leaves, each plus one, in the order in which they were made.
static MADE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());
static MADE_COUNT: AtomicUsize = AtomicUsize::new(0);

/// Reserves the first level. False where the system does not give so much address space.
pub fn prepare() -> bool {
    if !ROOT.load(Ordering::Acquire).is_null() {
        return true;
    }
    let Some(made) = memory::reserve(LEAVES * size_of::<AtomicU32>()) else { return false };
    let Some(root) = memory::reserve(LEAVES * size_of::<AtomicPtr<Leaf>>()) else { return false };
    // If two threads come here at once, one loses. Its reservation is address space that is never
    // touched.
    let _ = MADE.compare_exchange(
        ptr::null_mut(),
        made.cast().as_ptr(),
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    let root = root.cast::<AtomicPtr<Leaf>>().as_ptr();
    let _ = ROOT.compare_exchange(ptr::null_mut(), root, Ordering::AcqRel, Ordering::Acquire);
    true
}

/// `OF_C` says that C allocated the block.
#[inline(always)]
pub fn insert<const OF_C: bool>(address: usize, block: Block) -> bool {
    if address % 8 != 0 {
        return false;
    }
    let Some(leaf) = leaf_or_new(address) else { return false };
    Common::at(address).is_some_and(|place| place.insert::<OF_C>(block))
        || insert_elsewhere(leaf, address, block)
}

/// A block that is not [`Common`].
#[cold]
fn insert_elsewhere(leaf: &Leaf, address: usize, block: Block) -> bool {
    if block.size <= SMALL {
        leaf[slot_index(address)]
            .store(first_slot(block) | (block.size as u32) << SIZE_SHIFT, Ordering::Release);
        return true;
    }
    let words = if block.size >> SIZE_BITS == 0 { SIZE_IN_ONE } else { SIZE_IN_TWO };
    for word in 0..(words - SIZE_IN_ONE + 1) as usize {
        let place = address + 16 * (word + 1);
        let Some(leaf) = leaf_or_new(place) else { return false };
        let part = (block.size >> (SIZE_BITS as usize * word)) as u32 & (BEGINS - 1);
        leaf[slot_index(place)].store(part, Ordering::Relaxed);
    }
    leaf[slot_index(address)].store(first_slot(block) | words << SIZE_SHIFT, Ordering::Release);
    true
}

/// The two slots of a block on the fast path. Its address is a multiple of 16, and its slot and the
/// next one are in one leaf, which exists.
pub struct Common {
    first: &'static AtomicU32,
    second: &'static AtomicU32,
}

impl Common {
    /// `None` if the address has no such slots.
    #[inline(always)]
    pub fn at(address: usize) -> Option<Self> {
        // The rotation brings bits below 16 to the top, so one comparison finds them, too.
        let number = address.rotate_right(4);
        if number >> (ADDRESS_BITS - 4) != 0 {
            return None;
        }
        let leaf = leaf(number << 4)?;
        let index = number & (HALF - 1);
        Some(Self { first: &leaf[index], second: next(leaf, index)? })
    }

    /// False if the size does not fit, or if the block that began here was freed past the runtime.
    /// Then nothing is changed.
    #[inline(always)]
    pub fn insert<const OF_C: bool>(&self, block: Block) -> bool {
        if self.first.load(Ordering::Relaxed) & BEGINS != 0 {
            return false;
        }
        let code = if OF_C {
            if block.size >> SIZE_BITS != 0 {
                return false;
            }
            self.second.store(block.size as u32, Ordering::Relaxed);
            SIZE_OF_C
        } else if block.size.wrapping_sub(SMALL + 1) < (1 << SIZE_BITS) - (SMALL + 1) {
            self.second.store(block.size as u32, Ordering::Relaxed);
            SIZE_IN_ONE
        } else if block.size <= SMALL {
            block.size as u32
        } else {
            return false;
        };
        self.first.store(first_slot(block) | code << SIZE_SHIFT, Ordering::Release);
        true
    }

    /// The block of Rust, or of C, that begins here, if its size is in one slot and no reader has
    /// it, with the content of the first slot.
    #[inline(always)]
    pub fn get<const OF_C: bool>(&self) -> Option<(Block, u32)> {
        let first = self.first.load(Ordering::Relaxed);
        // Nearly all blocks are of this kind, and then this is the id, and whether it is in view.
        let code = if OF_C { SIZE_OF_C } else { SIZE_IN_ONE };
        let id = first.wrapping_sub(BEGINS | code << SIZE_SHIFT);
        let (id, size) = if id < IN_VIEW + MAX_STACKS {
            (id, self.second.load(Ordering::Relaxed))
        } else if !OF_C && first & BEGINS != 0 && first & SIZE_MASK < SIZE_IN_ONE << SIZE_SHIFT {
            (first, (first & SIZE_MASK) >> SIZE_SHIFT)
        } else {
            return None;
        };
        let in_view = first & IN_VIEW != 0;
        Some((Block { id: StackId(id & (MAX_STACKS - 1)), size: size as usize, in_view }, first))
    }

    /// Whether no block begins here.
    #[inline(always)]
    pub fn is_free(&self) -> bool {
        self.first.load(Ordering::Relaxed) & BEGINS == 0
    }

    /// Forgets the block that [`get`](Self::get) has returned. False if a reader has come between.
    /// Then nothing is changed.
    #[inline(always)]
    pub fn clear(&self, first: u32) -> bool {
        if first & IN_VIEW != 0 {
            let cleared =
                self.first.compare_exchange(first, 0, Ordering::Acquire, Ordering::Relaxed);
            return cleared.is_ok();
        }
        self.first.store(0, Ordering::Relaxed);
        true
    }
}

#[inline(always)]
pub fn remove(address: usize) -> Option<Block> {
    let leaf = leaf(address)?;
    let index = slot_index(address);
    if address % 8 != 0 {
        return None;
    }
    let mut first = leaf[index].load(Ordering::Relaxed);
    if first & BEGINS == 0 {
        return None;
    }
    if first & IN_VIEW == 0 {
        leaf[index].store(0, Ordering::Relaxed);
    } else {
        first = take(&leaf[index])?;
    }
    Some(block(leaf, address, first))
}

/// Clears the first slot of a block that was just seen in the view, and returns the slot's content.
#[inline(always)]
fn take(slot: &AtomicU32) -> Option<u32> {
    loop {
        let first = slot.load(Ordering::Relaxed);
        if first & BEGINS == 0 {
            // Two threads free one block. That is the program's error, and must do no harm here.
            return None;
        }
        if first & SIZE_MASK != HELD << SIZE_SHIFT
            && slot.compare_exchange_weak(first, 0, Ordering::Acquire, Ordering::Relaxed).is_ok()
        {
            return Some(first);
        }
        core::hint::spin_loop();
    }
}

/// The block that a first slot describes.
#[inline(always)]
fn block(leaf: &Leaf, address: usize, first: u32) -> Block {
    let words = (first & SIZE_MASK) >> SIZE_SHIFT;
    let size = if words as usize <= SMALL {
        words as usize
    } else {
        let is_in_one = matches!(words, SIZE_IN_ONE | SIZE_OF_C);
        match next(leaf, slot_index(address)).filter(|_| is_in_one) {
            Some(second) => second.load(Ordering::Relaxed) as usize,
            None => size_elsewhere(address, words),
        }
    };
    Block { id: StackId(first & (MAX_STACKS - 1)), size, in_view: first & IN_VIEW != 0 }
}

#[cold]
fn size_elsewhere(address: usize, words: u32) -> usize {
    let mut size = 0;
    for word in 0..(words - SIZE_IN_ONE + 1) as usize {
        let place = address + 16 * (word + 1);
        if let Some(leaf) = leaf(place) {
            let part = leaf[slot_index(place)].load(Ordering::Relaxed);
            size |= (part as usize) << (SIZE_BITS as usize * word);
        }
    }
    size
}

/// Calls `visit` with every block. Blocks that other threads allocate or free meanwhile may be
/// there or not. The size of a block that is not in the view may then be that of an earlier or
/// later block at the same address.
pub fn for_each(visit: &mut impl FnMut(usize, Block)) {
    for_each_slot(&mut |leaf, address, mut first| {
        while first & BEGINS != 0 && first & SIZE_MASK == HELD << SIZE_SHIFT {
            core::hint::spin_loop();
            first = leaf[slot_index(address)].load(Ordering::Acquire);
        }
        if first & BEGINS != 0 {
            visit(address, block(leaf, address, first));
        }
    });
}

/// Calls `visit` with every block of the view. Blocks that other threads allocate or free meanwhile
/// may be there or not, but each one did exist. One caller at a time.
pub fn for_each_in_view(visit: &mut impl FnMut(usize, Block)) {
    for_each_slot(&mut |leaf, address, first| {
        if let Some(block) = in_view(leaf, address, first) {
            visit(address, block);
        }
    });
}

/// Takes every block out of the view, and calls `visit` with it. One caller at a time.
pub fn clear_view(visit: &mut impl FnMut(usize, Block)) {
    for_each_slot(&mut |leaf, address, first| {
        if let Some(block) = read_in_view(leaf, address, first, |first| first & !IN_VIEW) {
            visit(address, block);
        }
    });
}

/// The block that begins at `address` if that is in the view. One caller at a time.
pub fn get_in_view(address: usize) -> Option<Block> {
    let leaf = leaf(address).filter(|_| address % 8 == 0)?;
    let first = leaf[slot_index(address)].load(Ordering::Relaxed);
    in_view(leaf, address, first)
}

/// The first byte of the block that `address` points into or just behind, as far as the map knows.
pub fn begin_of(address: usize) -> Option<usize> {
    let mut here = address & !7;
    while address - here < FAR {
        let first = here & !((1 << LEAF_BITS) - 1);
        // A large block may cover leaves in which no block begins.
        if let Some(leaf) = leaf(here) {
            let begins =
                |address: &usize| leaf[slot_index(*address)].load(Ordering::Relaxed) & BEGINS != 0;
            if let Some(begin) = (first..=here).rev().step_by(8).find(begins) {
                return Some(begin);
            }
        }
        here = first.checked_sub(8)?;
    }
    None
}

/// The block that a first slot describes, if it is in the view.
fn in_view(leaf: &Leaf, address: usize, first: u32) -> Option<Block> {
    if first & (BEGINS | IN_VIEW) == BEGINS | IN_VIEW
        && (first & SIZE_MASK) >> SIZE_SHIFT <= SMALL as u32
    {
        // Its size came with its id.
        return Some(block(leaf, address, first));
    }
    read_in_view(leaf, address, first, |first| first)
}

/// Reads a block of the view while it holds the first slot. Then the slot gets `after` of its old
/// content.
fn read_in_view(
    leaf: &Leaf,
    address: usize,
    first: u32,
    after: impl FnOnce(u32) -> u32,
) -> Option<Block> {
    let slot = &leaf[slot_index(address)];
    let mut first = first;
    loop {
        if first & (BEGINS | IN_VIEW) != BEGINS | IN_VIEW {
            return None;
        }
        let held = first | HELD << SIZE_SHIFT;
        match slot.compare_exchange_weak(first, held, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => break,
            Err(now) => first = now,
        }
    }
    let block = block(leaf, address, first);
    slot.store(after(first), Ordering::Release);
    Some(block)
}

/// Calls `visit` with the leaf, the address and the content of each slot where a block begins.
fn for_each_slot(visit: &mut impl FnMut(&'static Leaf, usize, u32)) {
    let Some(made) = NonNull::new(MADE.load(Ordering::Acquire)) else { return };
    let page_map = PageMap::open();
    for index in 0..MADE_COUNT.load(Ordering::Acquire) {
        // SAFETY: there is room for the numbers of all leaves, zeroed or written, and it is never
        // unmapped.
        let number = unsafe { made.add(index).as_ref() }.load(Ordering::Acquire) as usize;
        let Some(begin) = number.checked_sub(1).map(|number| number << LEAF_BITS) else { continue };
        let Some(leaf) = leaf(begin) else { continue };
        let slots = ptr::from_ref(leaf).addr();
        for_each_touched(page_map.as_ref(), slots, size_of::<Leaf>(), &mut |touched, bytes| {
            let first = (touched - slots) / size_of::<AtomicU32>();
            for (index, slot) in
                leaf.iter().enumerate().skip(first).take(bytes / size_of::<AtomicU32>())
            {
                let content = slot.load(Ordering::Acquire);
                if content & BEGINS != 0 {
                    visit(leaf, begin + index % HALF * 16 + index / HALF * 8, content);
                }
            }
        });
    }
}

#[inline(always)]
fn first_slot(block: Block) -> u32 {
    BEGINS | block.id.0 | if block.in_view { IN_VIEW } else { 0 }
}

#[inline(always)]
fn slot_index(address: usize) -> usize {
    (address >> 4 & (HALF - 1)) + (address >> 3 & 1) * HALF
}

/// The slot of the address 16 bytes on, if it is in this leaf.
#[inline(always)]
fn next(leaf: &Leaf, index: usize) -> Option<&AtomicU32> {
    (index % HALF != HALF - 1).then(|| &leaf[index + 1])
}

#[inline(always)]
fn entry(address: usize) -> Option<&'static AtomicPtr<Leaf>> {
    let root = NonNull::new(ROOT.load(Ordering::Acquire))?;
    if address >> ADDRESS_BITS != 0 {
        return None;
    }
    // SAFETY: the first level has an entry for each of the 2^ADDRESS_BITS addresses and is never
    // unmapped; zeroed memory is a null pointer.
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
    // Null gets no leaf: a failed allocation is looked up like any other.
    let entry = entry(address).filter(|_| address >> LEAF_BITS != 0)?;
    let made = NonNull::new(MADE.load(Ordering::Acquire))?;
    let new = memory::reserve(size_of::<Leaf>())?.cast::<Leaf>().as_ptr();
    // If two threads come here at once, one loses. Its leaf is address space that is never touched.
    let published =
        match entry.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                let index = MADE_COUNT.fetch_add(1, Ordering::AcqRel);
                // SAFETY: each leaf is published once, so `index` is below LEAVES, for which there
                // is room.
                let number = unsafe { made.add(index).as_ref() };
                number.store((address >> LEAF_BITS) as u32 + 1, Ordering::Release);
                new
            }
            Err(other) => other,
        };
    // SAFETY: a published leaf has SLOTS zeroed or written slots and is never unmapped.
    unsafe { published.as_ref() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses at which nothing is mapped: the map never touches the blocks themselves.
    const FREE: usize = if cfg!(miri) { 0x4000_0000 } else { 0x1234_5640_0000 };
    /// Readers come one at a time.
    static READER: std::sync::Mutex<()> = std::sync::Mutex::new(());

    #[test]
    fn every_size_comes_back() {
        assert!(prepare());
        let id = StackId(MAX_STACKS - 1);
        for size in [
            0,
            1,
            15,
            16,
            17,
            4096,
            (1 << 31) - 1,
            1 << 31,
            (1 << 31) + 5,
            isize::MAX as usize >> 1,
        ] {
            let block = Block { id, size, in_view: false };
            for insert in [insert::<false>, insert::<true>] {
                assert!(insert(FREE, block));
                assert_eq!(remove(FREE), Some(block));
                assert_eq!(remove(FREE), None);
            }
        }
    }

    #[test]
    fn a_block_of_one_language_is_uncommon_for_the_other() {
        assert!(prepare());
        let address = FREE + (7 << LEAF_BITS);
        let place = || Common::at(address).unwrap();
        for size in [0, 16, 17, 4096] {
            for in_view in [false, true] {
                let block = Block { id: StackId(9), size, in_view };
                assert!(insert::<true>(address, block));
                assert_eq!(place().get::<false>(), None);
                assert_eq!(place().get::<true>().unwrap().0, block);
                assert_eq!(remove(address), Some(block));
                assert!(insert::<false>(address, block));
                assert_eq!(place().get::<true>(), None);
                assert_eq!(place().get::<false>().unwrap().0, block);
                assert_eq!(remove(address), Some(block));
            }
        }
    }

    #[test]
    fn sizes_cross_into_the_next_leaf() {
        assert!(prepare());
        let last = FREE + (1 << LEAF_BITS) - 8;
        for address in [last, last - 8, last - 16, last - 24] {
            for size in [8, 100, 1 << 40] {
                assert!(insert::<false>(address, Block { id: StackId(5), size, in_view: false }));
                assert_eq!(remove(address + 16), None, "a size is no block");
                assert_eq!(remove(address), Some(Block { id: StackId(5), size, in_view: false }));
            }
        }
    }

    #[test]
    fn neighbours_are_told_apart_however_near_they_are() {
        let _reader = READER.lock().unwrap();
        assert!(prepare());
        let begin = FREE + (512 << LEAF_BITS);
        for distance in [8, 16, 24] {
            let block = |n: usize| Block {
                id: StackId(n as u32),
                size: distance - n % 2,
                in_view: n % 3 == 0,
            };
            let address = |n: usize| begin + n * distance;
            for n in 0..64 {
                assert!(insert::<false>(address(n), block(n)));
            }
            let mut seen = Vec::new();
            for_each(&mut |at, block| {
                if (begin..begin + 4096).contains(&at) {
                    seen.push((at, block));
                }
            });
            seen.sort_unstable_by_key(|(at, _)| *at);
            assert_eq!(seen, (0..64).map(|n| (address(n), block(n))).collect::<Vec<_>>());
            for n in 0..64 {
                assert_eq!(begin_of(address(n) + distance - 1), Some(address(n)));
                assert_eq!(remove(address(n)), Some(block(n)));
            }
        }
    }

    #[test]
    fn blocks_without_a_slot_are_refused() {
        assert!(prepare());
        assert!(!insert::<false>(FREE + 1, Block { id: StackId(1), size: 3, in_view: false }));
        assert!(!insert::<false>(
            1 << ADDRESS_BITS,
            Block { id: StackId(1), size: 3, in_view: false }
        ));
        assert_eq!(remove(usize::MAX), None);
        assert!(
            !insert::<false>(4096, Block { id: StackId(1), size: 3, in_view: false }),
            "beside null"
        );
        assert!(Common::at(0).is_none(), "a failed allocation");
    }

    #[test]
    fn the_view_is_cleared_block_by_block_and_the_blocks_stay() {
        let _reader = READER.lock().unwrap();
        assert!(prepare());
        let begin = FREE + (64 << LEAF_BITS);
        let block = |n: usize| Block { id: StackId(9), size: n * 3, in_view: n % 2 == 0 };
        for n in 0..100 {
            assert!(insert::<false>(begin + n * 1024, block(n)));
        }
        let ours = |address: usize| (begin..begin + 100 * 1024).contains(&address);
        let mut seen = Vec::new();
        for_each_in_view(&mut |address, block| {
            if ours(address) {
                seen.push((address, block))
            }
        });
        assert_eq!(
            seen,
            (0..100).step_by(2).map(|n| (begin + n * 1024, block(n))).collect::<Vec<_>>()
        );
        assert_eq!(begin_of(begin + 99 * 1024 + 777), Some(begin + 99 * 1024));
        let mut cleared = 0;
        clear_view(&mut |address, block| {
            if ours(address) {
                cleared += block.size
            }
        });
        assert_eq!(cleared, (0..100).step_by(2).map(|n| n * 3).sum::<usize>());
        let mut left = 0;
        for_each(&mut |address, block| left += usize::from(ours(address) && !block.in_view));
        assert_eq!(left, 100);
        for n in 0..100 {
            assert_eq!(remove(begin + n * 1024), Some(Block { in_view: false, ..block(n) }));
        }
    }

    /// One thread notes and forgets blocks of many sizes at one address, each under an id of its
    /// own; another reads.
    #[test]
    fn a_reader_never_sees_one_block_s_id_with_another_s_size() {
        use core::sync::atomic::AtomicBool;
        let _reader = READER.lock().unwrap();
        assert!(prepare());
        let address = FREE + (128 << LEAF_BITS);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..if cfg!(miri) { 300 } else { 200_000_u32 } {
                    let id = round % 50 + 1;
                    let block = Block { id: StackId(id), size: id as usize * 1000, in_view: true };
                    assert!(insert::<false>(address, block));
                    assert_eq!(remove(address), Some(block));
                }
                done.store(true, Ordering::Release);
            });
            while !done.load(Ordering::Acquire) {
                if let Some(block) = get_in_view(address) {
                    assert_eq!(block.size, block.id.0 as usize * 1000);
                }
            }
        });
    }

    /// One thread notes and forgets blocks in the view, another clears it. In the end each has left
    /// it once.
    #[test]
    fn a_block_leaves_the_view_once_by_either_thread() {
        let _reader = READER.lock().unwrap();
        assert!(prepare());
        let address = |n: usize| FREE + (256 << LEAF_BITS) + n % 7 * 64;
        let rounds = if cfg!(miri) { 200 } else { 100_000 };
        let (mut cleared, mut freed, mut noted) = (0, 0, 0);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let (mut freed, mut noted) = (0, 0);
                for n in 0..rounds {
                    if n >= 7 {
                        let block = remove(address(n)).expect("it was noted seven rounds ago");
                        freed += if block.in_view { block.size } else { 0 };
                    }
                    let size = n % 1000;
                    assert!(insert::<false>(
                        address(n),
                        Block { id: StackId(3), size, in_view: true }
                    ));
                    noted += size;
                }
                (freed, noted)
            });
            while !worker.is_finished() {
                clear_view(&mut |at, block| {
                    if at >= address(0) && at <= address(6) {
                        cleared += block.size
                    }
                });
            }
            (freed, noted) = worker.join().unwrap();
        });
        for n in rounds..rounds + 7 {
            let block = remove(address(n)).expect("it is there");
            freed += if block.in_view { block.size } else { 0 };
        }
        assert_eq!(noted, cleared + freed);
    }
}
