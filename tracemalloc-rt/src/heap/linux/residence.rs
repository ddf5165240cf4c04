//! Residence: the pages of a mapping that hold something. The search touches no others, because
//! reading a hole of shared memory fills it.

use core::cell::Cell;

use crate::heap::linux::maps::Mapping;
use crate::heap::linux::page_run::{WINDOW, first_run, first_run_in};
use crate::heap::linux::process::Deadline;
use crate::heap::linux::range::Range;
use crate::heap::linux::reply::Hindrance;
use crate::os::page_map::{PageMap, PageState, page_size};

/// Makes the kernel read no further pages of a shared mapping's file when this copy touches one.
/// Otherwise a search of a sparse file reads all of its holes, one behind the other.
pub fn read_no_further(mapping: &Mapping) {
    // SAFETY: the advice is for this copy alone, and does not change the memory.
    unsafe {
        libc::madvise(
            core::ptr::with_exposed_provenance_mut(mapping.start),
            mapping.end - mapping.start,
            libc::MADV_RANDOM,
        )
    };
}

/// Finds the pages of a mapping that hold something.
#[derive(Debug)]
pub struct Residence<'a> {
    /// The page map of this copy.
    own: Option<PageMap>,
    /// The page map of the process.
    original: Option<&'a PageMap>,
    deadline: Deadline,
    /// The last answer, which often holds for the next range too.
    last: Cell<Known>,
}

/// Addresses of which the pages are known: at first pages that hold nothing, then a run of pages
/// that hold something.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    start: usize,
    run: Range,
}

impl<'a> Residence<'a> {
    /// With the page map of the process, which the copy has inherited.
    pub fn new(original: Option<&'a PageMap>, deadline: Deadline) -> Self {
        Self { own: PageMap::open(), original, deadline, last: Cell::default() }
    }

    /// Finds the first run of pages that hold something, in a range of one mapping. `None` if there
    /// is none. The run may continue behind the returned end.
    #[inline]
    pub fn next_run(&self, mapping: &Mapping, range: Range) -> Result<Option<Range>, Hindrance> {
        if range.0 >= range.1 {
            return Ok(None);
        }
        let mut known = self.last.get();
        if !(known.start..known.run.1).contains(&range.0) {
            known = self.find(mapping, range)?;
            self.last.set(known);
        }
        let run = (range.0.max(known.run.0), range.1.min(known.run.1));
        if run.0 < run.1 {
            Ok(Some(run))
        } else if known.run.1 >= range.1 || known.run.0 >= range.1 {
            Ok(None)
        } else {
            self.next_run(mapping, (known.run.1, range.1))
        }
    }

    /// Finds the next run. Looks at more pages than wanted, because small ranges often follow each
    /// other.
    #[cold]
    fn find(&self, mapping: &Mapping, range: Range) -> Result<Known, Hindrance> {
        let size = page_size();
        let start = range.0 & !(size - 1);
        let end = range.1.max(start + WINDOW * size).min(mapping.end);
        let run = self.find_run(mapping, (start, end))?.unwrap_or((end, end));
        Ok(Known { start, run })
    }

    fn find_run(&self, mapping: &Mapping, range: Range) -> Result<Option<Range>, Hindrance> {
        if mapping.shared {
            return first_run(range, self.deadline, |first, holds| {
                self.read_shared(first, holds);
                Ok(())
            });
        }
        let Some(own) = &self.own else { return Ok(Some(range)) };
        match first_run_in(own, range, self.deadline, PageState::is_private) {
            // All pages count, if their states are unknown: reading a hole of private memory adds
            // at most the page of zeroes.
            Err(Hindrance::Unreadable) => Ok(Some(range)),
            run => run,
        }
    }

    /// Shared pages count if they are in memory for any process. The kernel does not copy their
    /// entries to the page map of a copy, and for huge pages it knows only these entries. So the
    /// pages of the process count too.
    fn read_shared(&self, first: usize, holds: &mut [bool]) {
        let size = page_size();
        let mut in_memory = [0_u8; WINDOW];
        let mut states = [PageState::ABSENT; WINDOW];
        let (address, length) = (first * size, holds.len() * size);
        // SAFETY: the kernel writes a byte for each page, for which the array has room. It reads no
        // memory at the address.
        let result = unsafe {
            libc::mincore(
                core::ptr::with_exposed_provenance_mut(address),
                length,
                in_memory.as_mut_ptr(),
            )
        };
        if result != 0 {
            in_memory.fill(0);
        }
        let states = &mut states[..holds.len()];
        if self.original.is_none_or(|original| !original.read(first, states)) {
            states.fill(PageState::ABSENT);
        }
        for (holds, (in_memory, state)) in holds.iter_mut().zip(in_memory.iter().zip(states)) {
            *holds = in_memory & 1 != 0 || state.exists();
        }
    }
}
