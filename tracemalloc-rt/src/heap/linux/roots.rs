//! Roots: the places where paths begin, and the memory that needs no look.

use crate::heap::linux::dead_stack;
use crate::heap::linux::list::List;
use crate::heap::linux::maps::{self, Mapping};
use crate::heap::linux::ptrace::Thread;
use crate::heap::linux::range::{Range, cut};
use crate::heap::linux::reply::{Hindrance, RootKind};
use crate::heap::linux::request::{Caller, Request};
use crate::os::memory;
use crate::trace::thread_stacks;

/// The phases of the search, in their order: a block belongs to the first root that leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Statics and other data of modules.
    Statics,
    /// Thread-local storage.
    ThreadLocals,
    /// Stacks and registers.
    Stacks,
    /// Known holders of all kinds.
    Known,
}

/// All phases.
pub const PHASES: [Phase; 4] = [Phase::Statics, Phase::ThreadLocals, Phase::Stacks, Phase::Known];

/// Memory that belongs to one root.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its addresses.
    pub range: Range,
    /// When the search looks at it.
    pub phase: Phase,
    /// The root's kind.
    pub kind: RootKind,
    /// The root's thread, or 0.
    pub thread: i32,
    /// For a static, its number in the request.
    pub number: u32,
    /// Whether it belongs to the C library.
    pub of_c: bool,
}

/// All places of roots, and the memory that needs no look.
#[derive(Debug)]
pub struct Roots {
    /// The places.
    pub places: List<Place>,
    /// Memory that is searched as a place, or not at all: sorted, without overlaps.
    pub covered: List<Range>,
}

const PAGE: usize = 4096;
/// Leaf functions of x86-64 keep values below the stack pointer, up to here.
const RED_ZONE: usize = 128;
/// Bytes above a thread's pointer: the GNU C library's description of the thread, with values by
/// key.
const THREAD_DESCRIPTION: usize = 4096;
const OUT_OF_MEMORY: Hindrance = Hindrance::Memory;

/// The phase of a thread's registers.
pub fn phase_of_registers(request: &Request<'_>, thread: &Thread) -> Phase {
    if request.known_threads.contains(&thread.id) { Phase::Known } else { Phase::Stacks }
}

impl Roots {
    /// Lists the roots of a request. `walked` are the C library's heaps, whose chunks in use are
    /// blocks.
    pub fn new(
        request: &Request<'_>,
        mappings: &[Mapping],
        walked: &[Range],
    ) -> Result<Self, Hindrance> {
        let mut roots = Self { places: List::new(), covered: List::new() };
        for (number, part) in request.statics.iter().enumerate() {
            roots.place(Place {
                range: part.range,
                phase: if part.known.is_some() { Phase::Known } else { Phase::Statics },
                kind: RootKind::Static,
                thread: 0,
                number: number as u32,
                of_c: part.of_c,
            })?;
        }
        let Caller { id, stack_from, thread_pointer } = request.caller;
        let caller = ThreadPlace { id, stack_from, pointer: thread_pointer, known: false };
        roots.thread(request, mappings, caller)?;
        for thread in request.threads {
            let thread = ThreadPlace {
                id: thread.id,
                stack_from: thread.stack_pointer().saturating_sub(RED_ZONE),
                pointer: thread.thread_pointer(),
                known: request.known_threads.contains(&thread.id),
            };
            roots.thread(request, mappings, thread)?;
        }
        for (start, size) in memory::reservations() {
            roots.cover((start, start + size))?;
        }
        // A stack is only known to be dead if every living thread is known.
        if request.all_threads {
            for stack in thread_stacks::all() {
                if !is_alive(request, stack.thread_pointer)
                    && dead_stack::is_untouched(&stack, mappings)
                {
                    roots.cover((stack.low, stack.high))?;
                }
            }
        }
        for range in walked {
            roots.cover(*range)?;
        }
        roots.join_covered();
        Ok(roots)
    }

    /// A living thread's stack and thread-local storage.
    fn thread(
        &mut self,
        request: &Request<'_>,
        mappings: &[Mapping],
        thread: ThreadPlace,
    ) -> Result<(), Hindrance> {
        let ThreadPlace { stack_from, pointer, .. } = thread;
        let of_stack = maps::find(mappings, stack_from);
        let of_locals = maps::find(mappings, pointer);
        let local_range = of_locals.map(|mapping| {
            let low = pointer.saturating_sub(request.thread_local_size).max(mapping.start);
            let high = pointer.saturating_add(THREAD_DESCRIPTION + request.thread_local_size);
            (low, high.next_multiple_of(PAGE).min(mapping.end))
        });
        match (of_stack, of_locals, local_range) {
            (Some(of_stack), Some(of_locals), Some((low, high)))
                if of_stack.start == of_locals.start && stack_from < pointer =>
            {
                let low = low.max(stack_from) & !7;
                self.place(thread.stack((stack_from & !7, low)))?;
                self.thread_locals(request, (low, high), thread)?;
            }
            (of_stack, of_locals, local_range) => {
                if let Some(mapping) = of_stack {
                    self.place(thread.stack((stack_from & !7, mapping.end)))?;
                }
                if let (Some(mapping), Some(range)) = (of_locals, local_range) {
                    self.thread_locals(request, range, thread)?;
                    // The thread runs on a stack of the program's. The used part of its own stack
                    // is unknown, so all of it counts.
                    let own = thread_stacks::of(pointer).filter(|own| {
                        let of_own = maps::find(mappings, own.low);
                        of_own.is_some_and(|own| own.start == mapping.start)
                            && !(own.low..own.high).contains(&stack_from)
                    });
                    if let Some(own) = own {
                        self.place(thread.stack((own.low, own.high)))?;
                    }
                }
            }
        }
        // Below the stack pointer are the dead frames of functions that have returned.
        let own = thread_stacks::of(pointer);
        if let Some(own) = own.filter(|own| (own.low..own.high).contains(&stack_from)) {
            self.cover((own.low, stack_from & !7))?;
        }
        Ok(())
    }

    /// A thread's thread-local storage: each thread-local, and the gaps between them.
    fn thread_locals(
        &mut self,
        request: &Request<'_>,
        range: Range,
        thread: ThreadPlace,
    ) -> Result<(), Hindrance> {
        let pointer = thread.pointer;
        let locals = request.thread_locals.iter();
        let locals =
            locals.map(|(start, end)| (pointer.wrapping_add(*start), pointer.wrapping_add(*end)));
        let whole_words = locals.map(|(start, end)| ((start, end.next_multiple_of(8)), ()));
        for (range, _) in cut(range, whole_words) {
            self.place(thread.locals(range))?;
        }
        Ok(())
    }

    fn place(&mut self, place: Place) -> Result<(), Hindrance> {
        self.cover(place.range)?;
        self.places.push(place).then_some(()).ok_or(OUT_OF_MEMORY)
    }

    fn cover(&mut self, range: Range) -> Result<(), Hindrance> {
        let is_empty = range.0 >= range.1;
        (is_empty || self.covered.push(range)).then_some(()).ok_or(OUT_OF_MEMORY)
    }

    /// Sorts what is covered, and joins what overlaps.
    fn join_covered(&mut self) {
        self.covered.sort_unstable();
        let mut last = 0;
        for index in 1..self.covered.len() {
            let range = self.covered[index];
            if range.0 <= self.covered[last].1 {
                self.covered[last].1 = self.covered[last].1.max(range.1);
            } else {
                last += 1;
                self.covered[last] = range;
            }
        }
        self.covered.truncate(last + 1);
    }
}

/// A living thread, as its places need it.
#[derive(Debug, Clone, Copy)]
struct ThreadPlace {
    id: i32,
    stack_from: usize,
    pointer: usize,
    known: bool,
}

impl ThreadPlace {
    fn stack(&self, range: Range) -> Place {
        self.place(range, RootKind::Stack, Phase::Stacks)
    }

    fn locals(&self, range: Range) -> Place {
        self.place(range, RootKind::ThreadLocal, Phase::ThreadLocals)
    }

    fn place(&self, range: Range, kind: RootKind, phase: Phase) -> Place {
        let phase = if self.known { Phase::Known } else { phase };
        Place { range, phase, kind, thread: self.id, number: 0, of_c: false }
    }
}

/// Whether a thread with this pointer lives.
fn is_alive(request: &Request<'_>, thread_pointer: usize) -> bool {
    let mut living = request.threads.iter().map(Thread::thread_pointer);
    request.caller.thread_pointer == thread_pointer || living.any(|living| living == thread_pointer)
}
