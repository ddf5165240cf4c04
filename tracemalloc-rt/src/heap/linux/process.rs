//! System calls without the C library's locks, buffers and handlers, for copies of the process. A
//! thread that is missing in the copy may hold any lock.

use core::ffi::CStr;
use core::time::Duration;

use crate::os::proc_dir;

/// An open file. Closed when dropped.
#[derive(Debug)]
pub struct File(libc::c_int);

impl File {
    /// Opens a file or directory below `/proc/` for reading.
    pub fn open(path: &CStr) -> Option<Self> {
        proc_dir::open(path).map(Self)
    }

    /// Reads the next bytes, and returns their number; 0 at the end of the file; `None` on an
    /// error.
    pub fn read(&self, bytes: &mut [u8]) -> Option<usize> {
        loop {
            // SAFETY: the kernel writes at most `bytes.len()` bytes to `bytes`.
            let read = unsafe { libc::read(self.0, bytes.as_mut_ptr().cast(), bytes.len()) };
            if read >= 0 {
                return Some(read as usize);
            }
            if error() != libc::EINTR {
                return None;
            }
        }
    }

    /// Reads all bytes to the end. Allocates, so it is not for copies of the process.
    pub fn read_to_end(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut next = [0; 4096];
        while let Some(read @ 1..) = self.read(&mut next) {
            bytes.extend_from_slice(&next[..read]);
        }
        bytes
    }

    /// Reads words at an offset of the file, and returns the number of whole words.
    pub fn words_at(&self, words: &mut [usize], place: usize) -> usize {
        let size = size_of_val(words);
        // SAFETY: the kernel writes at most `size` bytes to `words`, and any bytes are words.
        let read = unsafe {
            libc::pread64(self.0, words.as_mut_ptr().cast(), size, place as libc::off64_t)
        };
        usize::try_from(read).unwrap_or(0) / size_of::<usize>()
    }

    /// Calls `each` with every entry of a directory whose name is a number.
    pub fn numbers(&self, mut each: impl FnMut(i32)) {
        // SAFETY: `self` owns the descriptor.
        unsafe { libc::lseek(self.0, 0, libc::SEEK_SET) };
        let mut buffer = [0_u64; 512];
        loop {
            // SAFETY: the kernel writes at most `size_of_val(&buffer)` bytes to the buffer.
            let read = unsafe {
                libc::syscall(
                    libc::SYS_getdents64,
                    self.0,
                    buffer.as_mut_ptr(),
                    size_of_val(&buffer),
                )
            };
            let Ok(read @ 1..) = usize::try_from(read) else { return };
            // SAFETY: the kernel has written `read` bytes, which fit into the buffer.
            let bytes = unsafe { core::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), read) };
            let mut entry = bytes;
            // Inode and offset, 8 bytes each; length of the entry, 2; type, 1; name, which ends
            // with a zero.
            while let [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, low, high, _, name @ ..] =
                entry
            {
                let mut digits = name.iter().take_while(|byte| **byte != 0);
                let number = digits.try_fold(0_i32, |number, byte| match byte {
                    b'0'..=b'9' => number.checked_mul(10)?.checked_add(i32::from(byte - b'0')),
                    _ => None,
                });
                if let Some(number @ 1..) = number {
                    each(number);
                }
                let length = usize::from(u16::from_le_bytes([*low, *high]));
                match entry.get(length..) {
                    Some(rest) if length > 0 => entry = rest,
                    _ => break,
                }
            }
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: `self` owns the descriptor, and is gone afterwards.
        unsafe { libc::close(self.0) };
    }
}

/// A path with numbers, like `/proc/12/task`.
#[derive(Debug)]
pub struct ProcPath([u8; 64], usize);

impl ProcPath {
    /// Begins with a text.
    pub fn new(text: &str) -> Self {
        Self([0; 64], 0).text(text)
    }

    /// Appends a text. A path that is too long is cut, and then names no file.
    pub fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            if self.1 + 1 < self.0.len() {
                self.0[self.1] = byte;
                self.1 += 1;
            }
        }
        self
    }

    /// Appends a number.
    pub fn number(self, number: i32) -> Self {
        let mut digits = [0_u8; 10];
        let mut rest = number.unsigned_abs();
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 || first == 0 {
                break;
            }
        }
        self.text(core::str::from_utf8(&digits[first..]).unwrap_or_default())
    }

    /// The path for a system call.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

/// The calling thread's last error.
pub fn error() -> libc::c_int {
    // SAFETY: the C library returns the address of the calling thread's variable.
    unsafe { *libc::__errno_location() }
}

/// Copies this process, as `fork` does. The copy runs `work` and ends.
///
/// No handler of `pthread_atfork` runs. The program gets no signal when the copy ends, and a `wait`
/// for any child does not return it. All signals are blocked in the copy. It leaves no core, and
/// ends with the calling thread.
pub fn copy_of_process<T>(value: &T, work: extern "C" fn(&T)) -> Option<Copy> {
    // SAFETY: the arguments have the types that the kernel expects; 8 is the size of its signal
    // sets. The copy runs only `work`, which cannot unwind, and then ends.
    unsafe {
        let all = u64::MAX;
        let mut before = 0_u64;
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const all,
            &raw mut before,
            8,
        );
        // No new stack and no exit signal. The order of the other arguments differs by
        // architecture, but all are zero.
        let copy = libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0) as i32;
        if copy == 0 {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
            work(value);
            exit();
        }
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const before, 0, 8);
        (copy > 0).then_some(Copy { process: copy, over: false })
    }
}

/// Ends a copy of this process without `atexit` handlers.
pub fn exit() -> ! {
    loop {
        // SAFETY: ends the process.
        unsafe { libc::syscall(libc::SYS_exit_group, 0) };
    }
}

/// A running copy. Killed when dropped.
#[derive(Debug)]
pub struct Copy {
    /// Its number.
    pub process: i32,
    over: bool,
}

impl Copy {
    /// Waits until it has ended. False if that takes longer than `patience`.
    pub fn wait(&mut self, patience: Duration) -> bool {
        let started = now();
        let mut pause = Duration::from_micros(20);
        while !self.has_ended() {
            if now().saturating_sub(started) > patience {
                return false;
            }
            sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(1));
        }
        true
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        if !self.over {
            // SAFETY: the call only returns the state of a child process.
            let ended = unsafe {
                libc::waitpid(self.process, core::ptr::null_mut(), libc::WNOHANG | libc::__WALL)
            };
            // The program may have waited for it.
            self.over = ended == self.process || ended < 0 && error() == libc::ECHILD;
        }
        self.over
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.has_ended() {
            // SAFETY: it is an unwaited child, so the number still names it.
            unsafe { libc::kill(self.process, libc::SIGKILL) };
            // A copy that does not die stays, at last as a zombie.
            self.wait(Duration::from_secs(1));
        }
    }
}

/// The time since some fixed point.
pub fn now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes a time to `time`.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A point in time.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Duration);

impl Deadline {
    /// So long from now.
    pub fn after(patience: Duration) -> Self {
        Self(now().saturating_add(patience))
    }

    /// The time until then.
    pub fn left(self) -> Duration {
        self.0.saturating_sub(now())
    }

    /// Whether it has passed.
    pub fn is_over(self) -> bool {
        now() > self.0
    }
}

/// Sleeps.
pub fn sleep(duration: Duration) {
    let time =
        libc::timespec { tv_sec: duration.as_secs() as _, tv_nsec: duration.subsec_nanos().into() };
    // SAFETY: `time` is a valid time, and no remaining time is written. A short sleep does no harm.
    unsafe { libc::nanosleep(&raw const time, core::ptr::null_mut()) };
}
