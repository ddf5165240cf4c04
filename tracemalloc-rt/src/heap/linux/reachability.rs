//! Reachability: from the words of a root to blocks, and from block to block.
//!
//! A word is a pointer to a block if it is the address of any byte of the block. It may also have
//! other bits in its upper 16 bits, or be shifted left by 16, to make room for something below.

use crate::heap::linux::blocks::{Block, Blocks, NONE, OURS};
use crate::heap::linux::glibc_malloc;
use crate::heap::linux::list::List;
use crate::heap::linux::maps::{self, Backing, Mapping};
use crate::heap::linux::process::File;
use crate::heap::linux::range::Range;
use crate::heap::linux::reply::{Hindrance, RootKind};
use crate::heap::linux::request::Request;
use crate::heap::linux::residence::{self, Residence};
use crate::heap::stranger::Stranger;
use crate::trace::stack_id::StackId;

const PAGE: usize = 4096;
/// In private blocks of at most this size, all pages are read. A copy pays little for a page that
/// was never touched, and asking for the pages of a block costs more than reading it.
const SMALL: usize = 64 << 10;

/// A root, as blocks refer to it.
#[derive(Debug, Clone, Copy)]
pub struct KnownRoot {
    /// Its kind.
    pub kind: RootKind,
    /// Its thread, or 0.
    pub thread: i32,
    /// For a static, its number in the request.
    pub number: u32,
}

/// The blocks, and the roots that lead to them.
#[derive(Debug)]
pub struct Reachability<'a> {
    /// All blocks.
    pub blocks: Blocks,
    /// All mappings of the copy.
    pub mappings: List<Mapping>,
    /// The C library's heaps, whose chunks in use are blocks.
    pub walked: List<Range>,
    /// The roots, by number.
    pub roots: List<KnownRoot>,
    /// Bits of [`Hindrance`].
    pub hindrances: u32,
    /// Blocks that are reached, and not looked into yet.
    queue: List<u32>,
    memory: File,
    residence: Residence<'a>,
    request: &'a Request<'a>,
}

impl<'a> Reachability<'a> {
    /// Nothing is reached.
    pub fn new(
        request: &'a Request<'a>,
        blocks: Blocks,
        mappings: List<Mapping>,
        walked: List<Range>,
    ) -> Result<Self, Hindrance> {
        let queue = List::with_room(blocks.len()).ok_or(Hindrance::Memory)?;
        Ok(Self {
            blocks,
            mappings,
            walked,
            roots: List::new(),
            hindrances: 0,
            queue,
            memory: File::open(c"/proc/self/mem").ok_or(Hindrance::Unreadable)?,
            residence: Residence::new(
                request.original.map(|original| &original.page_map),
                request.deadline,
            ),
            request,
        })
    }

    /// Adds a root: its number.
    pub fn root(&mut self, kind: RootKind, thread: i32, number: u32) -> Result<u32, Hindrance> {
        let root = self.roots.len() as u32;
        let has_room = self.roots.push(KnownRoot { kind, thread, number });
        has_room.then_some(root).ok_or(Hindrance::Memory)
    }

    /// Looks for pointers in a root's memory. Parts of it may be unmapped or protected.
    pub fn look_at_root(&mut self, range: Range, root: u32, of_c: bool) -> Result<(), Hindrance> {
        let mut address = range.0;
        while address < range.1 {
            let next = self.mappings.partition_point(|mapping| mapping.end <= address);
            let Some(mapping) = self.mappings.get(next).copied() else { break };
            let part = (address.max(mapping.start), range.1.min(mapping.end));
            if part.0 < part.1 {
                self.look_at(part, &mapping, root, of_c)?;
            }
            address = mapping.end;
        }
        Ok(())
    }

    /// Takes one word, found at `from`: an even address, or 0 for a register.
    #[inline]
    pub fn meet(&mut self, word: usize, from: usize, root: u32) {
        let Some(number) = self.target(word) else { return };
        let block = &self.blocks[number];
        if block.root == NONE && block.stack != OURS && !self.is_stranger(block.stack, root) {
            let block = &mut self.blocks[number];
            block.root = root;
            block.from = from;
            // The queue has room for every block, and each comes here once.
            self.queue.push(number as u32);
        }
    }

    /// The number of the block that a word points to.
    #[inline]
    fn target(&self, word: usize) -> Option<usize> {
        match self.blocks.at(word) {
            Some(number) => Some(number),
            None if word >> 48 == 0 => None,
            None => self.blocks.at(word & ((1 << 48) - 1)).or_else(|| self.blocks.at(word >> 16)),
        }
    }

    /// Whether the root is a known static that does not own blocks of this stack.
    #[inline]
    fn is_stranger(&self, stack: u32, root: u32) -> bool {
        let Request { strangers, statics, .. } = self.request;
        if strangers.is_empty() {
            return false;
        }
        let root = &self.roots[root as usize];
        let part = statics.get(root.number as usize).filter(|_| root.kind == RootKind::Static);
        part.and_then(|part| part.known).is_some_and(|holder| {
            strangers.binary_search(&Stranger { holder, stack: StackId(stack) }).is_ok()
        })
    }

    /// Looks into the blocks that were met, in the order in which they were met: so paths are as
    /// short as possible.
    pub fn follow(&mut self) -> Result<(), Hindrance> {
        let mut next = 0;
        while let Some(number) = self.queue.get(next).copied() {
            next += 1;
            self.look_into(number as usize)?;
            if next % 1024 == 0 {
                self.in_time()?;
            }
        }
        self.queue.clear();
        Ok(())
    }

    /// Looks at all other memory: untraced blocks, and mappings outside of `covered`.
    pub fn look_at_the_rest(&mut self, covered: &[Range]) -> Result<(), Hindrance> {
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
            if mapping.shared {
                // The process has never written to it, so it has no pointers of this process.
                if !mapping.writable {
                    continue;
                }
                residence::read_no_further(&mapping);
            }
            self.look_at_gaps(mapping, covered, root)?;
        }
        self.follow()
    }

    /// Fails if the time is over.
    pub fn in_time(&self) -> Result<(), Hindrance> {
        if self.request.deadline.is_over() { Err(Hindrance::Time) } else { Ok(()) }
    }

    /// Looks for pointers in a part of a mapping, where its pages hold something. It may be
    /// protected, and a file may be shorter than its mapping.
    fn look_at(
        &mut self,
        range: Range,
        mapping: &Mapping,
        root: u32,
        of_c: bool,
    ) -> Result<(), Hindrance> {
        let mut buffer = [0_usize; 8192];
        let mut address = range.0.next_multiple_of(8);
        while let Some(run) = self.residence.next_run(mapping, (address, range.1))? {
            address = run.0;
            while address + 8 <= run.1 {
                // Up to the end of a page: an unreadable page hides no other one.
                let end = run.1.min((address + size_of_val(&buffer)) & !(PAGE - 1));
                let words = (end.max(address + 8) - address) / 8;
                let read = self.memory.words_at(&mut buffer[..words], address);
                for (index, word) in buffer[..read].iter().enumerate() {
                    if of_c && self.is_chunk_end(*word) {
                        continue;
                    }
                    self.meet(*word, address + index * 8, root);
                }
                address = if read == words {
                    address + words * 8
                } else {
                    (address + read * 8 + PAGE) & !(PAGE - 1)
                };
                self.in_time()?;
            }
            address = address.max(run.1);
        }
        Ok(())
    }

    /// Whether a word of the C library's data is an address from one of `malloc`'s own lists.
    fn is_chunk_end(&self, word: usize) -> bool {
        let Some(block) = self.blocks.at(word).map(|number| &self.blocks[number]) else {
            return false;
        };
        let is_walked = self.walked.iter().any(|(low, high)| (*low..*high).contains(&block.start));
        is_walked && block.start % 16 == 0 && glibc_malloc::chunk_end(block) == word
    }

    /// Looks for pointers in a block that was met.
    fn look_into(&mut self, number: usize) -> Result<(), Hindrance> {
        let block = self.blocks[number];
        let mut address = block.start.next_multiple_of(8);
        loop {
            let run = match self.next_part(&block, address)? {
                Part::Run(run) => run,
                Part::Unreadable => {
                    self.hindrances |= Hindrance::Unreadable as u32;
                    return Ok(());
                }
                Part::End => return Ok(()),
            };
            for address in (run.0..run.1).step_by(8) {
                // SAFETY: `next_part` has returned whole words that can be read.
                self.meet(unsafe { word(address) }, 2 * number + 1, block.root);
            }
            if run.1 - run.0 > SMALL {
                self.in_time()?;
            }
            address = run.1;
        }
    }

    /// Finds the next whole words of a block whose pages hold something.
    ///
    /// They are in a readable mapping of this copy. If its file was shortened, reading them ends
    /// the copy, and the process gets no result.
    #[inline]
    fn next_part(&self, block: &Block, mut address: usize) -> Result<Part, Hindrance> {
        let block_end = block.end() & !7;
        while address < block_end {
            // A block may span several mappings, and some may be unreadable.
            let Some(mapping) =
                maps::find(&self.mappings, address).filter(|mapping| mapping.readable)
            else {
                return Ok(Part::Unreadable);
            };
            let range = (address, block_end.min(mapping.end));
            if block.size <= SMALL && !mapping.shared {
                return Ok(Part::Run(range));
            }
            match self.residence.next_run(mapping, range)? {
                Some(run) => return Ok(Part::Run(run)),
                None => address = range.1,
            }
        }
        Ok(Part::End)
    }

    /// Looks at the parts of a mapping that are neither blocks nor covered.
    fn look_at_gaps(
        &mut self,
        mapping: Mapping,
        covered: &[Range],
        root: u32,
    ) -> Result<(), Hindrance> {
        const NOTHING: Range = (usize::MAX, usize::MAX);
        let mut address = mapping.start;
        let mut next_covered = covered.partition_point(|range| range.1 <= address);
        let mut next_block = self.blocks.first_behind(address);
        while address < mapping.end {
            while covered.get(next_covered).is_some_and(|range| range.1 <= address) {
                next_covered += 1;
            }
            while self.blocks.get(next_block).is_some_and(|block| block.end() <= address) {
                next_block += 1;
            }
            let next_range = covered.get(next_covered).copied().unwrap_or(NOTHING);
            let block = self.blocks.get(next_block);
            let block = block.map_or(NOTHING, |block| (block.start, block.end()));
            let around = [next_range, block].into_iter().filter(|range| range.0 <= address);
            address = match around.map(|range| range.1).max() {
                Some(end) => end,
                None => {
                    let end = mapping.end.min(next_range.0).min(block.0);
                    self.look_at((address, end), &mapping, root, false)?;
                    end
                }
            };
        }
        Ok(())
    }

    /// Finds the next lost block that a lost block points to: only blocks of interest count, and
    /// only words from `address` on. Returns its number, and the address behind the pointer. The
    /// function gets a block's number and the word that points to it.
    pub fn next_lost(
        &self,
        number: usize,
        mut address: usize,
        is_of_interest: impl Fn(usize, usize) -> bool,
    ) -> Result<Option<(usize, usize)>, Hindrance> {
        let block = self.blocks[number];
        while let Part::Run(run) = self.next_part(&block, address)? {
            for address in (run.0..run.1).step_by(8) {
                // SAFETY: `next_part` has returned whole words that can be read.
                let word = unsafe { word(address) };
                let Some(next) = self.blocks.at(word) else { continue };
                let block = &self.blocks[next];
                if block.root == NONE && block.is_traced() && is_of_interest(next, word) {
                    return Ok(Some((next, address + 8)));
                }
            }
            address = run.1;
        }
        Ok(None)
    }

    /// The offset of the first pointer from one block to another. `None` if none is among the first
    /// `most` words, which it lessens by those that it reads.
    pub fn offset_of_pointer(
        &self,
        from: usize,
        to: usize,
        most: &mut usize,
    ) -> Result<Option<usize>, Hindrance> {
        let block = self.blocks[from];
        let mut address = block.start.next_multiple_of(8);
        while let Part::Run(run) = self.next_part(&block, address)? {
            for address in (run.0..run.1).step_by(8) {
                let Some(left) = most.checked_sub(1) else { return Ok(None) };
                *most = left;
                // SAFETY: `next_part` has returned whole words that can be read.
                if self.target(unsafe { word(address) }) == Some(to) {
                    return Ok(Some(address - block.start));
                }
            }
            address = run.1;
        }
        Ok(None)
    }

    /// The first two words of a block; `None` if it has not as many, or they cannot be read.
    pub fn first_words(&self, number: usize) -> Result<Option<[usize; 2]>, Hindrance> {
        let block = self.blocks[number];
        let start = block.start;
        match self.next_part(&block, start)? {
            Part::Run(run) if run.0 == start && start % 8 == 0 && run.1 - start >= 16 => {
                // SAFETY: `next_part` has returned whole words that can be read.
                Ok(Some(unsafe { [word(start), word(start + 8)] }))
            }
            _ => Ok(None),
        }
    }
}

/// The next part of a block.
enum Part {
    /// Whole words that can be read.
    Run(Range),
    /// The rest of the block cannot be read.
    Unreadable,
    /// There is none.
    End,
}

/// Reads a word of this copy.
///
/// # Safety
///
/// It can be read.
unsafe fn word(address: usize) -> usize {
    // SAFETY: the caller's promise. Nothing else runs in this copy.
    unsafe { core::ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}
