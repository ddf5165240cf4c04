//! The ledger of one thread: bytes and blocks that it allocated and freed, by stack.
//!
//! Only the owner writes, with plain loads and stores; any thread may read. If a thread frees a
//! block that another thread allocated, its own account becomes negative. So only the sum over all
//! ledgers has a meaning, and that sum is exact.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicI64, AtomicPtr, Ordering};

use crate::os::memory;
use crate::trace::stack_id::{MAX_STACKS, StackId};

const PER_CHUNK: usize = 1 << 12;
const CHUNKS: usize = MAX_STACKS as usize / PER_CHUNK;

/// The account of one stack in one ledger.
#[derive(Debug)]
#[repr(C)]
pub struct Account {
    bytes: AtomicI64,
    blocks: AtomicI64,
}

/// The accounts of one thread. A chunk of them is made when its first stack is seen.
#[repr(transparent)]
pub struct Ledger {
    chunks: [AtomicPtr<Account>; CHUNKS],
}

/// Bytes and blocks; negative where more was freed than allocated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Bytes.
    pub bytes: i64,
    /// Blocks.
    pub blocks: i64,
}

impl Account {
    /// For the owning thread only.
    #[inline(always)]
    pub fn add(&self, bytes: i64, blocks: i64) {
        self.bytes.store(self.bytes.load(Ordering::Relaxed).wrapping_add(bytes), Ordering::Relaxed);
        self.blocks
            .store(self.blocks.load(Ordering::Relaxed).wrapping_add(blocks), Ordering::Relaxed);
    }
}

impl Ledger {
    /// An empty ledger, for a `static`.
    pub const fn new() -> Self {
        Self { chunks: [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS] }
    }

    /// Adds to a stack's account. For the owning thread only. False if there is no memory for the
    /// account.
    #[inline(always)]
    pub fn add(&self, id: StackId, bytes: i64, blocks: i64) -> bool {
        let Some(account) = self.account(id) else { return false };
        account.add(bytes, blocks);
        true
    }

    /// A stack's account, if the ledger has it.
    #[inline(always)]
    pub fn existing(&self, id: StackId) -> Option<&Account> {
        // No id is larger, but the compiler cannot know that.
        let id = (id.0 & (MAX_STACKS - 1)) as usize;
        let chunk = NonNull::new(self.chunks[id / PER_CHUNK].load(Ordering::Acquire))?;
        // SAFETY: a published chunk has PER_CHUNK accounts and is never unmapped; zeroed memory is
        // a valid account.
        Some(unsafe { chunk.add(id % PER_CHUNK).as_ref() })
    }

    /// As [`add`](Self::add), from any number of threads at once.
    pub fn add_shared(&self, id: StackId, bytes: i64, blocks: i64) -> bool {
        let Some(account) = self.account(id) else { return false };
        account.bytes.fetch_add(bytes, Ordering::Relaxed);
        account.blocks.fetch_add(blocks, Ordering::Relaxed);
        true
    }

    /// The balance of one stack's account.
    pub fn balance(&self, id: StackId) -> Balance {
        let Some(account) = self.existing(id) else { return Balance::default() };
        Balance {
            bytes: account.bytes.load(Ordering::Relaxed),
            blocks: account.blocks.load(Ordering::Relaxed),
        }
    }

    /// Adds every account to its place in `totals`, which is indexed by stack id.
    pub fn sum_into(&self, totals: &mut [Balance]) {
        for (chunk, totals) in self.chunks.iter().zip(totals.chunks_mut(PER_CHUNK)) {
            let Some(chunk) = NonNull::new(chunk.load(Ordering::Acquire)) else { continue };
            for (index, total) in totals.iter_mut().enumerate() {
                // SAFETY: a published chunk has PER_CHUNK accounts, `index` is below that, and
                // chunks are never unmapped.
                let account = unsafe { chunk.add(index).as_ref() };
                total.bytes += account.bytes.load(Ordering::Relaxed);
                total.blocks += account.blocks.load(Ordering::Relaxed);
            }
        }
    }

    #[inline(always)]
    fn account(&self, id: StackId) -> Option<&Account> {
        self.existing(id).or_else(|| {
            self.new_chunk(id)?;
            self.existing(id)
        })
    }

    /// Makes the chunk that a stack's account is in.
    #[cold]
    fn new_chunk(&self, id: StackId) -> Option<()> {
        let place = self.chunks.get(id.0 as usize / PER_CHUNK)?;
        let chunk = memory::reserve(PER_CHUNK * size_of::<Account>())?.cast::<Account>();
        // If two threads share a ledger, one of them loses here, and its chunk stays unused.
        let _ = place.compare_exchange(
            ptr::null_mut(),
            chunk.as_ptr(),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        Some(())
    }
}

const _: () = assert!(size_of::<Account>() == 16);
