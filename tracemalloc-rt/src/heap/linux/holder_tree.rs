//! The tree of holders in the copy: below each root, the blocks that it leads to, by the stacks
//! that allocated them on the way.
//!
//! A linked list would make a path as long as the list. So a block with the stack of an ancestor
//! counts for that ancestor. Untraced blocks are no branches of their own.

use crate::heap::linux::blocks::{FREED, NONE};
use crate::heap::linux::list::List;
use crate::heap::linux::reachability::Reachability;
use crate::heap::linux::reply::{Branch, Hindrance, MOST_BRANCHES, Reply, Root};
use crate::heap::linux::summary::is_of;
use crate::model::domain::Domain;

/// Branches below roots: the rest of the reply is for roots alone, whose sums are complete.
const MOST_BELOW: usize = MOST_BRANCHES / 2;
/// Places of the hash table.
const PLACES: usize = 2 * MOST_BRANCHES;
const OUT_OF_MEMORY: Hindrance = Hindrance::Memory;

/// Writes the tree of all traced blocks of a domain that a root leads to, and the sum of the lost
/// ones.
pub fn write(
    reached: &mut Reachability<'_>,
    domain: Domain,
    reply: &mut Reply,
) -> Result<(), Hindrance> {
    // SAFETY: zero is a valid number.
    let zeroed = |len| unsafe { List::<u32>::zeroed(len) }.ok_or(OUT_OF_MEMORY);
    let mut tree = Tree {
        reply,
        of_block: zeroed(reached.blocks.len())?,
        of_root: zeroed(reached.roots.len())?,
        by_key: zeroed(PLACES)?,
        way: List::new(),
    };
    let mut is_whole = true;
    for number in 0..reached.blocks.len() {
        let block = reached.blocks[number];
        if !is_of(&block, domain) || block.root == FREED {
            continue;
        }
        if block.root == NONE {
            tree.reply.lost_bytes += block.size as u64;
            tree.reply.lost_blocks += 1;
            continue;
        }
        match tree.branch_of(reached, number)? {
            Some(branch) => {
                let branch = &mut tree.reply.branches[branch as usize];
                branch.bytes += block.size as u64;
                branch.blocks += 1;
            }
            None => is_whole = false,
        }
        if number % 4096 == 0 {
            reached.in_time()?;
        }
    }
    if !is_whole {
        reached.hindrances |= Hindrance::Entries as u32;
    }
    Ok(())
}

struct Tree<'a> {
    reply: &'a mut Reply,
    /// The branch of each block, plus 1; 0 is unknown.
    of_block: List<u32>,
    /// The branch of each root, plus 1; 0 is none.
    of_root: List<u32>,
    /// Branches by parent and stack, plus 1: open addressing; 0 is an empty place.
    by_key: List<u32>,
    /// Blocks whose branch depends on the next one's.
    way: List<u32>,
}

impl Tree<'_> {
    /// The branch of a block that a root leads to. `None` if there are too many roots.
    fn branch_of(
        &mut self,
        reached: &Reachability<'_>,
        number: usize,
    ) -> Result<Option<u32>, Hindrance> {
        self.way.clear();
        let mut next = number;
        let mut branch = loop {
            if let Some(branch) = self.of_block[next].checked_sub(1) {
                break branch;
            }
            if !self.way.push(next as u32) {
                return Err(OUT_OF_MEMORY);
            }
            let block = &reached.blocks[next];
            if block.from & 1 == 0 {
                match self.root(reached, block.root, block.from) {
                    Some(branch) => break branch,
                    None => return Ok(None),
                }
            }
            next = block.from >> 1;
        };
        while let Some(number) = self.way.pop() {
            let block = &reached.blocks[number as usize];
            if block.is_traced() {
                branch = self.below(branch, block.stack);
            }
            self.of_block[number as usize] = branch + 1;
        }
        Ok(Some(branch))
    }

    fn root(&mut self, reached: &Reachability<'_>, root: u32, address: usize) -> Option<u32> {
        if let Some(branch) = self.of_root[root as usize].checked_sub(1) {
            return Some(branch);
        }
        let known = &reached.roots[root as usize];
        let root_at =
            Root { kind: known.kind, thread: known.thread, address, number: known.number };
        let branch =
            self.add(Branch { parent: NONE, stack: 0, root: root_at, bytes: 0, blocks: 0 })?;
        self.of_root[root as usize] = branch + 1;
        Some(branch)
    }

    /// The branch of a stack below another branch. If there are too many, that other branch.
    fn below(&mut self, parent: u32, stack: u32) -> u32 {
        let mut ancestor = parent;
        while ancestor != NONE {
            let branch = &self.reply.branches[ancestor as usize];
            if branch.stack == stack {
                return ancestor;
            }
            ancestor = branch.parent;
        }
        let key = (u64::from(parent) << 32 | u64::from(stack)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut place = (key >> 40) as usize % PLACES;
        while let Some(branch) = self.by_key[place].checked_sub(1) {
            let known = &self.reply.branches[branch as usize];
            if (known.parent, known.stack) == (parent, stack) {
                return branch;
            }
            place = (place + 1) % PLACES;
        }
        if self.reply.branches_len as usize >= MOST_BELOW {
            return parent;
        }
        let root = self.reply.branches[parent as usize].root;
        match self.add(Branch { parent, stack, root, bytes: 0, blocks: 0 }) {
            Some(branch) => {
                self.by_key[place] = branch + 1;
                branch
            }
            None => parent,
        }
    }

    fn add(&mut self, branch: Branch) -> Option<u32> {
        let number = self.reply.branches_len;
        *self.reply.branches.get_mut(number as usize)? = branch;
        self.reply.branches_len += 1;
        Some(number)
    }
}

// A number of a branch, plus 1, is no more than this; and half of the places stay empty.
const _: () = assert!(MOST_BRANCHES < u32::MAX as usize && PLACES > MOST_BRANCHES);
