//! The search itself, in the copy: roots first, then from block to block, then what remains.
//!
//! Roots are looked at in this order, each kind with all that it leads to before the next:
//!
//! 1. statics and other data of the executable and its libraries;
//! 2. thread-local storage of living threads;
//! 3. stacks of living threads above their stack pointer, and their registers;
//! 4. of all these, the ones that are known to free later or to fill once: what anybody else holds
//!    too is not excused;
//! 5. all other memory that can be read, but what is free in the C library's heap, and stacks of
//!    threads that have ended.
//!
//! A word that is the address of any byte of a block counts as a pointer to it, also when its upper
//! 16 bits hold something else, or when it was shifted left by 16 to make room for something below.

use core::cmp::Ordering;
use core::time::Duration;

use crate::heap::Fate;
use crate::heap::linux::answer::{
    Answer, Entry, Hindrance, MOST_ENTRIES, MOST_STEPS, MOST_SUMS, Root, RootKind, Step, Sum,
};
use crate::heap::linux::blocks::{Block, Blocks, NONE, OURS};
use crate::heap::linux::glibc_malloc::{self, CHeap, Range};
use crate::heap::linux::list::List;
use crate::heap::linux::maps::{self, Backing, Mapping};
use crate::heap::linux::process::{self, File};
use crate::heap::linux::ptrace::Thread;
use crate::heap::linux::thread_stacks;
use crate::os::memory;
use crate::trace::shadow;
use crate::trace::stack_id::StackId;

/// What is asked, made before the process is copied.
#[derive(Debug)]
pub struct Question<'a> {
    /// Data of modules, by address, without overlaps.
    pub statics: &'a [StaticRange],
    /// Stacks of the growth, sorted. Where there are none, sums by root are wanted instead, and
    /// what is lost by stack.
    pub wanted: &'a [u32],
    /// Threads that are known to free later.
    pub known_threads: &'a [i32],
    /// The threads that stand still.
    pub threads: &'a [Thread],
    /// Whether these are all that there are, but for the calling one.
    pub all_threads: bool,
    /// The calling thread.
    pub caller: Caller,
    /// Bytes of thread-local storage that lie at a thread's pointer.
    pub thread_local_size: usize,
    /// The thread-locals in it, in order, as what is added to the pointer.
    pub thread_locals: &'a [Range],
    /// Code of the C library, where it is a library of its own.
    pub c_code: Range,
    /// How long it may take.
    pub patience: Duration,
}

/// The thread that asks.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Its number.
    pub id: i32,
    /// Above this, its stack counts.
    pub stack_from: usize,
    /// Where its thread-local storage lies.
    pub thread_pointer: usize,
}

/// A part of a module's data.
#[derive(Debug, Clone, Copy)]
pub struct StaticRange {
    /// Addresses from and to.
    pub range: Range,
    /// Whether it is known to free later, or to fill once.
    pub known: bool,
    /// Whether it belongs to the C library: its lists of free chunks are no holders.
    pub of_c: bool,
}

/// Cuts a range into what `inner` names of it, which comes by address, each with what it is named,
/// and what lies between that.
pub fn cut<T>(
    range: Range,
    inner: impl Iterator<Item = (Range, T)>,
) -> impl Iterator<Item = (Range, Option<T>)> {
    let mut from = range.0;
    // Behind the last one, nothing up to the end.
    let inner = inner.map(|(range, name)| (range, Some(name))).chain([((range.1, range.1), None)]);
    let parts = inner.flat_map(move |((start, end), name)| {
        let (start, end) = (start.max(from).min(range.1), end.max(from).min(range.1));
        let before = (from, start);
        from = end;
        [(before, None), ((start, end), name)]
    });
    parts.filter(|((start, end), _)| start < end)
}

/// When a root is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Statics,
    ThreadLocals,
    Stacks,
    Known,
}

/// Memory to look at.
#[derive(Debug, Clone, Copy)]
struct Place {
    range: Range,
    phase: Phase,
    kind: RootKind,
    thread: i32,
    number: u32,
    of_c: bool,
}

/// A root as blocks refer to it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    kind: RootKind,
    thread: i32,
    number: u32,
}

struct Search<'a> {
    question: &'a Question<'a>,
    blocks: Blocks,
    mappings: List<Mapping>,
    places: List<Place>,
    /// What no longer needs a look, by address.
    done: List<Range>,
    walked: List<Range>,
    roots: List<Seen>,
    queue: List<u32>,
    memory: File,
    page_map: Option<File>,
    started: Duration,
    hindrances: u32,
}

/// A step of the work could not be done.
#[derive(Debug, Clone, Copy)]
struct Cut(Hindrance);

type Done<T = ()> = Result<T, Cut>;

const OUT_OF_MEMORY: Cut = Cut(Hindrance::Memory);
const PAGE: usize = 4096;
/// Of larger blocks, only the pages that were written to are looked at.
const LARGE: usize = 1 << 20;
/// Below the stack pointer, leaf functions of x86-64 keep values too.
const RED_ZONE: usize = 128;
/// What lies above a thread's pointer in the GNU C library: its description of the thread, with
/// values by key.
const THREAD_DESCRIPTION: usize = 4096;

/// Answers the question.
pub fn run(question: &Question<'_>, answer: &mut Answer) {
    match Search::new(question).and_then(|mut search| search.run(answer)) {
        Ok(hindrances) => answer.hindrances = hindrances,
        Err(Cut(hindrance)) => answer.hindrances |= hindrance as u32,
    }
}

impl<'a> Search<'a> {
    fn new(question: &'a Question<'a>) -> Done<Self> {
        let unreadable = Cut(Hindrance::Unreadable);
        let started = process::now();
        let mappings = maps::read().ok_or(unreadable)?;
        let mut list = List::new();
        let mut room = true;
        shadow::for_each_in_copy(&mut |domain, address, block| {
            // Memory of other domains may be a device's; what it is to the program is not ours to
            // say.
            if domain == shadow::ALLOCATOR {
                let stack = if block.id == StackId::OURS { OURS } else { block.id.0 };
                room = room && list.push(Block::new(address, block.size, stack));
            }
        });
        if !room || list.len() >= NONE as usize / 2 {
            return Err(OUT_OF_MEMORY);
        }
        if !list.is_sorted_by_key(|block| block.start) {
            list.sort_unstable_by_key(|block| block.start);
        }
        let mut hindrances = if question.all_threads { 0 } else { Hindrance::Registers as u32 };
        let mut walked = List::new();
        if !question.threads.iter().any(|thread| may_be_in_malloc(thread, question.c_code)) {
            let heap = glibc_malloc::walk(&mappings, &list).ok_or(OUT_OF_MEMORY)?;
            let CHeap { chunks, walked: ranges } = heap;
            walked = ranges;
            if !chunks.iter().all(|chunk| list.push(*chunk)) {
                return Err(OUT_OF_MEMORY);
            }
            chunks.release();
        } else {
            hindrances |= Hindrance::Malloc as u32;
        }
        let blocks = Blocks::new(list).ok_or(OUT_OF_MEMORY)?;
        let queue = List::with_room(blocks.len()).ok_or(OUT_OF_MEMORY)?;
        Ok(Self {
            question,
            blocks,
            mappings,
            places: List::new(),
            done: List::new(),
            walked,
            roots: List::new(),
            queue,
            memory: File::open(c"/proc/self/mem").ok_or(unreadable)?,
            page_map: File::open(c"/proc/self/pagemap"),
            started,
            hindrances,
        })
    }

    fn run(&mut self, answer: &mut Answer) -> Done<u32> {
        answer.blocks = self.blocks.len() as u64;
        self.find_places()?;
        for phase in [Phase::Statics, Phase::ThreadLocals, Phase::Stacks, Phase::Known] {
            for index in 0..self.places.len() {
                let place = self.places[index];
                if place.phase == phase {
                    let root = self.root(place.kind, place.thread, place.number)?;
                    self.look_at(place.range, root, None, place.of_c)?;
                }
            }
            for thread in self.question.threads {
                let known = self.question.known_threads.contains(&thread.id);
                if phase == if known { Phase::Known } else { Phase::Stacks } {
                    let root = self.root(RootKind::Register, thread.id, 0)?;
                    thread.registers().for_each(|word| self.meet(word, 0, root));
                }
            }
            self.follow()?;
        }
        self.look_at_the_rest()?;
        if self.question.wanted.is_empty() {
            self.tell_sums(answer);
        }
        self.tell_growth(answer)?;
        Ok(self.hindrances)
    }

    /// Lists the roots' places, and what the rest is without.
    fn find_places(&mut self) -> Done {
        for (number, part) in self.question.statics.iter().enumerate() {
            let phase = if part.known { Phase::Known } else { Phase::Statics };
            self.place(Place {
                range: part.range,
                phase,
                kind: RootKind::Static,
                thread: 0,
                number: number as u32,
                of_c: part.of_c,
            })?;
        }
        let Caller { id, stack_from, thread_pointer } = self.question.caller;
        self.thread_places(id, stack_from, thread_pointer, false)?;
        for thread in self.question.threads {
            let known = self.question.known_threads.contains(&thread.id);
            self.thread_places(
                thread.id,
                thread.stack_pointer().saturating_sub(RED_ZONE),
                thread.thread_pointer(),
                known,
            )?;
        }
        for (start, size) in memory::reservations() {
            self.done((start, start + size))?;
        }
        // Only where every living thread is known can the others' stacks be told to be dead.
        if self.question.all_threads {
            for stack in thread_stacks::all() {
                if !self.is_alive(stack.thread_pointer)
                    && stack.is_as_its_thread_left_it(&self.mappings)
                {
                    self.done((stack.low, stack.high))?;
                }
            }
        }
        for index in 0..self.walked.len() {
            self.done(self.walked[index])?;
        }
        self.done.sort_unstable();
        // What overlaps becomes one.
        let mut last = 0;
        for index in 1..self.done.len() {
            let range = self.done[index];
            if range.0 <= self.done[last].1 {
                self.done[last].1 = self.done[last].1.max(range.1);
            } else {
                last += 1;
                self.done[last] = range;
            }
        }
        while self.done.len() > last + 1 {
            self.done.pop();
        }
        Ok(())
    }

    fn is_alive(&self, thread_pointer: usize) -> bool {
        let mut living = self.question.threads.iter().map(Thread::thread_pointer);
        self.question.caller.thread_pointer == thread_pointer
            || living.any(|living| living == thread_pointer)
    }

    /// The stack of a living thread, and its thread-local storage.
    fn thread_places(
        &mut self,
        thread: i32,
        stack_from: usize,
        pointer: usize,
        known: bool,
    ) -> Done {
        let phase = |phase| if known { Phase::Known } else { phase };
        let stack = |range| Place {
            range,
            phase: phase(Phase::Stacks),
            kind: RootKind::Stack,
            thread,
            number: 0,
            of_c: false,
        };
        let phase_of_locals = phase(Phase::ThreadLocals);
        let of_stack = maps::find(&self.mappings, stack_from).copied();
        let of_locals = maps::find(&self.mappings, pointer).copied();
        let local_range = of_locals.map(|mapping| {
            let low = pointer.saturating_sub(self.question.thread_local_size).max(mapping.start);
            let high = pointer.saturating_add(THREAD_DESCRIPTION + self.question.thread_local_size);
            (low, high.next_multiple_of(PAGE).min(mapping.end))
        });
        match (of_stack, of_locals, local_range) {
            (Some(of_stack), Some(of_locals), Some((low, high)))
                if of_stack.start == of_locals.start && stack_from < pointer =>
            {
                let low = low.max(stack_from) & !7;
                self.place(stack((stack_from & !7, low)))?;
                self.local_places((low, high), pointer, thread, phase_of_locals)?;
            }
            (of_stack, of_locals, local_range) => {
                if let Some(mapping) = of_stack {
                    self.place(stack((stack_from & !7, mapping.end)))?;
                }
                if let (Some(mapping), Some(range)) = (of_locals, local_range) {
                    self.local_places(range, pointer, thread, phase_of_locals)?;
                    // It runs on a stack that it has switched to, so how much of its own is in use
                    // is not known.
                    if let Some(own) = thread_stacks::of(pointer)
                        && maps::find(&self.mappings, own.low)
                            .is_some_and(|own| own.start == mapping.start)
                        && !(own.low..own.high).contains(&stack_from)
                    {
                        self.place(stack((own.low, own.high)))?;
                    }
                }
            }
        }
        // Below the stack pointer lies what functions that have returned left behind.
        if let Some(own) = thread_stacks::of(pointer)
            && (own.low..own.high).contains(&stack_from)
        {
            self.done((own.low, stack_from & !7))?;
        }
        Ok(())
    }

    /// A thread's thread-local storage: its thread-locals, each by itself, and what lies between
    /// them.
    fn local_places(&mut self, range: Range, pointer: usize, thread: i32, phase: Phase) -> Done {
        let locals = self.question.thread_locals.iter();
        let locals =
            locals.map(|(start, end)| (pointer.wrapping_add(*start), pointer.wrapping_add(*end)));
        let whole_words = locals.map(|(start, end)| ((start, end.next_multiple_of(8)), ()));
        for (range, _) in cut(range, whole_words) {
            self.place(Place {
                range,
                phase,
                kind: RootKind::ThreadLocal,
                thread,
                number: 0,
                of_c: false,
            })?;
        }
        Ok(())
    }

    fn place(&mut self, place: Place) -> Done {
        self.done(place.range)?;
        if self.places.push(place) { Ok(()) } else { Err(OUT_OF_MEMORY) }
    }

    fn done(&mut self, range: Range) -> Done {
        if range.0 >= range.1 || self.done.push(range) { Ok(()) } else { Err(OUT_OF_MEMORY) }
    }

    fn root(&mut self, kind: RootKind, thread: i32, number: u32) -> Done<u32> {
        let root = self.roots.len() as u32;
        if self.roots.push(Seen { kind, thread, number }) { Ok(root) } else { Err(OUT_OF_MEMORY) }
    }

    /// Looks for pointers in memory that may be unmapped, protected or another device's.
    fn look_at(&mut self, range: Range, root: u32, block: Option<usize>, of_c: bool) -> Done {
        let mut buffer = [0_usize; 8192];
        let mut address = range.0.next_multiple_of(8);
        while address + 8 <= range.1 {
            // To the end of a page, so that one which cannot be read takes no other with it.
            let end = range.1.min((address + size_of_val(&buffer)) & !(PAGE - 1)).max(address + 8);
            let words = (end - address) / 8;
            let read = self.memory.words_at(&mut buffer[..words], address);
            for (index, word) in buffer[..read].iter().enumerate() {
                if of_c && self.is_chunk_end(*word) {
                    continue;
                }
                let from = block.map_or(address + index * 8, |block| 2 * block + 1);
                self.meet(*word, from, root);
            }
            address = if read == words { end } else { (address + read * 8 + PAGE) & !(PAGE - 1) };
            self.in_time()?;
        }
        Ok(())
    }

    /// Whether a word of the C library's data is the address of a chunk in one of `malloc`'s own
    /// lists.
    fn is_chunk_end(&self, word: usize) -> bool {
        let Some(block) = self.blocks.at(word).map(|number| &self.blocks[number]) else {
            return false;
        };
        let is_walked = self.walked.iter().any(|(low, high)| (*low..*high).contains(&block.start));
        is_walked && block.start.is_multiple_of(16) && glibc_malloc::chunk_end(block) == word
    }

    /// Takes in one word that was found at an address (even, and 0 for a register).
    #[inline]
    fn meet(&mut self, word: usize, from: usize, root: u32) {
        let number = match self.blocks.at(word) {
            Some(number) => number,
            None if word >> 48 == 0 => return,
            None => {
                match self.blocks.at(word & ((1 << 48) - 1)).or_else(|| self.blocks.at(word >> 16))
                {
                    Some(number) => number,
                    None => return,
                }
            }
        };
        let block = &mut self.blocks[number];
        if block.root == NONE && block.stack != OURS {
            block.root = root;
            block.from = from;
            // There is room for every block, and each comes here once.
            self.queue.push(number as u32);
        }
    }

    /// Goes on from the blocks that were met, those that were met first first: so paths are as
    /// short as can be.
    fn follow(&mut self) -> Done {
        let mut next = 0;
        while let Some(number) = self.queue.get(next).copied() {
            next += 1;
            self.look_into(number as usize)?;
            if next.is_multiple_of(1024) {
                self.in_time()?;
            }
        }
        self.queue.clear();
        Ok(())
    }

    /// Looks for pointers in a block that has been met.
    fn look_into(&mut self, number: usize) -> Done {
        let block = self.blocks[number];
        let mut address = block.start.next_multiple_of(8);
        while address + 8 <= block.end() {
            // A block may reach over mappings of which some cannot be read.
            let Some(mapping) =
                maps::find(&self.mappings, address).filter(|mapping| mapping.readable).copied()
            else {
                self.hindrances |= Hindrance::Unreadable as u32;
                return Ok(());
            };
            let end = block.end().min(mapping.end);
            if end - address > LARGE {
                self.look_at_written((address, end), mapping, block.root, Some(number))?;
                address = end;
            }
            while address + 8 <= end {
                // SAFETY: the word lies in a mapping of this copy that can be read. Where its file
                // has been cut off, the copy dies, and the process takes it as no
                // answer.
                let word =
                    unsafe { core::ptr::with_exposed_provenance::<usize>(address).read_volatile() };
                self.meet(word, 2 * number + 1, block.root);
                address += 8;
            }
        }
        Ok(())
    }

    /// Everything else: what is only reached from here is held by memory that is nobody's in
    /// particular.
    fn look_at_the_rest(&mut self) -> Done {
        let root = self.root(RootKind::Foreign, 0, 0)?;
        for number in 0..self.blocks.len() {
            let block = self.blocks[number];
            if block.stack == 0 && block.root == NONE {
                self.blocks[number].root = root;
                self.look_into(number)?;
            }
        }
        for index in 0..self.mappings.len() {
            let mapping = self.mappings[index];
            if !mapping.readable || mapping.backing == Backing::Device {
                continue;
            }
            // What has never been written holds no pointers.
            if !mapping.writable && mapping.shared {
                continue;
            }
            self.look_at_gaps(mapping, root)?;
        }
        self.follow()
    }

    /// What of a mapping is neither a block nor done.
    fn look_at_gaps(&mut self, mapping: Mapping, root: u32) -> Done {
        let mut address = mapping.start;
        let mut next_done = self.done.partition_point(|range| range.1 <= address);
        let mut next_block = self.blocks.first_behind(address);
        while address < mapping.end {
            while self.done.get(next_done).is_some_and(|range| range.1 <= address) {
                next_done += 1;
            }
            while self.blocks.get(next_block).is_some_and(|block| block.end() <= address) {
                next_block += 1;
            }
            let done = self.done.get(next_done).copied().unwrap_or((usize::MAX, usize::MAX));
            let block = self
                .blocks
                .get(next_block)
                .map_or((usize::MAX, usize::MAX), |block| (block.start, block.end()));
            let covered = [done, block]
                .into_iter()
                .filter(|range| range.0 <= address)
                .map(|range| range.1)
                .max();
            address = match covered {
                Some(end) => end,
                None => {
                    let end = mapping.end.min(done.0).min(block.0);
                    self.look_at_written((address, end), mapping, root, None)?;
                    end
                }
            };
        }
        Ok(())
    }

    /// Of private memory, only pages that this process has written are in memory or swapped out.
    fn look_at_written(
        &mut self,
        range: Range,
        mapping: Mapping,
        root: u32,
        block: Option<usize>,
    ) -> Done {
        const PRESENT: usize = 1 << 63;
        const SWAPPED: usize = 1 << 62;
        const OF_FILE: usize = 1 << 61;
        let page_map = if mapping.shared { None } else { self.page_map.take() };
        let Some(page_map) = page_map else { return self.look_at(range, root, block, false) };
        let mut flags = [0_usize; 512];
        let mut page = range.0 / PAGE;
        let end = range.1.div_ceil(PAGE);
        let mut result = Ok(());
        while page < end && result.is_ok() {
            let wanted = flags.len().min(end - page);
            let read = page_map.words_at(&mut flags[..wanted], page * 8);
            if read == 0 {
                result = self.look_at(((page * PAGE).max(range.0), range.1), root, block, false);
                break;
            }
            for (index, flags) in flags[..read].iter().enumerate() {
                if flags & (PRESENT | SWAPPED) != 0 && flags & OF_FILE == 0 && result.is_ok() {
                    let start = (page + index) * PAGE;
                    result = self.look_at(
                        (start.max(range.0), (start + PAGE).min(range.1)),
                        root,
                        block,
                        false,
                    );
                }
            }
            page += read;
            result = result.and_then(|()| self.in_time());
        }
        self.page_map = Some(page_map);
        result
    }

    fn in_time(&self) -> Done {
        if process::now().saturating_sub(self.started) > self.question.patience {
            return Err(Cut(Hindrance::Time));
        }
        Ok(())
    }

    fn is_wanted(&self, block: &Block) -> bool {
        let wanted = self.question.wanted;
        block.is_traced()
            && if wanted.is_empty() {
                block.root == NONE
            } else {
                wanted.binary_search(&block.stack).is_ok()
            }
    }

    /// For every lost block the one that leads to it, which may be itself: see
    /// [`heads_of_lost`](Self::heads_of_lost).
    fn tell_growth(&mut self, answer: &mut Answer) -> Done {
        let heads = self.heads_of_lost()?;
        // Growth, so that blocks of one entry lie together, those with the shortest way first.
        let mut growth = List::new();
        for number in 0..self.blocks.len() {
            if self.is_wanted(&self.blocks[number]) && !growth.push(number as u32) {
                return Err(OUT_OF_MEMORY);
            }
        }
        let key = |number: u32| {
            let block = &self.blocks[number as usize];
            let head = if block.root == NONE { heads[number as usize] } else { number };
            let fate = match block.root {
                NONE if head == number => Fate::Lost,
                NONE => Fate::LostWith,
                _ => Fate::Held,
            };
            let head_stack =
                if fate == Fate::LostWith { self.blocks[head as usize].stack } else { 0 };
            (block.stack, fate, block.root, head_stack)
        };
        let order = |number: u32| (key(number), self.blocks[number as usize].from & 1, number);
        sort(&mut growth, &|a, b| order(a).cmp(&order(b)));
        for same in growth.chunk_by(|a, b| key(*a) == key(*b)) {
            let Some(place) = answer.entries.get_mut(answer.entries_len as usize) else {
                if !self.question.wanted.is_empty() {
                    self.hindrances |= Hindrance::Entries as u32;
                }
                break;
            };
            let (stack, fate, _, head) = key(same[0]);
            let bytes = same.iter().map(|number| self.blocks[*number as usize].size as u64).sum();
            let mut entry = Entry {
                stack,
                fate,
                bytes,
                blocks: same.len() as u64,
                root: Root { kind: RootKind::Foreign, thread: 0, address: 0, number: 0 },
                head,
                steps_len: 0,
                steps: [Step { stack: 0, size: 0 }; MOST_STEPS],
            };
            if fate == Fate::Held {
                self.tell_path(same[0] as usize, &mut entry);
            }
            *place = entry;
            answer.entries_len += 1;
        }
        const { assert!(MOST_ENTRIES < u32::MAX as usize) };
        Ok(())
    }

    /// The way from the root to a block: its first steps, and the block itself as the last.
    fn tell_path(&self, block: usize, entry: &mut Entry) {
        let mut ring = [block; MOST_STEPS - 1];
        let mut steps = 0_usize;
        let mut number = block;
        loop {
            ring[steps % ring.len()] = number;
            steps += 1;
            let from = self.blocks[number].from;
            if from & 1 == 0 {
                entry.root.address = from;
                break;
            }
            number = from >> 1;
        }
        let seen = self.roots[self.blocks[block].root as usize];
        entry.root = Root {
            kind: seen.kind,
            thread: seen.thread,
            address: entry.root.address,
            number: seen.number,
        };
        entry.steps_len = steps as u32;
        let told = steps.min(ring.len());
        for (place, step) in entry.steps.iter_mut().zip((0..told).map(|back| steps - 1 - back)) {
            *place = self.step(ring[step % ring.len()]);
        }
        if steps > told {
            entry.steps[told] = self.step(block);
        }
    }

    fn step(&self, number: usize) -> Step {
        let block = &self.blocks[number];
        Step { stack: if block.is_traced() { block.stack } else { 0 }, size: block.size as u64 }
    }

    /// For every lost block, the lost block that leads to it and that no other leads to, but from a
    /// cycle that they are on together. Of the blocks on a cycle it is the one that was
    /// allocated first, as far as stacks tell.
    fn heads_of_lost(&mut self) -> Done<List<u32>> {
        let count = self.blocks.len();
        // SAFETY: zero is a valid number.
        let mut heads: List<u32> = unsafe { List::zeroed(count) }.ok_or(OUT_OF_MEMORY)?;
        let mut lost = List::new();
        for number in 0..count {
            heads[number] = NONE;
            let block = &self.blocks[number];
            if block.root == NONE && block.is_traced() && !lost.push(number as u32) {
                return Err(OUT_OF_MEMORY);
            }
        }
        let order = |number: u32| (self.blocks[number as usize].stack, number);
        sort(&mut lost, &|a, b| order(a).cmp(&order(b)));
        // Depth first; the order in which blocks are left, turned round, has every block behind
        // what leads to it, but for cycles.
        let mut left = List::new();
        // SAFETY: zero is a valid number.
        let mut entered: List<u8> = unsafe { List::zeroed(count) }.ok_or(OUT_OF_MEMORY)?;
        let mut way: List<(u32, usize)> = List::new();
        for first in lost.iter() {
            if entered[*first as usize] != 0 {
                continue;
            }
            entered[*first as usize] = 1;
            let mut room = way.push((*first, 0));
            while let Some((number, word)) = way.pop() {
                match self.next_lost(number as usize, word, |next| entered[next] == 0) {
                    Some((next, word)) => {
                        entered[next] = 1;
                        room = room && way.push((number, word)) && way.push((next as u32, 0));
                    }
                    None => room = room && left.push(number),
                }
                if !room {
                    return Err(OUT_OF_MEMORY);
                }
            }
            self.in_time()?;
        }
        for head in left.iter().rev() {
            if heads[*head as usize] != NONE {
                continue;
            }
            heads[*head as usize] = *head;
            let mut room = way.push((*head, 0));
            while let Some((number, word)) = way.pop() {
                if let Some((next, word)) =
                    self.next_lost(number as usize, word, |next| heads[next] == NONE)
                {
                    heads[next] = *head;
                    room = room && way.push((number, word)) && way.push((next as u32, 0));
                }
                if !room {
                    return Err(OUT_OF_MEMORY);
                }
            }
            self.in_time()?;
        }
        Ok(heads)
    }

    /// The next lost block that a lost block points to, from its word `word` on, if it is of
    /// interest; and the word behind the pointer.
    fn next_lost(
        &self,
        number: usize,
        word: usize,
        interests: impl Fn(usize) -> bool,
    ) -> Option<(usize, usize)> {
        let block = &self.blocks[number];
        let first = block.start.next_multiple_of(8);
        let words = block.end().saturating_sub(first) / 8;
        for word in word..words {
            let address = first + word * 8;
            if word.is_multiple_of(512) || address.is_multiple_of(PAGE) {
                maps::find(&self.mappings, address).filter(|mapping| mapping.readable)?;
            }
            // SAFETY: as in `look_into`; mappings begin and end with pages.
            let found =
                unsafe { core::ptr::with_exposed_provenance::<usize>(address).read_volatile() };
            let Some(next) = self.blocks.at(found) else { continue };
            if self.blocks[next].root == NONE && self.blocks[next].is_traced() && interests(next) {
                return Some((next, word + 1));
            }
        }
        None
    }

    /// What is live, by root.
    fn tell_sums(&mut self, answer: &mut Answer) {
        // A block leads to its root by number, so this is one pass.
        let Some(mut sums) = List::with_room(self.roots.len() + 1) else { return };
        for _ in 0..=self.roots.len() {
            sums.push((0_u64, 0_u64, 0_usize));
        }
        for block in self.blocks.iter().filter(|block| block.is_traced()) {
            let root = if block.root == NONE { self.roots.len() } else { block.root as usize };
            let sum = &mut sums[root];
            sum.0 += block.size as u64;
            sum.1 += 1;
            if block.from & 1 == 0 {
                sum.2 = block.from;
            }
        }
        let nothing = Seen { kind: RootKind::Nothing, thread: 0, number: 0 };
        let roots = self.roots.iter().copied().chain([nothing]);
        for (seen, (bytes, blocks, address)) in roots.zip(sums.iter()).filter(|(_, sum)| sum.1 > 0)
        {
            let Some(place) = answer.sums.get_mut(answer.sums_len as usize) else {
                self.hindrances |= Hindrance::Entries as u32;
                return;
            };
            let root = Root {
                kind: seen.kind,
                thread: seen.thread,
                address: *address,
                number: seen.number,
            };
            *place = Sum { root, bytes: *bytes, blocks: *blocks };
            answer.sums_len += 1;
        }
        const { assert!(MOST_SUMS < u32::MAX as usize) };
    }
}

/// Sorts numbers of blocks: one function for all orders, because each would be compiled for every
/// new user.
#[inline(never)]
fn sort(numbers: &mut [u32], order: &dyn Fn(u32, u32) -> Ordering) {
    numbers.sort_unstable_by(|a, b| order(*a, *b));
}

/// Whether a thread was stopped where the C library's heap may be half changed: in its code, or in
/// a system call that gets or gives back memory.
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
