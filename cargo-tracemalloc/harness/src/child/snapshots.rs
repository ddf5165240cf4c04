//! Snapshots of a program while it runs, and at its end.
//!
//! A thread takes the snapshots of a running program. A signal handler cannot, because it may have
//! interrupted any code. It only wakes the thread. SIGHUP, SIGINT and SIGTERM also wake the thread,
//! if they would have ended the program. After a last snapshot they do.
//!
//! The command passes signals on. So a signal to the whole process group arrives twice, and counts
//! once.

use std::cell::UnsafeCell;
use std::error::Error;
use std::ffi::{c_int, c_void};
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracemalloc::internal::heap::{self, Holdings};
use tracemalloc::internal::held_memory::HeldMemory;
use tracemalloc::internal::judge::{PlaceNamer, Prefix};
use tracemalloc::{DomainFilter, Snapshot, internal};

use crate::child::exit_heap::exit_heap;
use crate::child::exit_stack;
use crate::child::live_view::LiveView;
use crate::child::seccomp;
use crate::child::test_binary;
use crate::protocol::live_memory::LIVE_INTERVAL;
use crate::protocol::process_role::fail;
use crate::protocol::program_run::{PROGRAM_FILE, ProgramNote, Run};
use crate::protocol::session::Session;
use crate::protocol::wire::to_bytes;

/// The thread's name.
const THREAD: &str = "tracemalloc";

/// The program's process. A child that it forks has the handlers, but not the thread.
static PROCESS: AtomicI32 = AtomicI32::new(0);
/// The command's process.
static COMMAND: AtomicI32 = AtomicI32::new(0);
/// The signal that ends the program, after it has come.
static ENDING: AtomicI32 = AtomicI32::new(0);
/// Whether the next signal that ends the program does so at once.
static ENDING_AT_ONCE: AtomicBool = AtomicBool::new(false);
/// Whether a signal has requested a snapshot.
static WANTED: AtomicBool = AtomicBool::new(false);
static WAKE: Semaphore = Semaphore(UnsafeCell::new(MaybeUninit::uninit()));

/// Takes snapshots, one at a time.
pub struct Snapshots {
    session: Session,
    run: Run,
    note_path: PathBuf,
    note: Mutex<ProgramNote>,
    /// Names of places in memory, each looked up once.
    namer: Mutex<PlaceNamer>,
    /// The number of filters for system calls before `main`.
    filters: Option<u32>,
}

impl Snapshots {
    /// Starts to trace, and to wait for signals. `None` if the program is untraced.
    pub fn start(session: &Session, run: &Run, session_dir: &Path) -> Option<&'static Self> {
        let snapshots: &'static Self = Box::leak(Box::new(Self {
            session: session.clone(),
            run: run.clone(),
            note_path: session_dir.join(PROGRAM_FILE),
            note: Mutex::new(ProgramNote::default()),
            namer: Mutex::new(PlaceNamer::new(&session.rules())),
            filters: seccomp::filters(),
        }));
        let untraced = !internal::is_this_copy_installed();
        end_with(run.command as i32);
        if !untraced {
            snapshots.watch_from_now_on();
        }
        // The command passes on signals as soon as the note is there.
        if let Err(error) =
            snapshots.write_note(&ProgramNote { untraced, ..ProgramNote::default() })
        {
            fail(&format!("cannot write to {session_dir:?}: {error}"));
        }
        if let Some(announcement) = &run.announcement {
            // A closed stderr is no error.
            let _ = writeln!(std::io::stderr(), "{announcement} {}", std::process::id());
        }
        (!untraced).then_some(snapshots)
    }

    fn watch_from_now_on(&'static self) {
        PROCESS.store(std::process::id() as i32, Ordering::Relaxed);
        COMMAND.store(self.run.command as i32, Ordering::Relaxed);
        WAKE.init();
        self.start_thread();
        let own = self.run.signal;
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
            if Some(signal) != own && ends_the_program(signal) {
                handle(signal, ending);
            }
        }
        if let Err(error) = tracemalloc::start(self.run.nframe) {
            fail(&format!("cannot start tracing: {error}"));
        }
        if let Some(signal) = own {
            handle(signal, wanted);
        }
    }

    /// Takes the snapshot at the end, and searches the heap.
    pub fn take_last(&self) {
        let mut note = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        let holdings = self.search();
        note.ended |= self.take(&self.run.snapshot, &holdings);
        note.executable = test_binary::path().to_string_lossy().into_owned();
        match holdings {
            Ok(holdings) => note.exit_heap = Some(exit_heap(&self.session, &holdings)),
            Err(why) => note.not_searched = Some(why.to_owned()),
        }
        self.keep(&mut note);
    }

    /// Searches the heap for the holders of all blocks.
    fn search(&self) -> Result<Holdings, &'static str> {
        if seccomp::filters() > self.filters {
            return Err("the program filters system calls, and the filter could kill it");
        }
        heap::holdings(exit_stack::of_program(), self.session.limits.counted())
    }

    /// Takes the next snapshot of the running program.
    fn take_next(&self, cause: &str) {
        let mut note = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.unused_path(&format!("{}-{cause}", time_now()));
        if !self.take(&path, &self.search()) {
            return;
        }
        note.snapshots.push(path);
        let keep = self.run.keep.unwrap_or(usize::MAX);
        while note.snapshots.len() > keep {
            // Another process may have moved it.
            let _ = std::fs::remove_file(note.snapshots.remove(0));
        }
        self.keep(&mut note);
    }

    /// A path for this label at which no file is.
    fn unused_path(&self, label: &str) -> String {
        let mut path = self.run.labelled(label);
        let mut number = 2;
        while Path::new(&path).exists() {
            path = self.run.labelled(&format!("{label}-{number}"));
            number += 1;
        }
        path
    }

    /// Writes a snapshot. Prints an error and returns false if that fails. An existing file stays
    /// whole.
    fn take(&self, path: &str, holdings: &Result<Holdings, &'static str>) -> bool {
        // Reports and `snapshot-heap.json` name files in the same way.
        let rename = |file: &str| Prefix::shorten(file, &self.session.path_prefixes);
        let written = internal::take_snapshot_with_names(&rename)
            .map_err(|error| error.to_string())
            .map(|snapshot| self.counted(snapshot))
            .map(|snapshot| snapshot.with_held_memory(Some(self.held_memory(holdings))))
            .and_then(|snapshot| snapshot.dump(path).map_err(|error| with_cause(&error)));
        written.inspect_err(|error| eprintln!("error: tracemalloc: {error}")).is_ok()
    }

    /// The blocks whose language counts.
    fn counted(&self, snapshot: Snapshot) -> Snapshot {
        match self.session.limits.counted().number() {
            Some(domain) => snapshot.filter_traces(&[&DomainFilter::new(true, domain)]),
            None => snapshot,
        }
    }

    fn held_memory(&self, holdings: &Result<Holdings, &'static str>) -> HeldMemory {
        match holdings {
            Ok(holdings) => {
                let mut namer = self.namer.lock().unwrap_or_else(PoisonError::into_inner);
                HeldMemory::of(holdings, &mut namer)
            }
            Err(why) => HeldMemory { rows: Vec::new(), note: Some((*why).to_owned()) },
        }
    }

    fn keep(&self, note: &mut ProgramNote) {
        note.unnamed = internal::names::missing();
        if let Err(error) = self.write_note(note) {
            eprintln!("error: tracemalloc: cannot write {:?}: {error}", self.note_path);
        }
    }

    fn write_note(&self, note: &ProgramNote) -> std::io::Result<()> {
        let temporary = self.note_path.with_extension("tmp");
        std::fs::write(&temporary, to_bytes(note))?;
        std::fs::rename(temporary, &self.note_path)
    }

    /// The thread blocks all signals, so that they still interrupt the program's own threads.
    fn start_thread(&'static self) {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both are valid for writes; `all` is filled before it is read.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        }
        let thread = std::thread::Builder::new().name(THREAD.to_owned()).spawn(|| self.watch());
        // SAFETY: the call above filled `before`.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
        if let Err(error) = thread {
            fail(&format!("cannot start the thread for snapshots: {error}"));
        }
    }

    fn watch(&self) {
        let _pause = internal::pause();
        let every = self.run.every_seconds.map(Duration::from_secs_f64);
        let mut next = every.map(|every| SystemTime::now() + every);
        let session_dir = self.note_path.parent().unwrap_or(Path::new(""));
        let mut live_view = LiveView::new(session_dir, &self.session.rules());
        loop {
            let tick = SystemTime::now() + LIVE_INTERVAL;
            let woken = WAKE.wait(Some(next.map_or(tick, |next| next.min(tick))));
            let signal = ENDING.load(Ordering::Acquire);
            if signal != 0 {
                self.take_last();
                end_by(signal);
            }
            let is_due = next.is_some_and(|next| next <= SystemTime::now());
            if !woken && is_due {
                next = every.map(|every| SystemTime::now() + every);
            }
            if WANTED.swap(false, Ordering::AcqRel) {
                self.take_next("signal");
            } else if !woken && is_due {
                self.take_next("timer");
            } else if !woken {
                live_view.answer(|| self.search());
            }
        }
    }
}

/// Whether a signal has its default disposition, and would end the program.
fn ends_the_program(signal: c_int) -> bool {
    disposition(signal) == Some(libc::SIG_DFL)
}

/// The handler of a signal, or a constant such as `SIG_DFL`. May be called in a handler.
fn disposition(signal: c_int) -> Option<libc::sighandler_t> {
    let mut now = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: `now` is valid for writes, and is read only after the call has filled it.
    unsafe {
        (libc::sigaction(signal, ptr::null(), now.as_mut_ptr()) == 0)
            .then(|| now.assume_init().sa_sigaction)
    }
}

fn handle(signal: c_int, handler: extern "C" fn(c_int, *const libc::siginfo_t, *const c_void)) {
    // SAFETY: zeroes are an empty mask. `SA_SIGINFO` goes with a handler of three arguments. The
    // handlers call only functions that are allowed in a handler.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO;
        libc::sigaction(signal, &raw const action, ptr::null_mut())
    };
    if result != 0 {
        fail(&format!("cannot handle signal {signal}: {}", std::io::Error::last_os_error()));
    }
}

extern "C" fn wanted(signal: c_int, _info: *const libc::siginfo_t, _context: *const c_void) {
    if is_elsewhere(signal) {
        return;
    }
    WANTED.store(true, Ordering::Release);
    WAKE.post();
}

extern "C" fn ending(signal: c_int, info: *const libc::siginfo_t, _context: *const c_void) {
    if is_called_by_a_handler(signal) {
        return;
    }
    if is_elsewhere(signal) {
        return;
    }
    // SAFETY: the kernel passes a valid `info`. The sender stands in it for a signal by `kill`.
    let sender = unsafe { if (*info).si_code == libc::SI_USER { (*info).si_pid() } else { 0 } };
    let from_command = sender == COMMAND.load(Ordering::Relaxed);
    // A second signal does not wait for the snapshot. The command's do not count. It passes on the
    // signals of its whole group, and the kernel sends SIGTERM for each of its threads when it
    // dies.
    if !from_command && ENDING_AT_ONCE.swap(true, Ordering::AcqRel) {
        default_action(signal);
        return;
    }
    if ENDING.compare_exchange(0, signal, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
        WAKE.post();
    }
}

/// Whether the program has a handler in place of [`ending`]. Such a handler may call `ending`, as
/// those of tokio do, and then decides how the program ends.
fn is_called_by_a_handler(signal: c_int) -> bool {
    disposition(signal).is_some_and(|now| now != ending as *const () as libc::sighandler_t)
}

/// Whether this process is a forked child. If so, the signal has its default effect.
fn is_elsewhere(signal: c_int) -> bool {
    // SAFETY: getpid has no preconditions.
    let elsewhere = unsafe { libc::getpid() } != PROCESS.load(Ordering::Relaxed);
    if elsewhere {
        default_action(signal);
    }
    elsewhere
}

/// Raises the signal again with its default disposition. The kernel delivers it when the handler
/// returns.
fn default_action(signal: c_int) {
    // SAFETY: both calls are allowed in a handler.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// Sends SIGTERM to this process when the command dies, so that nothing runs on unseen. A runner
/// between the two has its own ways, so then nothing is done.
fn end_with(command: c_int) {
    // SAFETY: the calls have no preconditions.
    unsafe {
        if libc::getppid() != command {
            return;
        }
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
        // It may have died before that call.
        if libc::getppid() != command {
            libc::raise(libc::SIGTERM);
        }
    }
}

/// The time in UTC: `20260131T093000.250Z`. Names with it sort by time.
fn time_now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs().try_into().unwrap_or(libc::time_t::MAX);
    let mut time = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid, and zeroes are a valid `tm`.
    let time = unsafe {
        libc::gmtime_r(&raw const seconds, time.as_mut_ptr());
        time.assume_init()
    };
    let (year, month) = (time.tm_year + 1900, time.tm_mon + 1);
    let (day, hour, minute, second) = (time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec);
    let millis = since.subsec_millis();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{millis:03}Z")
}

/// Ends the process by a signal, as it would have ended without tracing.
fn end_by(signal: c_int) -> ! {
    // SAFETY: the set is filled before it is read. The signal goes to the whole process, so a
    // thread that does not block it takes it.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        let mut one = MaybeUninit::uninit();
        libc::sigemptyset(one.as_mut_ptr());
        libc::sigaddset(one.as_mut_ptr(), signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, one.as_ptr(), ptr::null_mut());
        libc::kill(libc::getpid(), signal);
    }
    loop {
        std::thread::park();
    }
}

/// A POSIX semaphore. A signal handler may post it, and it needs no file descriptor.
struct Semaphore(UnsafeCell<MaybeUninit<libc::sem_t>>);

// SAFETY: the functions that use it are thread-safe.
unsafe impl Sync for Semaphore {}

impl Semaphore {
    fn init(&self) {
        // SAFETY: no other thread uses it yet.
        unsafe { libc::sem_init(self.0.get().cast(), 0, 0) };
    }

    fn post(&self) {
        // SAFETY: it was initialised before the first handler was installed. `errno` is restored,
        // which the interrupted code may be about to read.
        unsafe {
            let errno = *libc::__errno_location();
            libc::sem_post(self.0.get().cast());
            *libc::__errno_location() = errno;
        }
    }

    /// Waits for a post. Returns false if none has come by `deadline`.
    fn wait(&self, deadline: Option<SystemTime>) -> bool {
        let semaphore = self.0.get().cast();
        loop {
            let result = match deadline {
                // SAFETY: it was initialised before the thread started.
                None => unsafe { libc::sem_wait(semaphore) },
                Some(deadline) => {
                    let since = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
                    let time = libc::timespec {
                        tv_sec: since.as_secs().try_into().unwrap_or(libc::time_t::MAX),
                        tv_nsec: since.subsec_nanos() as _,
                    };
                    // SAFETY: as above; `time` is a valid time.
                    unsafe { libc::sem_timedwait(semaphore, &raw const time) }
                }
            };
            match result {
                0 => return true,
                _ if std::io::Error::last_os_error().raw_os_error() == Some(libc::ETIMEDOUT) => {
                    return false;
                }
                _ => {}
            }
        }
    }
}

/// An error's message with that of its cause.
fn with_cause(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
