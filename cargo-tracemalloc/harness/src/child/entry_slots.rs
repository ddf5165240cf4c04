//! Maps the file for an entry into memory, and writes entries into it without a system call.

#[cfg(unix)]
pub use mapped::EntrySlots;
#[cfg(not(unix))]
pub use unmapped::EntrySlots;

#[cfg(unix)]
mod mapped {
    use std::fs::OpenOptions;
    use std::os::fd::AsRawFd as _;
    use std::path::Path;
    use std::ptr::{self, NonNull};
    use std::sync::atomic::{AtomicU64, Ordering};

    use crate::protocol::entry_slots::{
        FILE_SIZE, HEADER_SIZE, SLOT_SIZE, SLOTS, STAGE_PLACE, Slot, Stage, path,
    };

    const _: () = assert!(STAGE_PLACE % 8 == 0 && STAGE_PLACE >= SLOTS * 8);

    /// The mapped file. It stays mapped as long as the process lives.
    #[derive(Debug)]
    pub struct EntrySlots {
        memory: NonNull<u8>,
    }

    // SAFETY: only `write` writes the memory, and one thread at a time calls it: the thread of the
    // harness, or the panic hook that ends the process.
    unsafe impl Send for EntrySlots {}
    // SAFETY: as above.
    unsafe impl Sync for EntrySlots {}

    impl EntrySlots {
        /// Creates the slots beside the file of an entry. `None` if the system has no room; then
        /// entries are written to that file.
        pub fn open(entry: &Path) -> Option<&'static Self> {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(true).open(path(entry));
            let file = file.ok()?;
            let size = FILE_SIZE.try_into().ok()?;
            // A store into a hole of a full file system would end the process, so there are none.
            // SAFETY: the descriptor is open.
            let has_room = unsafe { allocate(file.as_raw_fd(), size) } == 0;
            if !has_room {
                return None;
            }
            // SAFETY: a new mapping of an open file; the kernel chooses the address.
            let memory = unsafe {
                libc::mmap(
                    ptr::null_mut(),
                    FILE_SIZE,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED,
                    file.as_raw_fd(),
                    0,
                )
            };
            if memory == libc::MAP_FAILED {
                return None;
            }
            let memory = NonNull::new(memory.cast())?;
            Some(Box::leak(Box::new(Self { memory })))
        }

        /// Writes an entry. Returns false if it does not fit.
        pub fn write(&self, slot: Slot, content: &[u8]) -> bool {
            if content.len() > SLOT_SIZE {
                return false;
            }
            let slot = slot as usize;
            // SAFETY: both places are inside the mapping, which is `FILE_SIZE` bytes long and
            // aligned to a page, and no other thread writes. Nothing in this process reads it.
            unsafe {
                let target = self.memory.add(HEADER_SIZE + slot * SLOT_SIZE);
                ptr::copy_nonoverlapping(content.as_ptr(), target.as_ptr(), content.len());
                let length = self.memory.cast::<AtomicU64>().add(slot);
                length.as_ref().store((content.len() as u64).to_le(), Ordering::Release);
            }
            true
        }

        /// Notes the stage that this process has reached.
        pub fn note(&self, stage: Stage) {
            // SAFETY: the place is inside the mapping, and aligned. The front reads it through the
            // file.
            let place = unsafe { self.memory.add(STAGE_PLACE).cast::<AtomicU64>().as_ref() };
            place.store(stage.word().to_le(), Ordering::Relaxed);
        }
    }

    /// Gives a file its size, with room on the disk. Returns 0 on success.
    #[cfg(not(target_vendor = "apple"))]
    unsafe fn allocate(descriptor: libc::c_int, size: libc::off_t) -> libc::c_int {
        // SAFETY: the caller upholds the contract.
        unsafe { libc::posix_fallocate(descriptor, 0, size) }
    }

    /// Reports that there is no room: this system has no such call.
    #[cfg(target_vendor = "apple")]
    unsafe fn allocate(_descriptor: libc::c_int, _size: libc::off_t) -> libc::c_int {
        -1
    }
}

#[cfg(not(unix))]
mod unmapped {
    use std::path::Path;

    use crate::protocol::entry_slots::{Slot, Stage};

    /// Slots that do not exist. Entries are written to their files.
    #[derive(Debug)]
    pub enum EntrySlots {}

    impl EntrySlots {
        /// Returns `None`.
        pub fn open(_entry: &Path) -> Option<&'static Self> {
            None
        }

        /// Cannot be called, because there is no value of this type.
        pub fn write(&self, _slot: Slot, _content: &[u8]) -> bool {
            match *self {}
        }

        /// Cannot be called, because there is no value of this type.
        pub fn note(&self, _stage: Stage) {
            match *self {}
        }
    }
}
