//! Trace memory that the global allocator does not hand out: pages that the program maps itself.

use std::io;
use std::ptr::NonNull;

use tracemalloc::{DomainFilter, KeyType, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

/// The domain of mapped pages: a number of our own.
const MAPPED: u32 = 77;

/// Zeroed pages, straight from the system.
struct Pages {
    address: NonNull<libc::c_void>,
    size: usize,
}

impl Pages {
    fn map(size: usize) -> io::Result<Pages> {
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at an address of the system's choice touches no memory that exists.
        let address = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let address = NonNull::new(address).expect("nothing is mapped at null");
        // Whether the program traces or not: where it does not, there is nothing to do.
        let _ = tracemalloc::track(MAPPED, address.addr().get(), size);
        Ok(Pages { address, size })
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let _ = tracemalloc::untrack(MAPPED, self.address.addr().get());
        // SAFETY: the pages were mapped with this size, and nothing uses them any more.
        unsafe { libc::munmap(self.address.as_ptr(), self.size) };
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracemalloc::start(5)?;

    let arena = Pages::map(1 << 20)?;
    let ring = Pages::map(64 << 10)?;
    drop(Pages::map(16 << 20)?);
    let list = vec![1_u64; 100];

    println!("current and peak: {:?}", tracemalloc::get_traced_memory());
    let mapped = tracemalloc::take_snapshot()?.filter_traces(&[&DomainFilter::new(true, MAPPED)]);
    for statistic in mapped.statistics(KeyType::Traceback, false)? {
        println!("{statistic}");
    }
    drop((arena, ring, list));
    Ok(())
}
