//! Cycles of lost blocks: the shortest way from a head back to itself.

use crate::heap::linux::blocks::NONE;
use crate::heap::linux::list::List;
use crate::heap::linux::reachability::Reachability;
use crate::heap::linux::reply::Hindrance;

/// The search for cycles, which remembers what it has entered: each block has one head, so it is
/// entered once.
pub struct Cycles<'a> {
    /// For every block, the number of its head.
    heads: &'a [u32],
    /// For every block that was entered, the number of the block before it, plus 1.
    before: List<u32>,
    /// For every block that was entered, the offset of the pointer to it in the block before it.
    pointers: List<u32>,
    /// The blocks that were entered, and not looked into yet.
    queue: List<u32>,
    cycle: List<(u32, u32)>,
}

impl<'a> Cycles<'a> {
    /// Nothing is entered.
    pub fn new(reached: &Reachability<'_>, heads: &'a [u32]) -> Result<Self, Hindrance> {
        let count = reached.blocks.len();
        // SAFETY: zero is a valid number.
        let zeroes = || unsafe { List::zeroed(count) }.ok_or(Hindrance::Memory);
        Ok(Self {
            heads,
            before: zeroes()?,
            pointers: zeroes()?,
            queue: List::new(),
            cycle: List::new(),
        })
    }

    /// The shortest cycle through a head, beginning with it: each block, with the offset of the
    /// pointer to the next. Empty if there is none.
    ///
    /// All blocks of the cycle have this head, because it leads to them and they lead to it.
    pub fn through(
        &mut self,
        reached: &Reachability<'_>,
        head: u32,
    ) -> Result<&[(u32, u32)], Hindrance> {
        self.cycle.clear();
        self.queue.clear();
        let mut has_room = self.queue.push(head);
        let mut next = 0;
        while let Some(number) = self.queue.get(next).copied() {
            next += 1;
            let start = reached.blocks[number as usize].start;
            let mut address = start.next_multiple_of(8);
            loop {
                let (heads, before) = (self.heads, &self.before);
                let is_new = |other: usize, _| {
                    other == head as usize || heads[other] == head && before[other] == 0
                };
                let found = reached.next_lost(number as usize, address, is_new)?;
                let Some((other, behind)) = found else { break };
                let pointer = u32::try_from(behind - 8 - start).unwrap_or(NONE);
                address = behind;
                if other == head as usize {
                    self.write(head, number, pointer)?;
                    return Ok(&self.cycle);
                }
                self.before[other] = number + 1;
                self.pointers[other] = pointer;
                has_room = has_room && self.queue.push(other as u32);
            }
            if !has_room {
                return Err(Hindrance::Memory);
            }
            reached.in_time()?;
        }
        Ok(&self.cycle)
    }

    /// The cycle that was found last.
    pub fn last(&self) -> &[(u32, u32)] {
        &self.cycle
    }

    /// Writes the way from the head to the block that points back to it.
    fn write(&mut self, head: u32, last: u32, pointer: u32) -> Result<(), Hindrance> {
        let (mut number, mut pointer) = (last, pointer);
        let mut has_room = self.cycle.push((number, pointer));
        while number != head {
            pointer = self.pointers[number as usize];
            number = self.before[number as usize] - 1;
            has_room = has_room && self.cycle.push((number, pointer));
        }
        self.cycle.reverse();
        if has_room { Ok(()) } else { Err(Hindrance::Memory) }
    }
}
