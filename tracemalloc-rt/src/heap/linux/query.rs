//! Queries for the holders of blocks: each copies the process and translates the reply of the copy.

use core::time::Duration;
use std::collections::HashMap;

use crate::heap::holder::Holder;
use crate::heap::holdings::{HeldStep, HolderSum, Holdings};
use crate::heap::known_holder::{KnownHolder, OUR_HOLDERS, is_ours};
use crate::heap::linux::glibc_malloc;
use crate::heap::linux::inventory::Inventory;
use crate::heap::linux::original::Original;
use crate::heap::linux::process::{self, Deadline};
use crate::heap::linux::ptrace::{self, Board};
use crate::heap::linux::reply::{Entry, Hindrance, Reply};
use crate::heap::linux::request::{Caller, Request};
use crate::heap::linux::search;
use crate::heap::linux::shared::Shared;
use crate::heap::linux::stage::Stage;
use crate::heap::linux::thread_cache::Layout;
use crate::heap::retained::{Fate, Found, Retained, Step};
use crate::heap::search_place::SearchPlace;
use crate::heap::stranger::Stranger;
use crate::model::domain::Domain;
use crate::trace::stack_id::StackId;
use crate::trace::{fork, thread, thread_stacks};
use crate::util::sort::sort_by;

/// The longest that a search for the holders of all blocks may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest that the other threads stay stopped for a copy that still needs the process.
const MOST_STOPPED: Duration = Duration::from_secs(2);
/// How often a search is tried because a thread was stopped inside `malloc`.
const ATTEMPTS: u32 = 3;
const TOO_LONG: &str = "the search of the heap took too long";
const UNKNOWN_CACHES: &str = "the thread caches of this C library are not recognised, so memory that was freed may hold blocks";
const NO_MEMORY: &str = "there was no memory to search the heap";
const NO_COPY: &str = "the process could not be copied to search the heap";
const MUST_NOT_COPY: &str =
    "the process was not copied to search the heap, because a filter for system calls could end it";

/// Looks up the fate of the live blocks of these stacks. `known` are the known holders, and no path
/// leads from one to the blocks of its `strangers`.
///
/// `stack_from` is an address on the calling thread's stack. Memory above it counts as in use,
/// memory below it does not. The search runs in `place`, and may take as long as `patience`, with
/// all attempts.
///
/// # Errors
///
/// In words, why there is no result.
pub fn look_up(
    stacks: &[StackId],
    known: &[KnownHolder<'_>],
    strangers: &[Stranger],
    stack_from: usize,
    place: SearchPlace,
    patience: Duration,
) -> Result<Found, &'static str> {
    let _pause = thread::pause();
    let mut wanted: Vec<u32> = stacks.iter().map(|stack| stack.0).collect();
    sort_by(&mut wanted, u32::cmp);
    wanted.dedup();
    let mut strangers = strangers.to_vec();
    sort_by(&mut strangers, Stranger::cmp);
    if wanted.is_empty() {
        return Ok(Found { entries: Vec::new(), doubt: None, note: None });
    }
    let wanted = Wanted { stacks: &wanted, domain: Domain::All, strangers: &strangers, place };
    query(wanted, known, stack_from, patience, |inventory, reply| Found {
        entries: entries(inventory, reply),
        doubt: doubt(reply.hindrances),
        note: (reply.hindrances & Hindrance::Caches as u32 != 0).then_some(UNKNOWN_CACHES),
    })
}

/// Looks up the holders of all live blocks that these languages allocated. Blocks that only the
/// runtime or the harness holds are left out.
///
/// # Errors
///
/// In words, why there is no result.
pub fn holdings(stack_from: usize, domain: Domain) -> Result<Holdings, &'static str> {
    let _pause = thread::pause();
    let wanted = Wanted { stacks: &[], domain, strangers: &[], place: SearchPlace::Copy };
    query(wanted, OUR_HOLDERS, stack_from, PATIENCE, |inventory, reply| {
        let mut held = held(inventory, reply);
        held.retain(|sum| !sum.holder.known && !is_ours(&sum.holder.name));
        sort_by(&mut held, |a, b| {
            (b.bytes, b.blocks, &a.holder.name).cmp(&(a.bytes, a.blocks, &b.holder.name))
        });
        Holdings {
            held,
            lost_bytes: reply.lost_bytes,
            lost_blocks: reply.lost_blocks,
            lost: entries(inventory, reply),
            doubt: doubt(reply.hindrances),
        }
    })
}

/// The stacks whose blocks are wanted, and strangers to known holders, both sorted; and the place
/// of the search. If no stack is given, the blocks of a domain are wanted.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    stacks: &'a [u32],
    domain: Domain,
    strangers: &'a [Stranger],
    place: SearchPlace,
}

/// Searches, and again if a thread was stopped inside `malloc`, so that its heap was not walked.
fn query<T>(
    wanted: Wanted<'_>,
    known: &[KnownHolder<'_>],
    stack_from: usize,
    patience: Duration,
    translate: impl Fn(&Inventory, &Reply) -> T,
) -> Result<T, &'static str> {
    let deadline = Deadline::after(patience);
    let mut attempt = 1;
    loop {
        if deadline.is_over() {
            return Err(TOO_LONG);
        }
        let inventory = Inventory::new(known);
        let reply = search(&inventory, wanted, stack_from, deadline)?;
        if reply.hindrances & Hindrance::Malloc as u32 == 0 || attempt == ATTEMPTS {
            return Ok(translate(&inventory, &reply));
        }
        attempt += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The request, and the places for the reply, as the copy gets them.
struct Order<'a> {
    request: Request<'a>,
    reply: *mut Reply,
    /// [`COMPLETE`] when the copy needs nothing more from the process.
    progress: &'a Stage,
}

/// The stage of [`Order::progress`], after 0.
const COMPLETE: u32 = 1;

/// Copies the process, and waits for the reply of the copy.
fn search(
    inventory: &Inventory,
    wanted: Wanted<'_>,
    stack_from: usize,
    deadline: Deadline,
) -> Result<Shared<Reply>, &'static str> {
    let reply = Shared::<Reply>::new().ok_or(NO_MEMORY)?;
    let mut board = Shared::<Board>::new().ok_or(NO_MEMORY)?;
    let progress = Shared::<Stage>::new().ok_or(NO_MEMORY)?;
    let thread_pointer = thread_stacks::current_pointer().unwrap_or(0);
    let cache_layout = Layout::of_this_process();
    glibc_malloc::join_free_chunks();
    // From here on other threads may be stopped anywhere, with the C library's locks held. Nothing
    // may be allocated, freed or looked up until they run again. The runtime's own locks are taken
    // before.
    fork::hold();
    let is_alone = inventory.threads.is_empty() && is_alone(inventory.caller);
    let stopped = if is_alone || wanted.place == SearchPlace::Process {
        None
    } else {
        Some(ptrace::stop_others(&mut board))
    };
    let all_threads = stopped.as_ref().is_none_or(Option::is_some);
    let threads = match &stopped {
        Some(Some(stopped)) => stopped.threads(),
        _ => &[],
    };
    let original = Original::open();
    let request = Request {
        statics: &inventory.statics,
        wanted: wanted.stacks,
        domain: wanted.domain,
        strangers: wanted.strangers,
        known_threads: &inventory.known_threads,
        threads,
        all_threads,
        caller: Caller { id: inventory.caller, stack_from, thread_pointer },
        thread_local_size: inventory.thread_local_size,
        thread_locals: &inventory.thread_locals,
        c_code: inventory.c_code,
        cache_layout,
        original: original.as_ref(),
        deadline,
    };
    let order = Order { request, reply: reply.as_ptr(), progress: &progress };
    let mut copy = match wanted.place {
        SearchPlace::Process => None,
        SearchPlace::Copy | SearchPlace::CopyOrProcess => {
            process::copy_of_process(&order, search_in_copy)
        }
    };
    if let (Some(copy), Some(Some(_))) = (&mut copy, &stopped) {
        let deadline = Deadline::after(MOST_STOPPED);
        while progress.get() != COMPLETE && !copy.has_ended() && !deadline.is_over() {
            progress.wait_for_change(0);
        }
    }
    let Some(mut copy) = copy else {
        fork::let_go();
        if !is_alone || wanted.place == SearchPlace::Copy {
            let must_not = wanted.place == SearchPlace::Process;
            return Err(if must_not { MUST_NOT_COPY } else { NO_COPY });
        }
        search_here(&order);
        return checked(reply);
    };
    drop(stopped);
    fork::let_go();
    // A copy that is stuck in a system call does not see the deadline itself.
    if !copy.wait(deadline.left() + Duration::from_secs(2)) {
        return Err(TOO_LONG);
    }
    checked(reply)
}

/// The reply, unless it is incomplete.
fn checked(reply: Shared<Reply>) -> Result<Shared<Reply>, &'static str> {
    if reply.done == 0 {
        return Err("the search of the heap was cut off");
    }
    for (hindrance, why) in [
        (Hindrance::Time, TOO_LONG),
        (Hindrance::Memory, NO_MEMORY),
        (Hindrance::Entries, "there was too much growth of different kinds to look it all up"),
    ] {
        if reply.hindrances & hindrance as u32 != 0 {
            return Err(why);
        }
    }
    Ok(reply)
}

extern "C" fn search_in_copy(order: &Order<'_>) {
    fork::let_go();
    // SAFETY: the memory is shared with this copy, and zeroes are a valid reply. The process reads
    // it only after this copy has ended.
    let reply = unsafe { &mut *order.reply };
    let put_back = order.request.original.map(Original::put_back);
    order.progress.set(COMPLETE);
    let hindrances = if put_back == Some(Ok(())) { 0 } else { Hindrance::Unreadable as u32 };
    search::run(&order.request, hindrances, reply);
    reply.done = 1;
}

/// Searches in this process, where no other thread runs.
fn search_here(order: &Order<'_>) {
    // SAFETY: the memory is shared with no copy, and zeroes are a valid reply. The caller reads it
    // afterwards.
    let reply = unsafe { &mut *order.reply };
    search::run(&order.request, 0, reply);
    reply.done = 1;
}

/// Whether the calling thread is the only one.
fn is_alone(caller: i32) -> bool {
    let Some(directory) = process::File::open(c"/proc/self/task") else { return false };
    let mut alone = true;
    directory.numbers(|id| alone = alone && id == caller);
    alone
}

/// The tree of the reply, by holder. A static may have several parts, and several threads may have
/// one name.
fn held(inventory: &Inventory, reply: &Reply) -> Vec<HolderSum> {
    let mut held: Vec<HolderSum> = Vec::new();
    let mut by_holder: HashMap<Holder, usize> = HashMap::new();
    // The places of all branches: their holder, and their step below it.
    let mut places: Vec<(usize, Option<usize>)> = Vec::new();
    for branch in &reply.branches[..reply.branches_len as usize] {
        let (number, step) = match places.get(branch.parent as usize) {
            None => {
                let holder = inventory.holder(&branch.root);
                let number = *by_holder.entry(holder).or_insert_with_key(|holder| {
                    let holder = holder.clone();
                    held.push(HolderSum { holder, bytes: 0, blocks: 0, steps: Vec::new() });
                    held.len() - 1
                });
                (number, None)
            }
            Some(&(number, parent)) => {
                let steps = &mut held[number].steps;
                let (bytes, blocks) = (branch.bytes, branch.blocks);
                steps.push(HeldStep { parent, stack: StackId(branch.stack), bytes, blocks });
                (number, Some(steps.len() - 1))
            }
        };
        places.push((number, step));
        held[number].bytes += branch.bytes;
        held[number].blocks += branch.blocks;
    }
    held
}

fn entries(inventory: &Inventory, reply: &Reply) -> Vec<Retained> {
    let entries = reply.entries[..reply.entries_len as usize].iter();
    entries.map(|entry| retained(inventory, entry)).collect()
}

fn retained(inventory: &Inventory, entry: &Entry) -> Retained {
    let shown = (entry.steps_len as usize).min(entry.steps.len());
    Retained {
        stack: StackId(entry.stack),
        fate: entry.fate,
        bytes: entry.bytes,
        blocks: entry.blocks,
        holder: (entry.fate == Fate::Held).then(|| inventory.holder(&entry.root)),
        pointer: inventory.offset(&entry.root).filter(|_| entry.fate == Fate::Held),
        head: (entry.fate == Fate::LostWith).then_some(StackId(entry.head)),
        steps: entry.steps_len,
        path: entry.steps[..shown]
            .iter()
            .map(|step| Step {
                stack: (step.stack != 0).then_some(StackId(step.stack)),
                pointer: step.pointer,
                strong: step.strong,
                size: step.size,
            })
            .collect(),
    }
}

fn doubt(hindrances: u32) -> Option<&'static str> {
    let reasons = [
        (Hindrance::Registers, "other threads could not be stopped and asked for their registers"),
        (Hindrance::Unreadable, "some memory could not be read"),
    ];
    reasons
        .into_iter()
        .find(|(hindrance, _)| hindrances & *hindrance as u32 != 0)
        .map(|(_, why)| why)
}
