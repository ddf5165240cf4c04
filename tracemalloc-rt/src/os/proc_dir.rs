//! The directory `/proc`, for processes that change their root directory.
//!
//! It is opened before a body runs. The descriptor has a high number, which the body's own files
//! leave alone. A body that closes all descriptors closes it too, so each use checks that it is
//! still a directory of that file system.

use core::ffi::CStr;
use core::sync::atomic::{AtomicI32, Ordering};

/// The descriptor, or -1.
static DIRECTORY: AtomicI32 = AtomicI32::new(-1);

/// The distance of the descriptor from the highest possible one.
const DISTANCE: u64 = 24;

/// Opens the directory, if that has not been done.
pub fn keep() {
    if DIRECTORY.load(Ordering::Relaxed) >= 0 {
        return;
    }
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the path ends in a zero.
    let low = unsafe { libc::open(c"/proc".as_ptr(), flags) };
    if low < 0 {
        return;
    }
    DIRECTORY.store(with_high_number(low), Ordering::Relaxed);
}

/// Gives an open descriptor a high number. -1 if there is none.
pub fn with_high_number(low: libc::c_int) -> libc::c_int {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writes.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    // A table for more descriptors than these would take much memory.
    let lowest = limit.rlim_cur.min(1 << 16).saturating_sub(DISTANCE).max(3);
    // SAFETY: the descriptor is open, and closed once.
    unsafe {
        let high = libc::fcntl(low, libc::F_DUPFD_CLOEXEC, lowest as libc::c_int);
        libc::close(low);
        high
    }
}

/// Opens a file or directory for reading. `path` begins with `/proc/`.
pub fn open(path: &CStr) -> Option<libc::c_int> {
    let open = |directory: libc::c_int, path: &CStr| {
        // SAFETY: the path ends in a zero.
        unsafe { libc::openat(directory, path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) }
    };
    by_any_path(path, open).filter(|descriptor| *descriptor >= 0)
}

/// Reads a link below `/proc/`, and returns the length of its target. A longer one is cut.
pub fn read_link(path: &CStr, target: &mut [u8]) -> Option<usize> {
    let length = by_any_path(path, |directory, path| {
        let (start, size) = (target.as_mut_ptr().cast(), target.len());
        // SAFETY: the path ends in a zero, and the kernel writes at most `size` bytes.
        (unsafe { libc::readlinkat(directory, path.as_ptr(), start, size) }) as libc::c_int
    });
    usize::try_from(length?).ok()
}

/// The number of threads of this process; `None` if the system does not tell.
pub fn threads() -> Option<usize> {
    // SAFETY: zeroes are a valid value of this type.
    let mut state: libc::stat = unsafe { core::mem::zeroed() };
    let found = by_any_path(c"/proc/self/task", |directory, path| {
        // SAFETY: the path ends in a zero, and the kernel writes to `state`.
        unsafe { libc::fstatat(directory, path.as_ptr(), &raw mut state, 0) }
    });
    // Two links are those of any directory.
    if found == Some(0) { (state.st_nlink as usize).checked_sub(2) } else { None }
}

/// Calls `each` with the path, and, if that fails, with the path below the kept directory.
fn by_any_path(
    path: &CStr,
    mut each: impl FnMut(libc::c_int, &CStr) -> libc::c_int,
) -> Option<libc::c_int> {
    let result = each(libc::AT_FDCWD, path);
    if result >= 0 {
        return Some(result);
    }
    let directory = DIRECTORY.load(Ordering::Relaxed);
    let below = path.to_bytes_with_nul().strip_prefix(b"/proc/")?;
    let below = CStr::from_bytes_with_nul(below).ok()?;
    is_proc(directory).then(|| each(directory, below))
}

fn is_proc(descriptor: libc::c_int) -> bool {
    // SAFETY: zeroes are a valid value of this type.
    let mut system: libc::statfs = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel writes to `system`, and returns an error for a number that is not open.
    let found = unsafe { libc::fstatfs(descriptor, &raw mut system) };
    found == 0 && system.f_type as libc::c_long == libc::PROC_SUPER_MAGIC as libc::c_long
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_with_and_without_a_root_directory() {
        keep();
        let open_below = |name: &CStr| {
            by_any_path(name, |directory, path| {
                if directory == libc::AT_FDCWD {
                    return -1;
                }
                // SAFETY: the path ends in a zero.
                unsafe { libc::openat(directory, path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) }
            })
        };
        for descriptor in [open(c"/proc/self/maps"), open_below(c"/proc/self/maps")] {
            let descriptor = descriptor.filter(|descriptor| *descriptor >= 0).expect("it exists");
            // SAFETY: it is open, and nothing else uses it.
            unsafe { libc::close(descriptor) };
        }
        assert_eq!(open(c"/proc/self/nothing"), None);
        let mut target = [0; 4096];
        let length = read_link(c"/proc/self/exe", &mut target).expect("there is an executable");
        let exe = std::env::current_exe().unwrap();
        assert_eq!(exe.as_os_str().as_encoded_bytes(), &target[..length]);
        let listed = std::fs::read_dir("/proc/self/task").unwrap().count();
        assert!(threads().is_some_and(|threads| threads.abs_diff(listed) < 8), "{listed}");
    }
}
