//! The question of a judge to the runtime in the program's allocator: which blocks are lost, and
//! what holds the others.

use core::time::Duration;

use crate::bridge::handshake::is_this_copy_installed;
use crate::bridge::heap_search::{FoundBlocks, Known, List, NONE, SearchRequest, StrangerPair};
use crate::bridge::table::Table;
use crate::heap;
use crate::heap::{
    Fate, Found, Holder, KNOWN_HOLDERS, KnownHolder, Retained, SearchPlace, Step, Stranger,
};
use crate::trace::stack_id::StackId;

/// Looks up the fate of the live blocks of these stacks, in a copy of the process.
///
/// # Errors
///
/// In words, why there is no result.
pub fn look_up(
    table: &Table,
    stacks: &[StackId],
    known: &[KnownHolder<'_>],
    strangers: &[Stranger],
    stack_from: usize,
    time: Duration,
) -> Result<Found, &'static str> {
    if is_this_copy_installed() {
        return heap::look_up(stacks, known, strangers, stack_from, SearchPlace::Copy, time);
    }
    let stacks: Vec<u32> = stacks.iter().map(|stack| stack.0).collect();
    let known: Vec<Known> = known.iter().map(Known::of).collect();
    let strangers: Vec<StrangerPair> = strangers
        .iter()
        .map(|stranger| StrangerPair { holder: stranger.holder, stack: stranger.stack.0 })
        .collect();
    let request = SearchRequest {
        stacks: List::of(&stacks),
        known: List::of(&known),
        strangers: List::of(&strangers),
        stack_from,
        milliseconds: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
    };
    let mut entries: Vec<Retained> = Vec::new();
    let end = (table.search)(&request, (&raw mut entries).cast(), receive);
    match end.failure.constant() {
        Some(why) => Err(why),
        None => Ok(Found { entries, doubt: end.doubt.constant(), note: end.note.constant() }),
    }
}

/// The known holders of this process: those of the harness, or the built-in list.
pub fn known_holders(table: &Table) -> Vec<KnownHolder<'static>> {
    extern "C" fn push(known: *mut u8, one: &Known) {
        // SAFETY: it is the list below, to which nothing else refers during this call.
        let known = unsafe { &mut *known.cast::<Vec<KnownHolder<'static>>>() };
        known.push(KnownHolder {
            is_thread: one.is_thread,
            pattern: one.pattern.constant().unwrap_or_default(),
            only_with: one.only_with.constant(),
            allocated_by: one.allocated_by.constant(),
            reason: one.reason.constant().unwrap_or_default(),
        });
    }
    let mut known = Vec::new();
    if (table.known_holders)((&raw mut known).cast(), push) {
        known
    } else {
        KNOWN_HOLDERS.to_vec()
    }
}

extern "C" fn receive(entries: *mut u8, found: &FoundBlocks) {
    // SAFETY: `look_up` hands over its list, and does not touch it until the search has returned.
    let entries = unsafe { &mut *entries.cast::<Vec<Retained>>() };
    let stack = |number: u32| (number != 0).then_some(StackId(number));
    let path = found.path.values().iter().map(|step| Step {
        stack: stack(step.stack),
        pointer: step.pointer,
        strong: step.strong,
        size: step.size,
    });
    let start = found.start.read().into_owned();
    let number = found.known_number;
    let holder = found.held.holder().map(|holder| Holder {
        start: (!start.is_empty()).then_some(start),
        known: found.is_known,
        known_number: (number != NONE).then_some(number),
        ..holder
    });
    entries.push(Retained {
        stack: StackId(found.stack),
        fate: match found.fate {
            0 => Fate::Lost,
            1 => Fate::LostWith,
            3 => Fate::Freed,
            _ => Fate::Held,
        },
        bytes: found.held.bytes,
        blocks: found.held.blocks,
        holder,
        pointer: None,
        head: stack(found.head),
        steps: found.steps,
        path: path.collect(),
    });
}
