//! The time that a thread has waited for a processor, although it could run.
//!
//! Linux calls it the run delay. On other systems it counts as zero.

use core::time::Duration;

/// The run delay of a thread of this process, to be read once.
///
/// The file is opened before the thread runs other code, which may forbid to open files. Its
/// descriptor has a high number, which that code's own files leave alone.
#[derive(Debug)]
pub struct RunDelay {
    #[cfg(target_os = "linux")]
    file: Option<libc::c_int>,
}

impl RunDelay {
    /// Opens the file of the living thread with this number of the system.
    pub fn open(thread: i32) -> Self {
        #[cfg(target_os = "linux")]
        return Self { file: linux::open(thread) };
        #[cfg(not(target_os = "linux"))]
        {
            let _ = thread;
            Self {}
        }
    }

    /// The run delay of the thread since it began; zero if the system does not tell.
    pub fn read(self) -> Duration {
        #[cfg(target_os = "linux")]
        return self.file.map_or(Duration::ZERO, linux::read);
        #[cfg(not(target_os = "linux"))]
        Duration::ZERO
    }
}

#[cfg(target_os = "linux")]
impl Drop for RunDelay {
    fn drop(&mut self) {
        if let Some(file) = self.file {
            // SAFETY: this value has opened the descriptor, and nothing else closes it.
            unsafe { libc::close(file) };
        }
    }
}

/// The run delay of the calling thread since it began.
pub fn of_this_thread() -> Duration {
    #[cfg(target_os = "linux")]
    return RunDelay { file: crate::os::proc_dir::open(c"/proc/thread-self/schedstat") }.read();
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}

#[cfg(target_os = "linux")]
mod linux {
    use core::time::Duration;
    use std::ffi::CString;

    use crate::os::proc_dir;

    pub fn open(thread: i32) -> Option<libc::c_int> {
        let path = CString::new(format!("/proc/self/task/{thread}/schedstat")).ok()?;
        let high = proc_dir::with_high_number(proc_dir::open(&path)?);
        (high >= 0).then_some(high)
    }

    pub fn read(file: libc::c_int) -> Duration {
        let mut text = [0_u8; 96];
        // SAFETY: the kernel writes at most as many bytes as there are.
        let length = unsafe { libc::read(file, text.as_mut_ptr().cast(), text.len()) };
        let text = usize::try_from(length).ok().and_then(|length| text.get(..length));
        Duration::from_nanos(text.and_then(nanoseconds).unwrap_or(0))
    }

    /// The second of three numbers: time on a processor, time waiting for one, times on one.
    pub fn nanoseconds(text: &[u8]) -> Option<u64> {
        core::str::from_utf8(text).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::os::thread_id::thread_id;

    #[test]
    fn the_second_number_is_read() {
        assert_eq!(linux::nanoseconds(b"5000 1234567 8\n"), Some(1_234_567));
        assert_eq!(linux::nanoseconds(b"5000"), None);
        assert_eq!(RunDelay::open(-1).read(), Duration::ZERO);
    }

    #[test]
    fn the_delay_of_a_thread_never_shrinks() {
        let opened = RunDelay::open(thread_id());
        let before = of_this_thread();
        let between = opened.read();
        assert!(before <= between && between <= of_this_thread());
    }
}
