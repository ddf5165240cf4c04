//! The page map of a process: the state of each page, from `/proc/self/pagemap`.

use crate::heap::linux::process::{self, Deadline, File};
use crate::heap::linux::range::Range;
use crate::heap::linux::reply::Hindrance;

/// The most pages that are read at once.
pub const WINDOW: usize = 1024;

/// The page map of a process.
#[derive(Debug)]
pub struct PageMap(File);

/// The state of a page.
#[derive(Debug, Clone, Copy)]
pub struct PageState(usize);

impl PageState {
    const PRESENT: usize = 1 << 63;
    const SWAPPED: usize = 1 << 62;
    const OF_FILE: usize = 1 << 61;
    const EXCLUSIVE: usize = 1 << 56;

    /// The state of a page that was never touched.
    pub const ABSENT: Self = Self(0);

    /// Whether it is in memory, or swapped out.
    pub fn exists(self) -> bool {
        self.0 & (Self::PRESENT | Self::SWAPPED) != 0
    }

    /// Whether it exists, and belongs neither to a file nor to shared memory.
    pub fn is_private(self) -> bool {
        self.exists() && self.0 & Self::OF_FILE == 0
    }

    /// Whether it is private, and no other process has it. The one page of zeroes that stands for
    /// all pages that were only read is not exclusive.
    pub fn is_exclusive(self) -> bool {
        self.is_private() && self.0 & (Self::EXCLUSIVE | Self::SWAPPED) != 0
    }
}

impl PageMap {
    /// The page map of this process. A copy that inherits it still sees the original's pages.
    pub fn open() -> Option<Self> {
        File::open(c"/proc/self/pagemap").map(Self)
    }

    /// Reads the states of pages, from the page with this number on.
    pub fn read(&self, first: usize, states: &mut [PageState]) -> Result<(), Hindrance> {
        let mut words = [0; WINDOW];
        let words = &mut words[..states.len()];
        if self.0.words_at(words, first * size_of::<usize>()) < words.len() {
            return Err(Hindrance::Unreadable);
        }
        states.iter_mut().zip(words).for_each(|(state, word)| *state = PageState(*word));
        Ok(())
    }

    /// Finds the first run of wanted pages in a range. `None` if no page is wanted. The run may
    /// continue behind the returned end.
    pub fn next_run(
        &self,
        range: Range,
        deadline: Deadline,
        wanted: impl Fn(PageState) -> bool,
    ) -> Result<Option<Range>, Hindrance> {
        let mut states = [PageState::ABSENT; WINDOW];
        first_run(range, deadline, |first, is_wanted| {
            let states = &mut states[..is_wanted.len()];
            self.read(first, states)?;
            is_wanted.iter_mut().zip(states).for_each(|(is_wanted, state)| {
                *is_wanted = wanted(*state);
            });
            Ok(())
        })
    }
}

/// Finds the first run of wanted pages in a range. `read` gets the number of a page and fills in,
/// for it and the next ones, whether they are wanted.
pub fn first_run(
    range: Range,
    deadline: Deadline,
    mut read: impl FnMut(usize, &mut [bool]) -> Result<(), Hindrance>,
) -> Result<Option<Range>, Hindrance> {
    let size = process::page_size();
    let end = range.1.div_ceil(size);
    let mut page = range.0 / size;
    let mut is_wanted = [false; WINDOW];
    while page < end {
        let is_wanted = &mut is_wanted[..WINDOW.min(end - page)];
        read(page, is_wanted)?;
        if let Some(start) = is_wanted.iter().position(|wanted| *wanted) {
            let run = is_wanted[start..].iter().take_while(|wanted| **wanted).count();
            let start = (page + start) * size;
            return Ok(Some((start.max(range.0), (start + run * size).min(range.1))));
        }
        page += is_wanted.len();
        if deadline.is_over() {
            return Err(Hindrance::Time);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn runs_are_cut_to_the_range_and_found_in_any_window() {
        let size = process::page_size();
        let wanted = [3, 4, 5, 3 * WINDOW, 3 * WINDOW + 1];
        let first = |range| {
            first_run(range, Deadline::after(Duration::from_secs(60)), |first, is_wanted| {
                for (index, is_wanted) in is_wanted.iter_mut().enumerate() {
                    *is_wanted = wanted.contains(&(first + index));
                }
                Ok(())
            })
        };
        let end = 4 * WINDOW * size;
        assert_eq!(first((0, end)), Ok(Some((3 * size, 6 * size))));
        assert_eq!(first((4 * size + 8, 6 * size - 8)), Ok(Some((4 * size + 8, 6 * size - 8))));
        assert_eq!(first((6 * size, end)), Ok(Some((3 * WINDOW * size, (3 * WINDOW + 2) * size))));
        assert_eq!(first(((3 * WINDOW + 2) * size, end)), Ok(None));
        assert_eq!(first((size, size)), Ok(None));
    }

    #[test]
    fn only_written_pages_of_private_memory_are_exclusive() {
        let size = process::page_size();
        let memory = crate::os::memory::reserve(3 * size).expect("there is memory");
        // SAFETY: the memory is that large, and only this test has it.
        let sum = unsafe {
            memory.add(size).write(1);
            memory.add(2 * size).as_ptr().read_volatile()
        };
        assert_eq!(sum, 0);
        let map = PageMap::open().expect("Linux has it");
        let mut states = [PageState::ABSENT; 3];
        map.read(memory.addr().get() / size, &mut states).expect("it is mapped");
        assert_eq!(states.map(PageState::exists), [false, true, true]);
        assert_eq!(states.map(PageState::is_exclusive), [false, true, false]);
    }
}
