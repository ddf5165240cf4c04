//! The calling context tree: each return address that was ever captured, below the one that called it.
//!
//! A stack is a path from a root, and is named by its innermost context. Stacks that share callers share their
//! contexts, so a walk that ends at callers known from the last one looks up only what is new (Ammons, Ball and Larus,
//! "Exploiting hardware performance counters with flow and context sensitive profiling", 1997, have the tree).
//!
//! A look-up takes no lock: it probes a table of (address, caller, context), all of which is compared. A new context is
//! added under a lock. When the table is a quarter full it is copied into one of twice the size; readers of the old one
//! at worst miss, and then look again under the lock. Nothing is freed.

use core::iter;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use crate::memory;
use crate::spin_lock::SpinLock;

/// A return address and the context that it returns to.
///
/// The contexts of the first two levels stand for no address, but for what else tells stacks apart: the
/// [`scope`](crate::scope) that they were walked in, and below it how many more frames there were than are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context(u32);

/// The context of nothing, which those of scopes are called from. 0 is no context.
const NONE: Context = Context(1);

const PER_CHUNK: u32 = 1 << 16;
const CHUNKS: usize = 1 << 12;
const FIRST_TABLE: usize = 1 << 10;

#[repr(C)]
struct Node {
    address: AtomicUsize,
    caller: AtomicU32,
    label: AtomicU32,
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

/// What only the holder of the lock touches.
struct Growing {
    next: u32,
}

/// What is known at a time.
#[derive(Clone, Copy)]
pub struct Known(NonNull<Table>);

static TABLE: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());
static CHUNK: [AtomicPtr<Node>; CHUNKS] = [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
static GROWING: SpinLock<Growing> = SpinLock::new(Growing { next: NONE.0 + 1 });

/// Where the outermost frames of stacks in a scope (0 is none) are called from, of which `beyond` more frames are not kept.
/// `None` when there is no memory left.
pub fn root(scope: u32, beyond: u32) -> Option<Context> {
    NONE.call(scope as usize)?.call(beyond as usize)
}

impl Known {
    /// What is known now, if anything is.
    #[inline(always)]
    pub fn now() -> Option<Self> {
        NonNull::new(TABLE.load(Ordering::Acquire)).map(Self)
    }

    /// The context of a frame with this return address that is called from `caller`.
    #[inline(always)]
    pub fn find(self, caller: Context, address: usize) -> Option<Context> {
        // SAFETY: a published table's header is never written again.
        let offset = first_offset(caller, address) & unsafe { self.0.as_ref().mask };
        // Nearly all are where they are looked for first.
        let slot = slot(self.0, offset);
        if slot.caller.load(Ordering::Acquire) == caller.0 && slot.address.load(Ordering::Relaxed) == address {
            return Some(Context(slot.context.load(Ordering::Relaxed)));
        }
        self.find_further(caller, address)
    }

    #[cold]
    #[inline(never)]
    fn find_further(self, caller: Context, address: usize) -> Option<Context> {
        probe(self.0, caller, address).1
    }
}

impl Context {
    /// The context of a frame with this return address that is called from here. It is added if it is new; `None` when
    /// there is no memory left for it.
    #[inline]
    pub fn call(self, address: usize) -> Option<Self> {
        Known::now().and_then(|known| known.find(self, address)).or_else(|| insert(self, address))
    }

    /// The return addresses from here to the root, innermost first.
    pub fn addresses(self) -> impl Iterator<Item = usize> {
        let inside = iter::successors(Some(self), |context| Some(context.caller()));
        inside.take_while(|context| !context.is_root()).map(|context| context.address())
    }

    /// The scope of the stacks that this is a context of, or 0.
    pub fn scope(self) -> u32 {
        self.root().caller().address() as u32
    }

    /// How many more frames there were outside.
    pub fn beyond(self) -> u32 {
        self.root().address() as u32
    }

    /// A word that whoever knows what a path stands for may write to; 0 at first.
    #[inline(always)]
    pub fn label(self) -> Option<&'static AtomicU32> {
        self.node().map(|node| &node.label)
    }

    /// Its number, from 1; 0 is none.
    #[inline(always)]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The one with this number.
    #[inline(always)]
    pub fn numbered(number: u32) -> Self {
        Self(number)
    }

    fn root(self) -> Self {
        let mut context = self;
        while context != NONE && !context.is_root() {
            context = context.caller();
        }
        context
    }

    /// Whether no address belongs to it.
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
        // No number is larger, which the compiler cannot know.
        let chunk = NonNull::new(CHUNK[(self.0 / PER_CHUNK) as usize % CHUNKS].load(Ordering::Acquire))?;
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

/// Where a context is looked for first, less what is beyond the table's end.
#[inline(always)]
fn first_offset(caller: Context, address: usize) -> usize {
    let both = address as u64 ^ u64::from(caller.0).rotate_left(20);
    (both.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 28) as usize
}

#[inline(always)]
fn slot(table: NonNull<Table>, offset: usize) -> &'static Slot {
    // SAFETY: the slots follow the table, `offset` is masked by every caller, and tables are never unmapped.
    unsafe { table.add(1).cast::<Slot>().byte_add(offset).as_ref() }
}

/// The slot of a context, and the context; or the empty slot where it is missing.
fn probe(table: NonNull<Table>, caller: Context, address: usize) -> (&'static Slot, Option<Context>) {
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
    let mut growing = GROWING.lock();
    let table = match NonNull::new(TABLE.load(Ordering::Relaxed)) {
        Some(table) => table,
        None => publish(new_table(FIRST_TABLE)?),
    };
    let (mut place, found) = probe(table, caller, address);
    if found.is_some() {
        return found;
    }
    if growing.next as usize * 4 > slots(table) {
        (place, _) = probe(publish(enlarge(table, growing.next)?), caller, address);
    }
    let new = Context(growing.next);
    let chunk = CHUNK.get((new.0 / PER_CHUNK) as usize)?;
    if chunk.load(Ordering::Acquire).is_null() {
        let nodes = memory::reserve(PER_CHUNK as usize * size_of::<Node>())?;
        chunk.store(nodes.as_ptr().cast(), Ordering::Release);
    }
    let node = new.node()?;
    node.address.store(address, Ordering::Relaxed);
    node.caller.store(caller.0, Ordering::Relaxed);
    growing.next += 1;
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
    // SAFETY: fresh memory, large enough and aligned to 16 bytes, that nobody else has seen.
    unsafe { table.write(Table { mask: (slots - 1) * size_of::<Slot>() }) };
    Some(table)
}

fn enlarge(table: NonNull<Table>, next: u32) -> Option<NonNull<Table>> {
    let larger = new_table(slots(table) * 2)?;
    for context in (NONE.0 + 1..next).map(Context) {
        let (caller, address) = (context.caller(), context.address());
        fill(probe(larger, caller, address).0, caller, address, context);
    }
    Some(larger)
}

const _: () = assert!(size_of::<Table>() == 16 && align_of::<Slot>() <= 16 && align_of::<Node>() <= 16);

#[cfg(test)]
mod tests {
    use super::*;

    /// The context of a path, outermost first.
    fn path(scope: u32, beyond: u32, addresses: &[usize]) -> Context {
        let root = root(scope, beyond).expect("there is memory");
        addresses.iter().fold(root, |context, address| context.call(*address).expect("there is memory"))
    }

    #[test]
    fn equal_paths_get_one_context_under_threads_and_growth() {
        let paths = if cfg!(miri) { 200 } else { 20_000_usize };
        let all: Vec<Vec<Context>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..paths).map(|n| path(0, 0, &[0xABCD, n * 7 + 1, n])).collect()))
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
    fn what_is_not_an_address_tells_paths_apart_too() {
        let addresses = [0x30, 0x20, 0x10];
        let all = [path(0, 0, &addresses), path(0, 9, &addresses), path(5, 0, &addresses), path(5, 9, &addresses)];
        for (context, told) in all.iter().zip([(0, 0), (0, 9), (5, 0), (5, 9)]) {
            assert_eq!((context.scope(), context.beyond()), told);
            assert_eq!(context.addresses().collect::<Vec<_>>(), [0x10, 0x20, 0x30]);
            assert_eq!(all.iter().filter(|other| *other == context).count(), 1);
        }
    }

    #[test]
    fn addresses_that_are_no_address_are_kept_too() {
        let zeroes = path(0, 0, &[0, 0, 0]);
        assert_eq!(zeroes.addresses().collect::<Vec<_>>(), [0, 0, 0]);
        assert_eq!(path(0, 0, &[]).addresses().count(), 0);
    }
}
