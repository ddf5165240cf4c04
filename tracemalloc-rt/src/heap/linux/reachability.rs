//! Reachability: from the words of a root to blocks, and from block to block.
//!
//! A word is a pointer to a block if it is the address of any byte of the block. It may also have
//! other bits in its upper 16 bits, or be shifted left by 16, to make room for something below.

use crate::heap::linux::blocks::{Block, Blocks, NONE, OURS};
use crate::heap::linux::glibc_malloc;
use crate::heap::linux::list::List;
use crate::heap::linux::maps::{self, Backing, Mapping};
use crate::heap::linux::process::{Deadline, File};
use crate::heap::linux::range::Range;
use crate::heap::linux::reply::{Hindrance, RootKind};

const PAGE: usize = 4096;
/// In blocks larger than this, unwritten pages are skipped.
const LARGE: usize = 1 << 20;

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
pub struct Reachability {
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
    page_map: Option<File>,
    deadline: Deadline,
}

impl Reachability {
    /// Nothing is reached.
    pub fn new(
        blocks: Blocks,
        mappings: List<Mapping>,
        walked: List<Range>,
        deadline: Deadline,
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
            page_map: File::open(c"/proc/self/pagemap"),
            deadline,
        })
    }

    /// Adds a root: its number.
    pub fn root(&mut self, kind: RootKind, thread: i32, number: u32) -> Result<u32, Hindrance> {
        let root = self.roots.len() as u32;
        let has_room = self.roots.push(KnownRoot { kind, thread, number });
        has_room.then_some(root).ok_or(Hindrance::Memory)
    }

    /// Looks for pointers in a root's memory. It may be unmapped or protected.
    pub fn look_at_root(&mut self, range: Range, root: u32, of_c: bool) -> Result<(), Hindrance> {
        self.look_at(range, root, None, of_c)
    }

    /// Takes one word, found at `from`: an even address, or 0 for a register.
    #[inline]
    pub fn meet(&mut self, word: usize, from: usize, root: u32) {
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
            // The queue has room for every block, and each comes here once.
            self.queue.push(number as u32);
        }
    }

    /// Looks into the blocks that were met, in the order in which they were met: so paths are as
    /// short as possible.
    pub fn follow(&mut self) -> Result<(), Hindrance> {
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
            // The process has never written to it, so it has no pointers of this process.
            if !mapping.writable && mapping.shared {
                continue;
            }
            self.look_at_gaps(mapping, covered, root)?;
        }
        self.follow()
    }

    /// Fails if the time is over.
    pub fn in_time(&self) -> Result<(), Hindrance> {
        if self.deadline.is_over() { Err(Hindrance::Time) } else { Ok(()) }
    }

    /// Looks for pointers in memory that may be unmapped or protected.
    fn look_at(
        &mut self,
        range: Range,
        root: u32,
        block: Option<usize>,
        of_c: bool,
    ) -> Result<(), Hindrance> {
        let mut buffer = [0_usize; 8192];
        let mut address = range.0.next_multiple_of(8);
        while address + 8 <= range.1 {
            // Up to the end of a page: an unreadable page hides no other one.
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

    /// Whether a word of the C library's data is an address from one of `malloc`'s own lists.
    fn is_chunk_end(&self, word: usize) -> bool {
        let Some(block) = self.blocks.at(word).map(|number| &self.blocks[number]) else {
            return false;
        };
        let is_walked = self.walked.iter().any(|(low, high)| (*low..*high).contains(&block.start));
        is_walked && block.start.is_multiple_of(16) && glibc_malloc::chunk_end(block) == word
    }

    /// Looks for pointers in a block that was met.
    fn look_into(&mut self, number: usize) -> Result<(), Hindrance> {
        let block = self.blocks[number];
        let mut address = block.start.next_multiple_of(8);
        while address + 8 <= block.end() {
            // A block may span several mappings, and some may be unreadable.
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
                // SAFETY: the word lies in a readable mapping of this copy. If its file was
                // shortened, the copy dies, and the process gets no result.
                let word =
                    unsafe { core::ptr::with_exposed_provenance::<usize>(address).read_volatile() };
                self.meet(word, 2 * number + 1, block.root);
                address += 8;
            }
        }
        Ok(())
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
                    self.look_at_written((address, end), mapping, root, None)?;
                    end
                }
            };
        }
        Ok(())
    }

    /// Looks at the written pages of a mapping. Written pages of private memory are in memory or
    /// swapped out.
    fn look_at_written(
        &mut self,
        range: Range,
        mapping: Mapping,
        root: u32,
        block: Option<usize>,
    ) -> Result<(), Hindrance> {
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

    /// Finds the next lost block that a lost block points to: only blocks of interest count, and
    /// only words from `word` on. Returns its number, and the index of the word behind the pointer.
    pub fn next_lost(
        &self,
        number: usize,
        word: usize,
        is_of_interest: impl Fn(usize) -> bool,
    ) -> Option<(usize, usize)> {
        let block: &Block = &self.blocks[number];
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
            let block = &self.blocks[next];
            if block.root == NONE && block.is_traced() && is_of_interest(next) {
                return Some((next, word + 1));
            }
        }
        None
    }
}
