//! The search in the copy: blocks, then roots in the order of their phases, then the rest.
//!
//! Each phase follows all its pointers before the next one begins:
//!
//! 1. statics and other data of the executable and its libraries;
//! 2. thread-local storage of living threads;
//! 3. stacks of living threads above their stack pointer, and their registers;
//! 4. known holders of all these kinds: a block that another root holds too is not excused;
//! 5. all other readable memory, except free chunks of the C library's heap, and stacks of threads
//!    that have ended.

use crate::heap::linux::blocks::{Block, Blocks, FREED, NONE, OURS};
use crate::heap::linux::glibc_malloc::{self, CHeap};
use crate::heap::linux::holder_tree;
use crate::heap::linux::list::List;
use crate::heap::linux::maps::{self, Mapping};
use crate::heap::linux::ptrace::Thread;
use crate::heap::linux::range::Range;
use crate::heap::linux::reachability::Reachability;
use crate::heap::linux::reply::{Hindrance, Reply, RootKind};
use crate::heap::linux::request::Request;
use crate::heap::linux::roots::{self, PHASES, Roots};
use crate::heap::linux::summary;
use crate::trace::shadow;
use crate::trace::stack_id::StackId;

/// Searches, and writes the result into the reply. `hindrances` are known before.
pub fn run(request: &Request<'_>, hindrances: u32, reply: &mut Reply) {
    match search(request, hindrances, reply) {
        Ok(hindrances) => reply.hindrances = hindrances,
        Err(hindrance) => reply.hindrances |= hindrance as u32,
    }
}

fn search(request: &Request<'_>, mut hindrances: u32, reply: &mut Reply) -> Result<u32, Hindrance> {
    if !request.all_threads {
        hindrances |= Hindrance::Registers as u32;
    }
    let mappings = maps::read()?;
    let mut blocks = traced_blocks()?;
    let mut walked = List::new();
    if request.threads.iter().any(|thread| may_be_in_malloc(thread, request.c_code)) {
        hindrances |= Hindrance::Malloc as u32;
    } else {
        let heap = add_chunks(&mappings, &mut blocks, request)?;
        walked = heap.walked;
        if !heap.has_caches && !walked.is_empty() && request.cache_layout.is_some() {
            hindrances |= Hindrance::Caches as u32;
        }
    }
    let blocks = Blocks::new(blocks).ok_or(Hindrance::Memory)?;
    reply.blocks = blocks.len() as u64;
    let roots = Roots::new(request, &mappings, &walked)?;
    let mut reached = Reachability::new(request, blocks, mappings, walked)?;
    for phase in PHASES {
        for place in roots.places.iter().filter(|place| place.phase == phase) {
            let root = reached.root(place.kind, place.thread, place.number)?;
            reached.look_at_root(place.range, root, place.of_c)?;
        }
        for thread in request.threads {
            if roots::phase_of_registers(request, thread) == phase {
                let root = reached.root(RootKind::Register, thread.id, 0)?;
                thread.registers().for_each(|word| reached.meet(word, 0, root));
            }
        }
        reached.follow()?;
    }
    reached.look_at_the_rest(&roots.covered)?;
    if request.wanted.is_empty() {
        holder_tree::write(&mut reached, request.domain, reply)?;
    }
    summary::write_entries(&mut reached, request.wanted, request.domain, reply)?;
    Ok(hindrances | reached.hindrances)
}

/// All traced blocks, sorted.
fn traced_blocks() -> Result<List<Block>, Hindrance> {
    let mut blocks = List::new();
    let mut has_room = true;
    shadow::for_each_in_copy(&mut |domain, address, block| {
        // Memory of another domain may be a device's, and reading it may have effects.
        if domain == shadow::ALLOCATOR {
            let stack = if block.id == StackId::OURS { OURS } else { block.id.0 };
            has_room = has_room && blocks.push(Block::new(address, block.size, stack));
        }
    });
    if !has_room || blocks.len() >= NONE as usize / 2 {
        return Err(Hindrance::Memory);
    }
    if !blocks.is_sorted_by_key(|block| block.start) {
        blocks.sort_unstable_by_key(|block| block.start);
    }
    Ok(blocks)
}

/// Adds the C library's untraced chunks to the blocks, and marks blocks in free chunks. Returns its
/// heaps, without the chunks.
fn add_chunks(
    mappings: &[Mapping],
    blocks: &mut List<Block>,
    request: &Request<'_>,
) -> Result<CHeap, Hindrance> {
    let mut heap = glibc_malloc::walk(mappings, blocks, request.cache_layout.as_ref())
        .ok_or(Hindrance::Memory)?;
    for start in heap.freed.iter() {
        if let Ok(number) = blocks.binary_search_by_key(start, |block| block.start) {
            blocks[number].root = FREED;
        }
    }
    let chunks = core::mem::replace(&mut heap.chunks, List::new());
    let has_room = chunks.iter().all(|chunk| blocks.push(*chunk));
    chunks.release();
    has_room.then_some(heap).ok_or(Hindrance::Memory)
}

/// Whether a thread was stopped while the C library's heap may be half changed. It was in the
/// library's code, or in a system call that gets or returns memory.
fn may_be_in_malloc(thread: &Thread, c_code: Range) -> bool {
    let instruction = thread.instruction();
    (c_code.0..c_code.1).contains(&instruction)
        && thread.system_call().is_none_or(|call| {
            [
                libc::SYS_brk,
                libc::SYS_mmap,
                libc::SYS_munmap,
                libc::SYS_mremap,
                libc::SYS_madvise,
                libc::SYS_mprotect,
            ]
            .contains(&call)
        })
}
