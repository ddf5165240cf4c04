//! The calling context tree: each return address that was ever captured, below its caller's.
//!
//! A stack is a path from a root, and its id is the number of its innermost context. Stacks with
//! the same callers share the contexts of these callers. So a walk that meets the last one looks up
//! only its new frames. The tree is that of Ammons, Ball and Larus, "Exploiting hardware
//! performance counters with flow and context sensitive profiling", 1997.
//!
//! A look-up takes no lock. It probes a table of (address, caller, context), and compares address
//! and caller. A new context is added under a lock. A table that is a quarter full is copied into
//! one of twice the size. A thread that still reads the old table may miss a context, and then
//! looks again under the lock. Nothing is freed.

use core::iter;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use crate::os::memory;
use crate::os::spin_lock::SpinLock;
use crate::trace::stack_id::{MAX_STACKS, StackId};

/// A return address and the context that it returns to.
///
/// The contexts of the first two levels stand for no address. They tell apart stacks with the same
/// addresses. The first level is the [`scope`](crate::trace::scope) of the stack, and the second
/// one the number of outer frames that are not kept. The innermost context of a stack of C's blocks
/// stands for the [domain](domain).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context(u32);

/// The root of the tree, which the contexts of scopes are called from. 0 is no context.
const NONE: Context = Context(1);

/// The domain of blocks that Rust's global allocator hands out.
pub const RUST: u32 = 0;
/// The domain of blocks that the C library's `malloc` and the like hand out.
pub const C: u32 = 1;

/// The innermost context of a stack whose block C allocated has this in place of an address. So its
/// id tells the domain, and its other contexts are those of Rust's stacks.
pub const OF_C: usize = usize::MAX;

const PER_CHUNK: u32 = 1 << 16;
const CHUNKS: usize = (MAX_STACKS / PER_CHUNK) as usize;
const FIRST_TABLE: usize = 1 << 10;

/// The facts about a node's chain of frame pointers; 0 is nothing.
const WHOLE: u32 = 1;
const BROKEN: u32 = 2;

/// Written before its context is published, except for what is known of its chain.
#[repr(C)]
struct Node {
    address: AtomicUsize,
    caller: AtomicU32,
    chain: AtomicU32,
    /// The context that stands for the scope.
    scope: AtomicU32,
    /// The contexts of one scope are a list, from the newest on. The node that stands for the scope
    /// has its head.
    next_in_scope: AtomicU32,
}

/// A table, whose slots follow this header.
#[repr(C, align(16))]
struct Table {
    /// From the first slot to the last one, in bytes.
    mask: usize,
}

/// Empty while the caller is 0, which is written last.
#[repr(C)]
struct Slot {
    address: AtomicUsize,
    caller: AtomicU32,
    context: AtomicU32,
}

static TABLE: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());
static CHUNK: [AtomicPtr<Node>; CHUNKS] = [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
/// The largest number of a context. Grows under the lock.
static LAST: AtomicU32 = AtomicU32::new(NONE.0);
static GROWING: SpinLock<()> = SpinLock::new(());

/// The context from which the outermost kept frames are called, of stacks in a scope (0 is none).
/// `beyond` more frames of these stacks are not kept. `None` if there is no memory left.
pub fn root(scope: u32, beyond: u32) -> Option<Context> {
    NONE.call(scope as usize)?.call(beyond as usize)
}

/// The stacks of a scope, the newest first. Paths that nothing was allocated by are among them.
pub fn stacks_of_scope(scope: u32) -> impl Iterator<Item = StackId> {
    let of_scope = NONE.known_call(scope as usize);
    iter::successors(of_scope, |context| context.next_in_scope()).skip(1).map(Context::stack_id)
}

/// The domain of a stack's blocks: [`RUST`] or [`C`].
pub fn domain(stack: StackId) -> u32 {
    if Context::of(stack).is_of_c() { C } else { RUST }
}

/// The return addresses of a stack, innermost first.
pub fn addresses(stack: StackId) -> impl Iterator<Item = usize> {
    Context::of(stack).addresses()
}

/// How many frames a stack had before it was cut to the most that are kept.
pub fn total(stack: StackId) -> u32 {
    addresses(stack).count() as u32 + Context::of(stack).beyond()
}

/// The largest number of a context.
pub fn last() -> u32 {
    LAST.load(Ordering::Acquire)
}

impl Context {
    /// The innermost context of a stack.
    #[inline(always)]
    pub fn of(stack: StackId) -> Self {
        Self(stack.0)
    }

    /// The stack that this is the innermost context of.
    #[inline(always)]
    pub fn stack_id(self) -> StackId {
        StackId(self.0)
    }

    /// The context of a frame with this return address that is called from here. Adds it if it is
    /// new. `None` if there is no memory left for it.
    #[inline]
    pub fn call(self, address: usize) -> Option<Self> {
        self.known_call(address).or_else(|| insert(self, address))
    }

    /// As [`call`](Self::call), but adds nothing.
    #[inline]
    pub fn known_call(self, address: usize) -> Option<Self> {
        probe(NonNull::new(TABLE.load(Ordering::Acquire))?, self, address).1
    }

    /// Its caller, if it is the context of this return address.
    #[inline(always)]
    pub fn caller_at(self, address: usize) -> Option<Self> {
        let node = self.node()?;
        (node.address.load(Ordering::Relaxed) == address)
            .then(|| Self(node.caller.load(Ordering::Relaxed)))
    }

    /// The return addresses from here to the root, innermost first.
    pub fn addresses(self) -> impl Iterator<Item = usize> {
        let inside = iter::successors(Some(self), |context| Some(context.caller()));
        let frames = inside.take_while(|context| !context.is_root());
        frames.skip(usize::from(self.is_of_c())).map(|context| context.address())
    }

    /// Whether the stack is one of C's blocks.
    fn is_of_c(self) -> bool {
        self.address() == OF_C
    }

    /// The scope of the stacks that this is a context of, or 0.
    pub fn scope(self) -> u32 {
        self.of_scope().address() as u32
    }

    /// The context that stands for its scope.
    fn of_scope(self) -> Self {
        Self(self.node().map_or(0, |node| node.scope.load(Ordering::Relaxed)))
    }

    /// The next one in the list of its scope.
    fn next_in_scope(self) -> Option<Self> {
        let next = self.node()?.next_in_scope.load(Ordering::Acquire);
        (next != 0).then_some(Self(next))
    }

    /// How many outer frames are not kept.
    pub fn beyond(self) -> u32 {
        let root = iter::successors(Some(self), |context| Some(context.caller()))
            .find(|context| context.is_root());
        root.map_or(0, |root| root.address() as u32)
    }

    /// Whether the chain of frame pointers that ends here has every frame, if that is known. A
    /// function that keeps no frame pointer is missing in it.
    #[inline(always)]
    pub fn is_whole_chain(self) -> Option<bool> {
        let chain = self.node()?.chain.load(Ordering::Relaxed);
        (chain != 0).then_some(chain == WHOLE)
    }

    /// Remembers whether the chain has every frame.
    pub fn set_whole_chain(self, is_whole: bool) {
        if let Some(node) = self.node() {
            node.chain.store(if is_whole { WHOLE } else { BROKEN }, Ordering::Relaxed);
        }
    }

    /// Its number, from 1; 0 is none.
    #[inline(always)]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The context with this number.
    #[inline(always)]
    pub fn numbered(number: u32) -> Self {
        Self(number)
    }

    /// Whether it stands for no address.
    fn is_root(self) -> bool {
        self.caller().caller().0 <= NONE.0
    }

    fn caller(self) -> Self {
        Self(self.node().map_or(0, |node| node.caller.load(Ordering::Relaxed)))
    }

    fn address(self) -> usize {
        self.node().map_or(0, |node| node.address.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn node(self) -> Option<&'static Node> {
        // No number is larger, but the compiler cannot know that.
        let chunk =
            NonNull::new(CHUNK[(self.0 / PER_CHUNK) as usize % CHUNKS].load(Ordering::Acquire))?;
        // SAFETY: a published chunk has PER_CHUNK nodes, zeroed or written, and is never unmapped.
        Some(unsafe { chunk.add((self.0 % PER_CHUNK) as usize).as_ref() })
    }
}

pub fn before_fork() {
    GROWING.acquire();
}

pub fn after_fork() {
    GROWING.release();
}

/// The offset of the slot that is probed first, before the table's mask.
#[inline(always)]
fn first_offset(caller: Context, address: usize) -> usize {
    let both = address as u64 ^ u64::from(caller.0).rotate_left(20);
    (both.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 28) as usize
}

#[inline(always)]
fn slot(table: NonNull<Table>, offset: usize) -> &'static Slot {
    // SAFETY: the slots follow the table, `offset` is masked by every caller, and tables are never
    // unmapped.
    unsafe { table.add(1).cast::<Slot>().byte_add(offset).as_ref() }
}

/// The slot of a context, and the context; or the empty slot that it would take.
fn probe(
    table: NonNull<Table>,
    caller: Context,
    address: usize,
) -> (&'static Slot, Option<Context>) {
    // SAFETY: a published table's header is never written again.
    let mask = unsafe { table.as_ref().mask };
    let mut offset = first_offset(caller, address) & mask;
    loop {
        let slot = slot(table, offset);
        let called_from = slot.caller.load(Ordering::Acquire);
        if called_from == 0 {
            return (slot, None);
        }
        if called_from == caller.0 && slot.address.load(Ordering::Relaxed) == address {
            return (slot, Some(Context(slot.context.load(Ordering::Relaxed))));
        }
        offset = (offset + size_of::<Slot>()) & mask;
    }
}

#[cold]
#[inline(never)]
fn insert(caller: Context, address: usize) -> Option<Context> {
    let _growing = GROWING.lock();
    let table = match NonNull::new(TABLE.load(Ordering::Relaxed)) {
        Some(table) => table,
        None => publish(new_table(FIRST_TABLE)?),
    };
    let (mut place, found) = probe(table, caller, address);
    if found.is_some() {
        return found;
    }
    let new = Context(last() + 1);
    if new.0 as usize * 4 > slots(table) {
        (place, _) = probe(publish(enlarge(table)?), caller, address);
    }
    let chunk = CHUNK.get((new.0 / PER_CHUNK) as usize)?;
    if chunk.load(Ordering::Acquire).is_null() {
        let nodes = memory::reserve(PER_CHUNK as usize * size_of::<Node>())?;
        chunk.store(nodes.as_ptr().cast(), Ordering::Release);
    }
    let node = new.node()?;
    node.address.store(address, Ordering::Relaxed);
    node.caller.store(caller.0, Ordering::Relaxed);
    // The context that stands for a scope has the scope's number for an address.
    let of_scope = if caller == NONE { new } else { caller.of_scope() };
    node.scope.store(of_scope.0, Ordering::Relaxed);
    LAST.store(new.0, Ordering::Release);
    if of_scope != new {
        let head = &of_scope.node()?.next_in_scope;
        node.next_in_scope.store(head.load(Ordering::Relaxed), Ordering::Relaxed);
        head.store(new.0, Ordering::Release);
    }
    fill(place, caller, address, new);
    Some(new)
}

fn fill(slot: &Slot, caller: Context, address: usize, context: Context) {
    slot.address.store(address, Ordering::Relaxed);
    slot.context.store(context.0, Ordering::Relaxed);
    slot.caller.store(caller.0, Ordering::Release);
}

fn publish(table: NonNull<Table>) -> NonNull<Table> {
    TABLE.store(table.as_ptr(), Ordering::Release);
    table
}

fn slots(table: NonNull<Table>) -> usize {
    // SAFETY: a published table's header is never written again.
    unsafe { table.as_ref().mask / size_of::<Slot>() + 1 }
}

fn new_table(slots: usize) -> Option<NonNull<Table>> {
    let table = memory::reserve(size_of::<Table>() + slots * size_of::<Slot>())?.cast::<Table>();
    // SAFETY: fresh memory, large enough and aligned to 16 bytes, that no other code has seen.
    unsafe { table.write(Table { mask: (slots - 1) * size_of::<Slot>() }) };
    Some(table)
}

fn enlarge(table: NonNull<Table>) -> Option<NonNull<Table>> {
    let larger = new_table(slots(table) * 2)?;
    for context in (NONE.0 + 1..=last()).map(Context) {
        let (caller, address) = (context.caller(), context.address());
        fill(probe(larger, caller, address).0, caller, address, context);
    }
    Some(larger)
}

const _: () =
    assert!(size_of::<Table>() == 16 && align_of::<Slot>() <= 16 && align_of::<Node>() <= 16);

#[cfg(test)]
mod tests {
    use super::*;

    /// The context of a path, outermost first.
    fn path(scope: u32, beyond: u32, addresses: &[usize]) -> Context {
        let root = root(scope, beyond).expect("there is memory");
        addresses
            .iter()
            .fold(root, |context, address| context.call(*address).expect("there is memory"))
    }

    #[test]
    fn equal_paths_get_one_context_under_threads_and_growth() {
        let paths = if cfg!(miri) { 200 } else { 20_000_usize };
        let all: Vec<Vec<Context>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope
                        .spawn(|| (0..paths).map(|n| path(0, 0, &[0xABCD, n * 7 + 1, n])).collect())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        for contexts in &all[1..] {
            assert_eq!(contexts, &all[0]);
        }
        for (n, context) in all[0].iter().enumerate() {
            assert_eq!(context.addresses().collect::<Vec<_>>(), [n, n * 7 + 1, 0xABCD]);
        }
    }

    #[test]
    fn scope_and_cut_frames_tell_paths_apart_too() {
        let addresses = [0x30, 0x20, 0x10];
        let all = [
            path(0, 0, &addresses),
            path(0, 9, &addresses),
            path(5, 0, &addresses),
            path(5, 9, &addresses),
        ];
        for (context, found) in all.iter().zip([(0, 0), (0, 9), (5, 0), (5, 9)]) {
            assert_eq!((context.scope(), context.beyond()), found);
            assert_eq!(context.addresses().collect::<Vec<_>>(), [0x10, 0x20, 0x30]);
            assert_eq!(all.iter().filter(|other| *other == context).count(), 1);
        }
    }

    #[test]
    fn a_broken_chain_is_remembered_and_its_callers_are_not_broken() {
        let caller = path(0, 0, &[0xB0]);
        let chain = caller.call(0xB1).expect("there is memory");
        assert_eq!(chain.is_whole_chain(), None);
        chain.set_whole_chain(false);
        assert_eq!((chain.is_whole_chain(), caller.is_whole_chain()), (Some(false), None));
        caller.set_whole_chain(true);
        assert_eq!((chain.is_whole_chain(), caller.is_whole_chain()), (Some(false), Some(true)));
    }

    #[test]
    fn addresses_that_are_no_address_are_kept_too() {
        let zeroes = path(0, 0, &[0, 0, 0]);
        assert_eq!(zeroes.addresses().collect::<Vec<_>>(), [0, 0, 0]);
        assert_eq!(path(0, 0, &[]).addresses().count(), 0);
    }

    #[test]
    fn frames_that_were_cut_off_are_counted() {
        let (whole, cut) = (path(0, 0, &[3, 2, 1]).stack_id(), path(0, 6, &[3, 2, 1]).stack_id());
        assert_ne!(whole, cut);
        assert_eq!((total(whole), total(cut)), (3, 9));
        assert_eq!(addresses(cut).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn blocks_of_c_have_stacks_of_their_own_with_the_same_frames() {
        for frames in [&[0x30, 0x20, 0x10][..], &[]] {
            let of_rust = path(9, 4, frames);
            let of_c = of_rust.call(OF_C).expect("there is memory");
            assert_ne!(of_rust, of_c);
            assert_eq!(of_rust.call(OF_C), Some(of_c));
            let found = [of_rust, of_c].map(|context| domain(context.stack_id()));
            assert_eq!(found, [RUST, C]);
            assert!(of_c.addresses().eq(of_rust.addresses()));
            assert_eq!((of_c.scope(), of_c.beyond()), (9, 4));
            assert_eq!(total(of_c.stack_id()), total(of_rust.stack_id()));
        }
    }

    #[test]
    fn a_scope_lists_its_own_stacks() {
        let others = path(71, 0, &[0x10, 0x20]);
        let first = path(70, 0, &[0x10, 0x20]);
        let second = path(70, 3, &[0x30]);
        let stacks: Vec<_> = stacks_of_scope(70).collect();
        let place = |context: Context| stacks.iter().position(|stack| *stack == context.stack_id());
        assert!(place(second) < place(first) && place(first).is_some(), "{stacks:?}");
        assert_eq!(place(others), None);
        assert_eq!(stacks_of_scope(72).count(), 0);
    }
}
