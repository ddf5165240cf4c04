//! The heap search across the bridge, in types of C.
//!
//! Only the runtime in the program's allocator can search: it has the map of blocks. A judge in
//! another copy sends a [`SearchRequest`], and gets [`FoundBlocks`] for each stack and fate.

use core::time::Duration;

use crate::bridge::held::Held;
use crate::bridge::text::Text;
use crate::heap;
use crate::heap::{Fate, HolderSum, KnownHolder, Retained, SearchPlace, Step, Stranger};
use crate::trace::stack_id::StackId;

/// The arguments of a search in a copy of the process.
#[repr(C)]
pub struct SearchRequest {
    pub stacks: List<u32>,
    pub known: List<Known>,
    pub strangers: List<StrangerPair>,
    /// Below this address, the stack of the calling thread belongs to the judge.
    pub stack_from: usize,
    pub milliseconds: u64,
}

/// The end of a search. Unused texts are empty; the others are constant.
#[repr(C)]
pub struct SearchEnd {
    /// Why there is no result.
    pub failure: Text,
    pub doubt: Text,
    pub note: Text,
}

/// Blocks of one stack that share a fate.
#[repr(C)]
pub struct FoundBlocks {
    pub stack: u32,
    pub fate: u32,
    /// Bytes and blocks, and their holder, unless they are lost.
    pub held: Held,
    /// The first function of the holder's thread, or an empty text.
    pub start: Text,
    pub is_known: bool,
    /// The number of a known static, or [`NONE`].
    pub known_number: u32,
    /// The stack of the lost block that leads to them, or 0.
    pub head: u32,
    pub steps: u32,
    pub path: List<PathStep>,
}

/// Stands for no number.
pub const NONE: u32 = u32::MAX;

/// Values in the memory of the copy that made the list.
#[repr(C)]
pub struct List<T> {
    at: *const T,
    len: usize,
}

/// A known holder.
#[repr(C)]
pub struct Known {
    pub is_thread: bool,
    pub pattern: Text,
    /// Empty if it is not given.
    pub only_with: Text,
    pub allocated_by: Text,
    pub reason: Text,
}

/// A stranger to a known holder.
#[repr(C)]
pub struct StrangerPair {
    pub holder: u32,
    pub stack: u32,
}

/// One step of a path.
#[repr(C)]
pub struct PathStep {
    /// 0 for an untraced block.
    pub stack: u32,
    pub pointer: u32,
    pub strong: u32,
    pub size: u64,
}

impl<T> List<T> {
    /// These values. They have to stay where they are until the call across the bridge returns.
    pub fn of(values: &[T]) -> Self {
        Self { at: values.as_ptr(), len: values.len() }
    }

    /// The values, for as long as the call across the bridge takes.
    pub fn values(&self) -> &[T] {
        // SAFETY: `of` made it from a slice. The copy that owns the slice keeps it until the call
        // across the bridge has returned, and this one reads it only during that call.
        unsafe { core::slice::from_raw_parts(self.at, self.len) }
    }
}

impl Known {
    /// A known holder of this copy.
    pub fn of(holder: &KnownHolder<'_>) -> Self {
        let text = |text: Option<&str>| Text::of(text.unwrap_or_default());
        Self {
            is_thread: holder.is_thread,
            pattern: Text::of(holder.pattern),
            only_with: text(holder.only_with),
            allocated_by: text(holder.allocated_by),
            reason: Text::of(holder.reason),
        }
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Searches for another copy of the runtime, and calls `visit` with its context and each result.
pub fn search(
    request: &SearchRequest,
    context: *mut u8,
    visit: extern "C" fn(*mut u8, &FoundBlocks),
) -> SearchEnd {
    let stacks: Vec<StackId> = request.stacks.values().iter().copied().map(StackId).collect();
    let texts: Vec<_> = request
        .known
        .values()
        .iter()
        .map(|known| {
            let Known { is_thread, pattern, only_with, allocated_by, reason } = known;
            (*is_thread, [pattern, only_with, allocated_by, reason].map(|text| text.read()))
        })
        .collect();
    let known: Vec<KnownHolder<'_>> = texts
        .iter()
        .map(|(is_thread, [pattern, only_with, allocated_by, reason])| KnownHolder {
            is_thread: *is_thread,
            pattern,
            only_with: given(only_with),
            allocated_by: given(allocated_by),
            reason,
        })
        .collect();
    let strangers = request.strangers.values().iter();
    let strangers: Vec<Stranger> = strangers
        .map(|pair| Stranger { holder: pair.holder, stack: StackId(pair.stack) })
        .collect();
    let time = Duration::from_millis(request.milliseconds);
    let (place, stack_from) = (SearchPlace::Copy, request.stack_from);
    let text = |text: Option<&'static str>| Text::of(text.unwrap_or_default());
    match heap::look_up(&stacks, &known, &strangers, stack_from, place, time) {
        Err(why) => SearchEnd { failure: text(Some(why)), doubt: text(None), note: text(None) },
        Ok(found) => {
            for retained in &found.entries {
                send(retained, context, visit);
            }
            SearchEnd { failure: text(None), doubt: text(found.doubt), note: text(found.note) }
        }
    }
}

fn send(retained: &Retained, context: *mut u8, visit: extern "C" fn(*mut u8, &FoundBlocks)) {
    let Retained { bytes, blocks, .. } = *retained;
    let sum = retained.holder.as_ref().map(|holder| HolderSum {
        holder: holder.clone(),
        bytes,
        blocks,
        steps: Vec::new(),
    });
    let path: Vec<PathStep> = retained
        .path
        .iter()
        .map(|step| {
            let Step { stack, pointer, strong, size } = *step;
            PathStep { stack: stack.map_or(0, |stack| stack.0), pointer, strong, size }
        })
        .collect();
    let holder = retained.holder.as_ref();
    visit(
        context,
        &FoundBlocks {
            stack: retained.stack.0,
            fate: match retained.fate {
                Fate::Lost => 0,
                Fate::LostWith => 1,
                Fate::Held => 2,
                Fate::Freed => 3,
            },
            held: sum.as_ref().map_or_else(|| Held::lost(bytes, blocks), Held::of),
            start: Text::of(holder.and_then(|holder| holder.start.as_deref()).unwrap_or_default()),
            is_known: holder.is_some_and(|holder| holder.known),
            known_number: holder.and_then(|holder| holder.known_number).unwrap_or(NONE),
            head: retained.head.map_or(0, |head| head.0),
            steps: retained.steps,
            path: List::of(&path),
        },
    );
}
