//! Stacks: the paths of the calling context tree that blocks were allocated by, each named by a small number.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::contexts::Context;
use crate::memory;
use crate::scope;
use crate::spin_lock::SpinLock;

/// The name of a stack, from 1. 25 bits, because that is what a slot of the shadow map has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StackId(pub(crate) u32);

impl StackId {
    /// Of every block that is allocated while a thread is paused, whatever its stack: they are known, so that nobody takes
    /// what the harness keeps for what the program keeps, and are no part of what is live.
    pub(crate) const OURS: Self = Self(0);
}

/// One more than the largest id.
pub(crate) const MAX_STACKS: u32 = 1 << 25;
/// The most physical frames that are kept of a stack.
pub const MAX_DEPTH: usize = MAX_NFRAME as usize + FRAMES_OF_STD;
/// The most frames that a program can ask for.
pub const MAX_NFRAME: u32 = 65_535;
/// Between the allocator and the program's line lie up to 35 frames of the standard library, so this many physical frames
/// are captured beyond those that are shown.
pub const FRAMES_OF_STD: usize = 48;

const PER_CHUNK: u32 = 1 << 14;
const CHUNKS: usize = (MAX_STACKS / PER_CHUNK) as usize;

/// In the label of a context, beside the id of the stack: the chain of frame pointers that it is the innermost context of is
/// broken, because some function keeps none, and such a stack has to be unwound.
const BROKEN: u32 = 1 << 31;

/// Written before its id is published. Stacks of one scope are a list, from the newest on.
#[repr(C)]
struct Stack {
    context: AtomicU32,
    scope: AtomicU32,
    next_in_scope: AtomicU32,
}

static CHUNK: [AtomicPtr<Stack>; CHUNKS] = [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
static COUNT: AtomicU32 = AtomicU32::new(0);
static ADDING: SpinLock<()> = SpinLock::new(());

/// How many stacks there are; ids run from 1 to this.
pub fn count() -> u32 {
    COUNT.load(Ordering::Acquire)
}

/// The stack that a context is the innermost one of. It is added if it is new; `None` when there is no memory left for it.
#[inline(always)]
pub fn of(context: Context) -> Option<StackId> {
    find(context).or_else(|| add(context))
}

/// The same, if there is one already.
#[inline(always)]
pub fn find(context: Context) -> Option<StackId> {
    let id = context.label()?.load(Ordering::Acquire) & (MAX_STACKS - 1);
    (id != 0).then_some(StackId(id))
}

/// Whether a chain of frame pointers is known to be broken.
pub fn is_broken(chain: Context) -> bool {
    chain.label().is_some_and(|label| label.load(Ordering::Relaxed) & BROKEN != 0)
}

/// Remembers a broken chain.
pub fn remember_broken(chain: Context) {
    if let Some(label) = chain.label() {
        label.fetch_or(BROKEN, Ordering::Relaxed);
    }
}

/// The return addresses of a stack, innermost first.
pub fn addresses(id: StackId) -> impl Iterator<Item = usize> {
    context(id).into_iter().flat_map(Context::addresses)
}

/// How many frames the stack had before it was cut to the most that are kept.
pub fn total(id: StackId) -> u32 {
    context(id).map_or(0, |context| context.addresses().count() as u32 + context.beyond())
}

/// The scope that the stack was walked in, or 0.
pub fn scope(id: StackId) -> u32 {
    stack(id).map_or(0, |stack| stack.scope.load(Ordering::Relaxed))
}

/// The next stack in the list of a scope, which begins at [`scope::newest_stack`].
pub fn next_in_scope(id: StackId) -> Option<StackId> {
    let next = stack(id).map_or(0, |stack| stack.next_in_scope.load(Ordering::Relaxed));
    (next != 0).then_some(StackId(next))
}

pub fn before_fork() {
    ADDING.acquire();
}

pub fn after_fork() {
    ADDING.release();
}

fn context(id: StackId) -> Option<Context> {
    stack(id).map(|stack| Context::numbered(stack.context.load(Ordering::Relaxed)))
}

fn stack(id: StackId) -> Option<&'static Stack> {
    let chunk = NonNull::new(CHUNK.get((id.0 / PER_CHUNK) as usize)?.load(Ordering::Acquire))?;
    // SAFETY: a published chunk has PER_CHUNK stacks, zeroed or written, and is never unmapped.
    Some(unsafe { chunk.add((id.0 % PER_CHUNK) as usize).as_ref() })
}

#[cold]
#[inline(never)]
fn add(context: Context) -> Option<StackId> {
    let _adding = ADDING.lock();
    if let Some(found) = find(context) {
        return Some(found);
    }
    let id = StackId(count() + 1);
    if id.0 >= MAX_STACKS {
        return None;
    }
    let place = CHUNK.get((id.0 / PER_CHUNK) as usize)?;
    if place.load(Ordering::Acquire).is_null() {
        let chunk = memory::reserve(PER_CHUNK as usize * size_of::<Stack>())?;
        place.store(chunk.as_ptr().cast(), Ordering::Release);
    }
    let (stack, of_scope) = (stack(id)?, context.scope());
    stack.context.store(context.number(), Ordering::Relaxed);
    stack.scope.store(of_scope, Ordering::Relaxed);
    stack.next_in_scope.store(scope::newest_stack(of_scope), Ordering::Relaxed);
    COUNT.store(id.0, Ordering::Release);
    scope::set_newest_stack(of_scope, id.0);
    context.label()?.fetch_or(id.0, Ordering::AcqRel);
    Some(id)
}

const _: () = assert!(align_of::<Stack>() <= 16);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contexts;

    fn path(beyond: u32, addresses: &[usize]) -> Context {
        let root = contexts::root(0, beyond).expect("there is memory");
        addresses.iter().fold(root, |context, address| context.call(*address).expect("there is memory"))
    }

    #[test]
    fn equal_stacks_get_one_id_under_threads() {
        let stacks = if cfg!(miri) { 200 } else { 20_000_usize };
        let all: Vec<Vec<StackId>> = std::thread::scope(|scope| {
            let add_all = || (0..stacks).map(|n| of(path(0, &[0xF00D, n])).expect("there is memory")).collect();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(add_all)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        for ids in &all[1..] {
            assert_eq!(ids, &all[0]);
        }
        for (n, id) in all[0].iter().enumerate() {
            assert_eq!(addresses(*id).collect::<Vec<_>>(), [n, 0xF00D]);
        }
    }

    #[test]
    fn what_was_cut_off_is_counted() {
        let (whole, cut) = (of(path(0, &[3, 2, 1])).unwrap(), of(path(6, &[3, 2, 1])).unwrap());
        assert_ne!(whole, cut);
        assert_eq!((total(whole), total(cut)), (3, 9));
        assert_eq!(addresses(cut).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn a_broken_chain_is_no_stack() {
        let chain = path(0, &[0xB0, 0xB1]);
        remember_broken(chain);
        assert!(is_broken(chain));
        assert_eq!(find(chain), None);
        let id = of(chain).expect("there is memory");
        assert_eq!((find(chain), is_broken(chain)), (Some(id), true));
    }
}
