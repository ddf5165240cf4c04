//! The original of a copy: files of the process that the copy inherits, and the memory that `fork`
//! leaves out.
//!
//! `fork` copies no memory that the program has marked with `MADV_DONTFORK`, and clears what it has
//! marked with `MADV_WIPEONFORK`. Pointers in it hold blocks like others, so the copy gets it from
//! the process, while the process's threads stand still.

use core::time::Duration;

use crate::heap::linux::maps::{self, Backing, Mapping};
use crate::heap::linux::page_run::first_run_in;
use crate::heap::linux::process::{Deadline, File};
use crate::heap::linux::range::Range;
use crate::heap::linux::reply::Hindrance;
use crate::os::page_map::{PageMap, PageState};

/// The most bytes that are put back.
const MOST_BYTES: usize = 256 << 20;
/// The longest that this may take: the process's threads stand still.
const PATIENCE: Duration = Duration::from_secs(1);
/// The largest mapping that is checked for being cleared. The check reads all of a page map.
const LARGEST_CLEARED: usize = 1 << 30;

/// Files of the process, opened in it.
#[derive(Debug)]
pub struct Original {
    /// Its page map.
    pub page_map: PageMap,
    maps: File,
    memory: File,
}

impl Original {
    /// Opens the files. `None` if the system refuses.
    pub fn open() -> Option<Self> {
        Some(Self {
            page_map: PageMap::open()?,
            maps: File::open(c"/proc/self/maps")?,
            memory: File::open(c"/proc/self/mem")?,
        })
    }

    /// Puts the memory that `fork` has left out back into this copy.
    ///
    /// Call it first of all in a copy: any other mapping may take the place of a missing one.
    pub fn put_back(&self) -> Result<(), Hindrance> {
        let own_page_map = PageMap::open().ok_or(Hindrance::Unreadable)?;
        let own_maps = File::open(c"/proc/self/maps").ok_or(Hindrance::Unreadable)?;
        let mut put_back =
            PutBack { original: self, bytes: 0, deadline: Deadline::after(PATIENCE) };
        let mut own = maps::Reader::new(&own_maps);
        let mut next_own = own.next().transpose()?;
        for mapping in maps::Reader::new(&self.maps) {
            let mapping = mapping?;
            let mut address = mapping.start;
            while address < mapping.end {
                while next_own.as_ref().is_some_and(|own_mapping| own_mapping.end <= address) {
                    next_own = own.next().transpose()?;
                }
                match next_own {
                    Some(own_mapping) if own_mapping.start <= address => {
                        let end = own_mapping.end.min(mapping.end);
                        put_back.cleared(&own_page_map, &mapping, (address, end))?;
                        address = end;
                    }
                    _ => {
                        let end = next_own.map_or(mapping.end, |own| own.start.min(mapping.end));
                        put_back.missing(&mapping, (address, end))?;
                        address = end;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The work of [`Original::put_back`].
struct PutBack<'a> {
    original: &'a Original,
    bytes: usize,
    deadline: Deadline,
}

impl PutBack<'_> {
    /// Maps memory that the copy does not have, and fills it.
    fn missing(&mut self, mapping: &Mapping, range: Range) -> Result<(), Hindrance> {
        if !mapping.readable || mapping.backing == Backing::Device {
            return Ok(());
        }
        // SAFETY: the kernel refuses an address that is in use, so no memory of this copy changes.
        let place = unsafe {
            libc::mmap(
                core::ptr::with_exposed_provenance_mut(range.0),
                range.1 - range.0,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE
                    | libc::MAP_ANONYMOUS
                    | libc::MAP_NORESERVE
                    | libc::MAP_FIXED_NOREPLACE,
                -1,
                0,
            )
        };
        // Kernels before 4.17 do not know the last flag, and choose another address.
        if place.addr() != range.0 {
            return Err(Hindrance::Unreadable);
        }
        self.fill(range, PageState::exists)
    }

    /// Fills memory that the copy has, if it is empty there and not in the process.
    fn cleared(&mut self, own: &PageMap, mapping: &Mapping, range: Range) -> Result<(), Hindrance> {
        let can_be_cleared = mapping.readable
            && mapping.writable
            && !mapping.shared
            && mapping.backing == Backing::Nothing
            && range.1 - range.0 <= LARGEST_CLEARED;
        if !can_be_cleared || first_run_in(own, range, self.deadline, PageState::exists)?.is_some()
        {
            return Ok(());
        }
        self.fill(range, PageState::is_exclusive)
    }

    /// Copies the wanted pages of a range from the process.
    fn fill(
        &mut self,
        mut range: Range,
        wanted: impl Fn(PageState) -> bool,
    ) -> Result<(), Hindrance> {
        while let Some(run) = first_run_in(&self.original.page_map, range, self.deadline, &wanted)?
        {
            let words = (run.1 - run.0) / size_of::<usize>();
            self.bytes += run.1 - run.0;
            if self.bytes > MOST_BYTES {
                return Err(Hindrance::Unreadable);
            }
            // SAFETY: the run is whole pages of writable memory of this copy, in which nothing else
            // runs. No reference leads there: the memory was missing or empty.
            let words = unsafe {
                core::slice::from_raw_parts_mut(
                    core::ptr::with_exposed_provenance_mut::<usize>(run.0),
                    words,
                )
            };
            if self.original.memory.words_at(words, run.0) < words.len() {
                return Err(Hindrance::Unreadable);
            }
            range.0 = run.1;
        }
        Ok(())
    }
}
