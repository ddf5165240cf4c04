//! The pages of some memory that have ever been touched, as Linux lists them.
//!
//! On other systems every page counts as touched.

/// How many pages are read at once.
const AT_ONCE: usize = 512;
/// The page is in memory, or swapped out.
const TOUCHED: u64 = 1 << 63 | 1 << 62;

/// The system's list of pages. Reading it allocates nothing.
pub struct Pages {
    pagemap: Option<system::Fd>,
    size: usize,
}

impl Pages {
    /// Opens the list. If that fails, every page counts as touched.
    pub fn open() -> Self {
        Self { pagemap: system::open(), size: system::page_size() }
    }

    /// Calls `visit` with address and size of each run of touched pages. `address` is at the start
    /// of a page.
    pub fn touched(&self, address: usize, size: usize, visit: &mut impl FnMut(usize, usize)) {
        let Some(pagemap) = &self.pagemap else { return visit(address, size) };
        let pages = size.div_ceil(self.size);
        let mut entries = [0_u64; AT_ONCE];
        let (mut begin, mut run) = (address, 0);
        for first in (0..pages).step_by(AT_ONCE) {
            let entries = &mut entries[..AT_ONCE.min(pages - first)];
            if !pagemap.read(address / self.size + first, entries) {
                entries.fill(TOUCHED);
            }
            for (index, entry) in entries.iter().enumerate() {
                let here = address + (first + index) * self.size;
                if entry & TOUCHED == 0 {
                    if run > 0 {
                        visit(begin, run);
                    }
                    run = 0;
                } else {
                    if run == 0 {
                        begin = here;
                    }
                    run += self.size.min(address + size - here);
                }
            }
        }
        if run > 0 {
            visit(begin, run);
        }
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
mod system {
    use core::ffi::c_int;

    /// `/proc/self/pagemap`, which has eight bytes for each page.
    pub struct Fd(c_int);

    pub fn open() -> Option<Fd> {
        // SAFETY: the path ends in a zero.
        let fd =
            unsafe { libc::open(c"/proc/self/pagemap".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        (fd >= 0).then_some(Fd(fd))
    }

    pub fn page_size() -> usize {
        // SAFETY: reads a number.
        usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
    }

    impl Fd {
        /// Reads the entries of pages from this one on. False if the system returned fewer.
        pub fn read(&self, page: usize, entries: &mut [u64]) -> bool {
            let bytes = size_of_val(entries);
            // SAFETY: writes at most so many bytes to a place of that size.
            let got = unsafe {
                libc::pread64(self.0, entries.as_mut_ptr().cast(), bytes, (page * 8) as i64)
            };
            usize::try_from(got) == Ok(bytes)
        }
    }

    impl Drop for Fd {
        fn drop(&mut self) {
            // SAFETY: the descriptor is ours.
            unsafe { libc::close(self.0) };
        }
    }
}

#[cfg(any(not(target_os = "linux"), miri))]
mod system {
    /// There is none.
    pub enum Fd {}

    pub fn open() -> Option<Fd> {
        None
    }

    pub fn page_size() -> usize {
        4096
    }

    impl Fd {
        pub fn read(&self, _page: usize, _entries: &mut [u64]) -> bool {
            match *self {}
        }
    }
}
