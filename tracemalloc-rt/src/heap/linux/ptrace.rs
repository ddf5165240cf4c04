//! Stops the other threads of this process for a moment, and reads their registers.
//!
//! A copy of the process traces the threads, as a debugger does. That also stops threads that block
//! every signal. When the copy ends, the kernel lets them run on. Where tracing is forbidden, or a
//! debugger is tracing already, the registers stay unknown.
//!
//! The kernel restarts most system calls that the stop interrupts. Some return `EINTR` instead:
//! `epoll_wait`, `semop`, `sigtimedwait`, and calls on sockets with a timeout. On x86-64 they are
//! restarted too ([`restart`]); their timeouts then begin anew. On AArch64 the kernel does not show
//! the first argument of the call, so there they return `EINTR`.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use crate::heap::linux::process::{self, Copy, File, ProcPath};
use crate::heap::linux::stage::Stage;
use crate::os::thread_id::thread_id;

/// The most threads that are stopped.
pub const MOST_THREADS: usize = 4096;
/// Words of general registers: 27 on x86-64, 34 on AArch64.
const GENERAL: usize = 34;
/// Words of vector registers: 64 on x86-64, 66 on AArch64.
const VECTOR: usize = 66;
/// The longest that all threads together may take to stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// A stopped thread.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Thread {
    /// Its number.
    pub id: i32,
    /// The signal that it was about to get, or 0.
    signal: i32,
    general: [usize; GENERAL],
    vector: [usize; VECTOR],
    thread_pointer: usize,
}

/// The memory in which the tracing copy and the process exchange stages and threads.
#[repr(C)]
pub struct Board {
    stage: Stage,
    count: AtomicU32,
    process: i32,
    caller: i32,
    /// The copy writes here before the stage [`STOPPED`], never afterwards. The process reads here
    /// only after that stage.
    threads: UnsafeCell<[Thread; MOST_THREADS]>,
}

// Another process writes the board's threads, so they have to be in a cell. A board without one
// would be `Sync`. Then both implementations below would apply, and this would not compile.
const _: fn() = || {
    trait NotSync<Proof> {
        fn proof() {}
    }
    impl<T> NotSync<()> for T {}
    impl<T: Sync> NotSync<u8> for T {}
    let _ = <Board as NotSync<_>>::proof;
};

/// Stages of [`Board::stage`], after 0.
const NOT_PERMITTED: u32 = 1;
const PERMITTED: u32 = 2;
const STOPPED: u32 = 3;
const FAILED: u32 = 4;
const RELEASE: u32 = 5;

/// The stopped threads: all but the calling one. They run on when this is dropped.
#[derive(Debug)]
pub struct Stopped<'a> {
    board: &'a Board,
    copy: Copy,
}

impl Thread {
    /// Its stack pointer.
    pub fn stack_pointer(&self) -> usize {
        self.general[if cfg!(target_arch = "x86_64") { 19 } else { 31 }]
    }

    /// The address of its next instruction.
    pub fn instruction(&self) -> usize {
        self.general[if cfg!(target_arch = "x86_64") { 16 } else { 32 }]
    }

    /// The number of the system call that it is in.
    pub fn system_call(&self) -> Option<libc::c_long> {
        if cfg!(target_arch = "x86_64") {
            libc::c_long::try_from(self.general[15] as isize).ok().filter(|call| *call >= 0)
        } else {
            // Both instructions are in one mapping, unless the next one begins a page.
            const SVC: u32 = 0xD400_0001;
            let at = self.instruction().checked_sub(4)?;
            // SAFETY: this runs in a copy of the process, which has the code of its threads.
            let before = unsafe { core::ptr::with_exposed_provenance::<u32>(at).read_volatile() };
            (before == SVC).then_some(self.general[8] as libc::c_long)
        }
    }

    /// The address of its thread-local storage.
    pub fn thread_pointer(&self) -> usize {
        if cfg!(target_arch = "x86_64") { self.general[21] } else { self.thread_pointer }
    }

    /// The words of all registers.
    pub fn registers(&self) -> impl Iterator<Item = usize> {
        self.general.iter().chain(&self.vector).copied()
    }
}

impl core::fmt::Debug for Board {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Board").field("stage", &self.stage).finish_non_exhaustive()
    }
}

/// Stops every thread but the calling one. `None` if that is impossible: then none is stopped.
///
/// `board` is zeroed, and lies in memory that copies of this process share.
pub fn stop_others(board: &mut Board) -> Option<Stopped<'_>> {
    // SAFETY: takes nothing and always succeeds.
    board.process = unsafe { libc::getpid() };
    board.caller = thread_id();
    let board = &*board;
    let mut copy = process::copy_of_process(board, trace)?;
    let started = process::now();
    loop {
        match board.stage.get() {
            STOPPED => return Some(Stopped { board, copy }),
            NOT_PERMITTED => {
                // By default, some systems only let ancestors trace a process.
                // SAFETY: passes the number of a process; nothing is read or written.
                unsafe { libc::prctl(libc::PR_SET_PTRACER, copy.process) };
                board.stage.set(PERMITTED);
            }
            FAILED => return None,
            stage => {
                if copy.has_ended() || process::now().saturating_sub(started) > PATIENCE * 2 {
                    return None;
                }
                board.stage.wait_for_change(stage);
            }
        }
    }
}

impl Stopped<'_> {
    /// The stopped threads.
    pub fn threads(&self) -> &[Thread] {
        // SAFETY: a `Stopped` exists only after the stage `STOPPED`. The copy's writes happened
        // before it set that stage, and it has not written since. The process never writes.
        let threads = unsafe { &*self.board.threads.get() };
        &threads[..self.board.count.load(Ordering::Acquire) as usize]
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.board.stage.set(RELEASE);
        // A copy that does not end by itself is killed, and the kernel lets the threads go.
        self.copy.wait(PATIENCE);
    }
}

/// The work of the tracing copy.
extern "C" fn trace(board: &Board) {
    let mut count = 0;
    // SAFETY: this copy is alone in writing to the threads, and has one thread. The process reads
    // them only after the stage `STOPPED`, and this exclusive borrow ends before that is stored.
    let stopped = stop_all(board, unsafe { &mut *board.threads.get() }, &mut count);
    board.count.store(count as u32, Ordering::Release);
    board.stage.set(if stopped { STOPPED } else { FAILED });
    let started = process::now();
    while stopped && board.stage.get() != RELEASE {
        if process::now().saturating_sub(started) > PATIENCE * 4 {
            break;
        }
        board.stage.wait_for_change(STOPPED);
    }
    // SAFETY: from here on both sides only read.
    let threads = unsafe { &*board.threads.get() };
    for thread in &threads[..count] {
        restart(thread);
        // The thread gets the signal that it was about to get.
        ptrace(libc::PTRACE_DETACH, thread.id, 0, thread.signal as usize);
    }
}

/// Makes the kernel restart the system call that the stop has interrupted, if it is one that
/// returns `EINTR`.
///
/// The thread gets the kernel's own code for "restart, unless a handler of a signal runs". So a
/// signal that arrives now still ends the call with `EINTR`, as the program expects.
#[cfg(target_arch = "x86_64")]
fn restart(thread: &Thread) {
    const RESULT: usize = 10;
    const INTERRUPTED: isize = -(libc::EINTR as isize);
    const RESTART_WITHOUT_HANDLER: isize = -514;
    // The first three have closed a file already. The last one resumes another call.
    const NEVER: [libc::c_long; 4] =
        [libc::SYS_close, libc::SYS_dup2, libc::SYS_dup3, libc::SYS_restart_syscall];
    let is_interrupted = thread.general[RESULT] as isize == INTERRUPTED
        && thread.system_call().is_some_and(|call| !NEVER.contains(&call));
    if is_interrupted {
        ptrace(
            libc::PTRACE_POKEUSER,
            thread.id,
            RESULT * size_of::<usize>(),
            RESTART_WITHOUT_HANDLER as usize,
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn restart(_: &Thread) {}

/// Stops all threads. A running thread may start another one, so this repeats until no thread is
/// new.
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
        // Threads that ended meanwhile stay in the list, so that they are not new.
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

/// The result of an attempt to trace a thread.
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
        if error != libc::EPERM || board.stage.get() == PERMITTED {
            return Seized::No;
        }
        board.stage.set(NOT_PERMITTED);
        let started = process::now();
        while board.stage.get() == NOT_PERMITTED {
            if process::now().saturating_sub(started) > PATIENCE {
                return Seized::No;
            }
            board.stage.wait_for_change(NOT_PERMITTED);
        }
    }
    Seized::No
}

/// Whether a thread has ended. The kernel may still list it.
fn has_ended(process: i32, id: i32) -> bool {
    let path = ProcPath::new("/proc/").number(process).text("/task/").number(id).text("/stat");
    let Some(file) = File::open(path.as_c_str()) else { return true };
    let mut line = [0_u8; 512];
    let Some(read) = file.read(&mut line) else { return true };
    // `12 (name) S ...`: the name may contain any bytes.
    let after_name = line[..read].iter().rposition(|byte| *byte == b')');
    after_name
        .and_then(|end| line.get(end + 2))
        .is_none_or(|state| matches!(state, b'Z' | b'X' | b'x'))
}

/// Waits until the thread has stopped. False if it does not. A thread that ends gets the number 0.
fn wait_for_stop(thread: &mut Thread, deadline: Duration) -> bool {
    let mut pause = Duration::from_micros(10);
    loop {
        let mut status = 0;
        // SAFETY: the kernel writes a number to `status`.
        let changed =
            unsafe { libc::waitpid(thread.id, &raw mut status, libc::__WALL | libc::WNOHANG) };
        if changed < 0 && process::error() != libc::EINTR
            || changed > 0 && !libc::WIFSTOPPED(status)
        {
            thread.id = 0;
            return true;
        }
        if changed > 0 {
            // Without an event in the upper half, the thread is about to get a signal.
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

/// The system call itself: the C libraries disagree on the type of the request.
fn ptrace(
    request: impl Into<libc::c_long>,
    thread: i32,
    address: usize,
    data: usize,
) -> libc::c_long {
    let request: libc::c_long = request.into();
    // SAFETY: requests of this module write at most to two places: the memory that an `iovec` here
    // names, and the register in which a stopped thread gets the result of its system call.
    unsafe { libc::syscall(libc::SYS_ptrace, request, libc::c_long::from(thread), address, data) }
}
