//! The page map of a process: the state of each page, from `/proc/self/pagemap`.
//!
//! Reading it allocates nothing. Other systems than Linux have none.

#[cfg(any(not(target_os = "linux"), miri))]
use self::elsewhere as system;
#[cfg(all(target_os = "linux", not(miri)))]
use self::linux as system;

/// The most pages that [`PageMap`] reads at once for a caller.
const AT_ONCE: usize = 512;

/// The page map of a process.
#[derive(Debug)]
pub struct PageMap(system::File);

/// The state of a page.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct PageState(u64);

impl PageState {
    const PRESENT: u64 = 1 << 63;
    const SWAPPED: u64 = 1 << 62;

    /// The state of a page that was never touched.
    pub const ABSENT: Self = Self(0);

    /// Whether it is in memory, or swapped out.
    pub fn exists(self) -> bool {
        self.0 & (Self::PRESENT | Self::SWAPPED) != 0
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
impl PageState {
    const OF_FILE: u64 = 1 << 61;
    const EXCLUSIVE: u64 = 1 << 56;

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
        system::open().map(Self)
    }

    /// Reads the states of pages, from the page with this number on. False if the system returns
    /// fewer.
    pub fn read(&self, first: usize, states: &mut [PageState]) -> bool {
        self.0.read(first, states)
    }
}

/// The size of a page.
pub fn page_size() -> usize {
    system::page_size()
}

/// Calls `visit` with address and size of each run of pages that were ever touched. `address` is at
/// the start of a page. Without a page map every page counts as touched.
pub fn for_each_touched(
    page_map: Option<&PageMap>,
    address: usize,
    size: usize,
    visit: &mut impl FnMut(usize, usize),
) {
    let Some(page_map) = page_map else { return visit(address, size) };
    let page_size = page_size();
    let pages = size.div_ceil(page_size);
    let mut states = [PageState::ABSENT; AT_ONCE];
    let (mut begin, mut run) = (address, 0);
    for first in (0..pages).step_by(AT_ONCE) {
        let states = &mut states[..AT_ONCE.min(pages - first)];
        let is_read = page_map.read(address / page_size + first, states);
        for (index, state) in states.iter().enumerate() {
            let here = address + (first + index) * page_size;
            if is_read && !state.exists() {
                if run > 0 {
                    visit(begin, run);
                }
                run = 0;
            } else {
                if run == 0 {
                    begin = here;
                }
                run += page_size.min(address + size - here);
            }
        }
    }
    if run > 0 {
        visit(begin, run);
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
mod linux {
    use super::PageState;
    use crate::os::proc_dir;

    /// The file, which has eight bytes for each page.
    #[derive(Debug)]
    pub struct File(libc::c_int);

    pub fn open() -> Option<File> {
        proc_dir::open(c"/proc/self/pagemap").map(File)
    }

    pub fn page_size() -> usize {
        // SAFETY: reads a number.
        usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
    }

    impl File {
        pub fn read(&self, first: usize, states: &mut [PageState]) -> bool {
            let bytes = size_of_val(states);
            let offset = (first * size_of::<PageState>()) as libc::off64_t;
            // SAFETY: the kernel writes at most `bytes` bytes to `states`, and any eight bytes are
            // a state.
            let read = unsafe { libc::pread64(self.0, states.as_mut_ptr().cast(), bytes, offset) };
            usize::try_from(read) == Ok(bytes)
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            // SAFETY: `self` owns the descriptor, and is gone afterwards.
            unsafe { libc::close(self.0) };
        }
    }
}

#[cfg(any(not(target_os = "linux"), miri))]
mod elsewhere {
    use super::PageState;
    use crate::os::proc_dir;

    /// There is none.
    #[derive(Debug)]
    pub enum File {}

    pub fn open() -> Option<File> {
        None
    }

    pub fn page_size() -> usize {
        4096
    }

    impl File {
        pub fn read(&self, _first: usize, _states: &mut [PageState]) -> bool {
            match *self {}
        }
    }
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use core::ptr::{self, NonNull};

    use super::*;

    /// Private memory of so many pages, in small pages only. It is never unmapped.
    fn memory(pages: usize) -> NonNull<u8> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let (size, access) = (pages * page_size(), libc::PROT_READ | libc::PROT_WRITE);
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no memory that
        // exists, and the advice is about this mapping.
        unsafe {
            let memory = libc::mmap(ptr::null_mut(), size, access, flags, -1, 0);
            assert_ne!(memory, libc::MAP_FAILED);
            libc::madvise(memory, size, libc::MADV_NOHUGEPAGE);
            NonNull::new(memory.cast()).expect("the kernel chose an address")
        }
    }

    #[test]
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn only_written_pages_of_private_memory_are_exclusive() {
        let size = page_size();
        let memory = memory(3);
        // SAFETY: the memory is that large, and only this test has it.
        let sum = unsafe {
            memory.add(size).write(1);
            memory.add(2 * size).as_ptr().read_volatile()
        };
        assert_eq!(sum, 0);
        let map = PageMap::open().expect("Linux has it");
        let mut states = [PageState::ABSENT; 3];
        assert!(map.read(memory.addr().get() / size, &mut states));
        assert_eq!(states.map(PageState::exists), [false, true, true]);
        assert_eq!(states.map(PageState::is_exclusive), [false, true, false]);
    }

    #[test]
    fn runs_of_touched_pages_are_visited_in_any_window() {
        let size = page_size();
        let pages = 3 * AT_ONCE;
        let memory = memory(pages);
        for page in [1, AT_ONCE - 1, AT_ONCE, pages - 1] {
            // SAFETY: the memory is that large, and only this test has it.
            unsafe { memory.add(page * size).write(1) };
        }
        let address = memory.addr().get();
        let mut runs = Vec::new();
        let mut visit = |start, bytes| runs.push(((start - address) / size, bytes));
        // The last page is cut.
        let map = PageMap::open();
        for_each_touched(map.as_ref(), address, pages * size - 8, &mut visit);
        assert_eq!(runs, [(1, size), (AT_ONCE - 1, 2 * size), (pages - 1, size - 8)]);
        let mut runs = Vec::new();
        for_each_touched(None, address, 3 * size, &mut |start, bytes| runs.push((start, bytes)));
        assert_eq!(runs, [(address, 3 * size)]);
    }
}
