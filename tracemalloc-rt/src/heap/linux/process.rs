//! System calls, without the C library's locks, buffers and handlers: what runs here may be a copy
//! of a process whose other threads hold any lock.

use core::ffi::CStr;
use core::time::Duration;

/// A file that is read. Closed when dropped.
#[derive(Debug)]
pub struct File(libc::c_int);

impl File {
    /// Opens a file or directory for reading.
    pub fn open(path: &CStr) -> Option<Self> {
        // SAFETY: the path ends with a zero.
        let descriptor = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        (descriptor >= 0).then_some(Self(descriptor))
    }

    /// Reads on, into `bytes`. How much was read; 0 at the end; `None` on an error.
    pub fn read(&self, bytes: &mut [u8]) -> Option<usize> {
        loop {
            // SAFETY: `bytes` may be written as far as it is long.
            let read = unsafe { libc::read(self.0, bytes.as_mut_ptr().cast(), bytes.len()) };
            if read >= 0 {
                return Some(read as usize);
            }
            if error() != libc::EINTR {
                return None;
            }
        }
    }

    /// Reads words from a place in the file: how many whole ones there were.
    pub fn words_at(&self, words: &mut [usize], place: usize) -> usize {
        let size = size_of_val(words);
        // SAFETY: `words` may be written as far as it is long, and any bytes are words.
        let read = unsafe {
            libc::pread64(self.0, words.as_mut_ptr().cast(), size, place as libc::off64_t)
        };
        usize::try_from(read).unwrap_or(0) / size_of::<usize>()
    }

    /// Calls `each` with the numbers that name entries of a directory.
    pub fn numbers(&self, mut each: impl FnMut(i32)) {
        // SAFETY: the descriptor is ours.
        unsafe { libc::lseek(self.0, 0, libc::SEEK_SET) };
        let mut buffer = [0_u64; 512];
        loop {
            // SAFETY: the buffer may be written as far as it is long.
            let read = unsafe {
                libc::syscall(
                    libc::SYS_getdents64,
                    self.0,
                    buffer.as_mut_ptr(),
                    size_of_val(&buffer),
                )
            };
            let Ok(read @ 1..) = usize::try_from(read) else { return };
            // SAFETY: so many bytes were written, and are no more than there are.
            let bytes = unsafe { core::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), read) };
            let mut entry = bytes;
            // Inode and offset, 8 bytes each; the entry's length, 2; its type, 1; its name, which
            // ends with a zero.
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
        // SAFETY: the descriptor is ours and not used again.
        unsafe { libc::close(self.0) };
    }
}

/// A path with a number in it, like `/proc/12/task`.
#[derive(Debug)]
pub struct ProcPath([u8; 64], usize);

impl ProcPath {
    /// The beginning.
    pub fn new(text: &str) -> Self {
        Self([0; 64], 0).text(text)
    }

    /// Goes on with a text. What is too long is cut, and then leads nowhere.
    pub fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            if self.1 + 1 < self.0.len() {
                self.0[self.1] = byte;
                self.1 += 1;
            }
        }
        self
    }

    /// Goes on with a number.
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

    /// For a system call.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

/// The calling thread's last error.
pub fn error() -> libc::c_int {
    // SAFETY: the C library always has a place for it.
    unsafe { *libc::__errno_location() }
}

/// A copy of this process, as `fork` makes it, that runs `work` and ends.
///
/// No handler of `pthread_atfork` runs, no signal tells the program of its end, and `wait` for any
/// child does not see it. The copy gets no signal but those that cannot be blocked, leaves no core,
/// and does not outlive the calling thread.
pub fn copy_of_process<T>(value: &T, work: extern "C" fn(&T)) -> Option<Copy> {
    // SAFETY: the arguments are what the kernel expects, 8 bytes being the size of its signal sets.
    // The copy runs `work` alone, which cannot unwind, and ends in it.
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
        // No stack of its own and no exit signal; the order of the other arguments differs by
        // architecture, the zeroes do not.
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

/// Ends a copy of this process, and nothing else: no handler of `atexit` runs.
pub fn exit() -> ! {
    loop {
        // SAFETY: ends the process.
        unsafe { libc::syscall(libc::SYS_exit_group, 0) };
    }
}

/// A running copy. Ended when dropped.
#[derive(Debug)]
pub struct Copy {
    /// Its number.
    pub process: i32,
    over: bool,
}

impl Copy {
    /// Waits until it has ended. False where that took longer than `patience`.
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
            // SAFETY: asks about a child of this process.
            let ended = unsafe {
                libc::waitpid(self.process, core::ptr::null_mut(), libc::WNOHANG | libc::__WALL)
            };
            // Somebody else may have waited for it.
            self.over = ended == self.process || ended < 0 && error() == libc::ECHILD;
        }
        self.over
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.has_ended() {
            // SAFETY: it is a child that nobody has waited for, so its number is still its own.
            unsafe { libc::kill(self.process, libc::SIGKILL) };
            // A copy that cannot even be killed stays, as a zombie at last.
            self.wait(Duration::from_secs(1));
        }
    }
}

/// Time since some fixed point.
pub fn now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a place to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Does nothing for a while.
pub fn sleep(duration: Duration) {
    let time =
        libc::timespec { tv_sec: duration.as_secs() as _, tv_nsec: duration.subsec_nanos().into() };
    // SAFETY: `time` is a valid time, and nothing is to be written. Too short a sleep does no harm.
    unsafe { libc::nanosleep(&raw const time, core::ptr::null_mut()) };
}
