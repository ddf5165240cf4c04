//! Stops the other threads of this process for a moment, and learns what is in their registers.
//!
//! A copy of the process traces them, as a debugger would: that stops threads that block every
//! signal, interrupts no system call for which the program would have to be prepared (but
//! `epoll_wait` and its like, which may end with `EINTR` at any time), and when the copy dies they
//! all run on. Where tracing is forbidden, or somebody else is tracing already, the threads cannot
//! be asked, and whoever wanted to know has to do without.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use crate::heap::linux::process::{self, Copy, File, ProcPath};
use crate::os::thread_id::thread_id;

/// More threads than this are not asked.
pub const MOST_THREADS: usize = 4096;
/// Words of general registers: 27 on x86-64, 34 on AArch64.
const GENERAL: usize = 34;
/// Words of vector registers: 64 on x86-64, 66 on AArch64.
const VECTOR: usize = 66;
/// How long threads may take to stop, together.
const PATIENCE: Duration = Duration::from_secs(2);

/// A thread that was stopped.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Thread {
    /// Its number.
    pub id: i32,
    signal: i32,
    general: [usize; GENERAL],
    vector: [usize; VECTOR],
    thread_pointer: usize,
}

/// What the copy and the process tell each other, in memory that they share.
#[repr(C)]
pub struct Board {
    step: AtomicU32,
    count: AtomicU32,
    process: i32,
    caller: i32,
    threads: [Thread; MOST_THREADS],
}

/// Steps of [`Board::step`], after 0.
const NOT_PERMITTED: u32 = 1;
const PERMITTED: u32 = 2;
const STOPPED: u32 = 3;
const FAILED: u32 = 4;
const RELEASE: u32 = 5;

/// All threads but the calling one stand still while this lives.
#[derive(Debug)]
pub struct Stopped<'a> {
    board: &'a Board,
    copy: Copy,
}

impl Thread {
    /// Where its stack begins.
    pub fn stack_pointer(&self) -> usize {
        self.general[if cfg!(target_arch = "x86_64") { 19 } else { 31 }]
    }

    /// What it is just executing.
    pub fn instruction(&self) -> usize {
        self.general[if cfg!(target_arch = "x86_64") { 16 } else { 32 }]
    }

    /// The system call that it is in.
    pub fn system_call(&self) -> Option<libc::c_long> {
        if cfg!(target_arch = "x86_64") {
            libc::c_long::try_from(self.general[15] as isize).ok().filter(|call| *call >= 0)
        } else {
            // The instruction before the next one, which is mapped as that one is, unless it begins
            // a page.
            const SVC: u32 = 0xD400_0001;
            let at = self.instruction().checked_sub(4)?;
            // SAFETY: this runs in a copy of the process, which has the code that its threads
            // execute.
            let before = unsafe { core::ptr::with_exposed_provenance::<u32>(at).read_volatile() };
            (before == SVC).then_some(self.general[8] as libc::c_long)
        }
    }

    /// The address that its thread-local storage lies at.
    pub fn thread_pointer(&self) -> usize {
        if cfg!(target_arch = "x86_64") { self.general[21] } else { self.thread_pointer }
    }

    /// All registers, as words.
    pub fn registers(&self) -> impl Iterator<Item = usize> {
        self.general.iter().chain(&self.vector).copied()
    }
}

impl core::fmt::Debug for Board {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Board").field("step", &self.step).finish_non_exhaustive()
    }
}

/// Stops every thread but the calling one. `None` where that cannot be done; then none is stopped.
///
/// `board` is in memory that a copy of this process shares, and zeroed.
pub fn others(board: &mut Board) -> Option<Stopped<'_>> {
    // SAFETY: takes nothing and always succeeds.
    board.process = unsafe { libc::getpid() };
    board.caller = thread_id();
    let board = &*board;
    let mut copy = process::copy_of_process(board, trace)?;
    let started = process::now();
    loop {
        match board.step.load(Ordering::Acquire) {
            STOPPED => return Some(Stopped { board, copy }),
            NOT_PERMITTED => {
                // Some systems let a process be traced by its ancestors only, unless it says
                // otherwise. SAFETY: names a process; nothing is read or written.
                unsafe { libc::prctl(libc::PR_SET_PTRACER, copy.process) };
                tell(&board.step, PERMITTED);
            }
            FAILED => return None,
            step => {
                if copy.has_ended() || process::now().saturating_sub(started) > PATIENCE * 2 {
                    return None;
                }
                wait_for_change(&board.step, step);
            }
        }
    }
}

impl Stopped<'_> {
    /// The threads that stand still.
    pub fn threads(&self) -> &[Thread] {
        &self.board.threads[..self.board.count.load(Ordering::Acquire) as usize]
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        tell(&self.board.step, RELEASE);
        // If it does not let go by itself, it is killed, and the kernel does.
        self.copy.wait(PATIENCE);
    }
}

/// What the copy does.
extern "C" fn trace(board: &Board) {
    // SAFETY: while it is being filled, nobody else looks at the list. The memory is shared, so
    // this process may write it.
    let threads = unsafe { &mut *(&raw const board.threads).cast_mut() };
    let mut count = 0;
    let stopped = stop_all(board, threads, &mut count);
    board.count.store(count as u32, Ordering::Release);
    tell(&board.step, if stopped { STOPPED } else { FAILED });
    let started = process::now();
    while stopped && board.step.load(Ordering::Acquire) != RELEASE {
        if process::now().saturating_sub(started) > PATIENCE * 4 {
            break;
        }
        wait_for_change(&board.step, STOPPED);
    }
    for thread in &threads[..count] {
        // A signal that the thread was just to get is handed on.
        ptrace(libc::PTRACE_DETACH, thread.id, 0, thread.signal as usize);
    }
}

/// A thread that runs may start another one, so this looks again until all that there are have been
/// stopped.
fn stop_all(board: &Board, threads: &mut [Thread; MOST_THREADS], count: &mut usize) -> bool {
    let path = ProcPath::new("/proc/").number(board.process).text("/task");
    let Some(directory) = File::open(path.as_c_str()) else { return false };
    let deadline = process::now() + PATIENCE;
    loop {
        let known = *count;
        let mut possible = true;
        directory.numbers(|id| {
            let is_known = threads[..*count].iter().any(|thread| thread.id == id);
            if !possible || is_known || id == board.caller {
                return;
            }
            match seize(board, id) {
                Seized::Yes if *count < MOST_THREADS => {
                    threads[*count] = Thread {
                        id,
                        signal: 0,
                        general: [0; GENERAL],
                        vector: [0; VECTOR],
                        thread_pointer: 0,
                    };
                    *count += 1;
                }
                Seized::Ended => {}
                Seized::Yes | Seized::No => possible = false,
            }
        });
        for thread in &mut threads[known..*count] {
            possible = possible && wait_for_stop(thread, deadline);
        }
        if !possible {
            return false;
        }
        // Those that have ended while they were waited for are of no interest, but are known.
        if *count == known {
            break;
        }
    }
    let mut living = 0;
    for index in 0..*count {
        if threads[index].id > 0 {
            threads[living] = threads[index];
            living += 1;
        }
    }
    *count = living;
    threads[..living].iter_mut().all(take_registers)
}

enum Seized {
    Yes,
    Ended,
    No,
}

fn seize(board: &Board, id: i32) -> Seized {
    for _ in 0..2 {
        if ptrace(libc::PTRACE_SEIZE, id, 0, 0) == 0 {
            return if ptrace(libc::PTRACE_INTERRUPT, id, 0, 0) == 0 {
                Seized::Yes
            } else {
                Seized::Ended
            };
        }
        let error = process::error();
        if error == libc::ESRCH || has_ended(board.process, id) {
            return Seized::Ended;
        }
        if error != libc::EPERM || board.step.load(Ordering::Acquire) == PERMITTED {
            return Seized::No;
        }
        tell(&board.step, NOT_PERMITTED);
        let asked = process::now();
        while board.step.load(Ordering::Acquire) == NOT_PERMITTED {
            if process::now().saturating_sub(asked) > PATIENCE {
                return Seized::No;
            }
            wait_for_change(&board.step, NOT_PERMITTED);
        }
    }
    Seized::No
}

/// Whether a thread is only waiting to be forgotten by the kernel.
fn has_ended(process: i32, id: i32) -> bool {
    let path = ProcPath::new("/proc/").number(process).text("/task/").number(id).text("/stat");
    let Some(file) = File::open(path.as_c_str()) else { return true };
    let mut line = [0_u8; 512];
    let Some(read) = file.read(&mut line) else { return true };
    // `12 (name) S ...`, where the name may hold anything.
    let after_name = line[..read].iter().rposition(|byte| *byte == b')');
    after_name
        .and_then(|end| line.get(end + 2))
        .is_none_or(|state| matches!(state, b'Z' | b'X' | b'x'))
}

/// False where the thread does not stop; one that ends instead is marked.
fn wait_for_stop(thread: &mut Thread, deadline: Duration) -> bool {
    let mut pause = Duration::from_micros(10);
    loop {
        let mut status = 0;
        // SAFETY: `status` is a place to write to.
        let changed =
            unsafe { libc::waitpid(thread.id, &raw mut status, libc::__WALL | libc::WNOHANG) };
        if changed < 0 && process::error() != libc::EINTR
            || changed > 0 && !libc::WIFSTOPPED(status)
        {
            thread.id = 0;
            return true;
        }
        if changed > 0 {
            // With no event in the upper half, it is about to get a signal.
            thread.signal = if status >> 16 == 0 { libc::WSTOPSIG(status) } else { 0 };
            return true;
        }
        if process::now() > deadline {
            return false;
        }
        process::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(1));
    }
}

fn take_registers(thread: &mut Thread) -> bool {
    const PRSTATUS: usize = 1;
    const PRFPREG: usize = 2;
    const ARM_TLS: usize = 0x401;
    let get = |kind: usize, words: &mut [usize]| {
        let mut place =
            libc::iovec { iov_base: words.as_mut_ptr().cast(), iov_len: size_of_val(words) };
        ptrace(libc::PTRACE_GETREGSET, thread.id, kind, (&raw mut place).addr()) == 0
    };
    let mut pointer = [0];
    let got = get(PRSTATUS, &mut thread.general)
        && get(PRFPREG, &mut thread.vector)
        && (!cfg!(target_arch = "aarch64") || get(ARM_TLS, &mut pointer));
    thread.thread_pointer = pointer[0];
    got
}

/// C libraries do not agree on the type of the request.
fn ptrace(
    request: impl Into<libc::c_long>,
    thread: i32,
    address: usize,
    data: usize,
) -> libc::c_long {
    let request: libc::c_long = request.into();
    // SAFETY: the requests of this module write at most to the place that an iovec of ours names.
    unsafe { libc::syscall(libc::SYS_ptrace, request, libc::c_long::from(thread), address, data) }
}

fn tell(step: &AtomicU32, value: u32) {
    step.store(value, Ordering::Release);
    // SAFETY: wakes whoever waits at this address.
    unsafe { libc::syscall(libc::SYS_futex, step.as_ptr(), libc::FUTEX_WAKE, i32::MAX, 0, 0, 0) };
}

/// Waits until the value is another one, or for a few milliseconds.
fn wait_for_change(step: &AtomicU32, value: u32) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };
    // SAFETY: the kernel reads the value and the time.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            step.as_ptr(),
            libc::FUTEX_WAIT,
            value,
            &raw const time,
            0,
            0,
        )
    };
}
