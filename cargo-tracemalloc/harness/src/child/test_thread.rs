//! A thread that runs a test's body, on request.
//!
//! The first run has a thread of its own, as under libtest, and is judged when that has ended. All
//! later runs share one. Programs key statics by thread: a new thread for each run would make such
//! a static grow with each run.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tracemalloc::internal::{self, run_delay::RunDelay};

use crate::child::alarm::Alarm;
use crate::child::run_clock::RunClock;
use crate::child::test::Test;

/// The place where the body runs.
pub enum BodyThread {
    Own(TestThread),
    /// The thread of the harness, after a body has made further threads impossible.
    Harness(Test),
}

/// A thread that waits for orders to run the body. It is a known holder by the name of this type.
pub struct TestThread {
    /// The system's number of the thread.
    id: i32,
    /// The time that earlier runs have waited for a processor.
    delay: Cell<Duration>,
    orders: SyncSender<()>,
    results: Receiver<Result<(), String>>,
    thread: JoinHandle<()>,
}

/// The end of one run.
pub enum Ran {
    Passed,
    Failed(String),
    Late,
}

impl BodyThread {
    /// Starts the thread. If that fails, or may end the process, the body runs on the calling
    /// thread, which is paused once.
    pub fn start(test: Test, may_start_threads: bool) -> Self {
        let thread = may_start_threads.then(|| TestThread::start_repeats(test).ok()).flatten();
        thread.map_or(Self::Harness(test), Self::Own)
    }

    /// Runs the body once. After `Late`, the thread is still at it, and of no use any more. On the
    /// thread of the harness, a run that is late ends the process.
    pub fn run(&self, patience: Duration, clock: &mut RunClock) -> Ran {
        match self {
            Self::Own(thread) => thread.run(Some(patience), clock),
            Self::Harness(test) => {
                let _alarm = Alarm::after(patience);
                match internal::without_pause(|| test.run()) {
                    Ok(()) => Ran::Passed,
                    Err(message) => Ran::Failed(message),
                }
            }
        }
    }
}

impl TestThread {
    /// Starts the thread of the first run, named like the test, as libtest does.
    pub fn start(test: Test) -> io::Result<Self> {
        Self::start_with(test, || {})
    }

    /// Starts the thread of all later runs.
    fn start_repeats(test: Test) -> io::Result<Self> {
        Self::start_with(test, internal::enter_repeats)
    }

    fn start_with(test: Test, prepare: fn()) -> io::Result<Self> {
        let (orders, receive_order) = sync_channel(1);
        let (send_result, results) = sync_channel(1);
        let id = Arc::new(AtomicI32::new(0));
        let id_of_thread = Arc::clone(&id);
        let thread = std::thread::Builder::new().name(test.name.to_owned()).spawn(move || {
            prepare();
            id_of_thread.store(internal::thread_id(), Ordering::Relaxed);
            run_all(test, &receive_order, &send_result);
        })?;
        // The thread answers, so the blocks that it allocates to begin with are there now.
        let _ = results.recv();
        let id = id.load(Ordering::Relaxed);
        Ok(Self { id, delay: Cell::default(), orders, results, thread })
    }

    /// Runs the body once. Tells the clock how long the thread has waited for a processor.
    pub fn run(&self, patience: Option<Duration>, clock: &mut RunClock) -> Ran {
        let delay = RunDelay::open(self.id);
        let ran = self.run_once(patience);
        let delay = delay.read();
        clock.delay = delay.saturating_sub(self.delay.replace(delay));
        ran
    }

    fn run_once(&self, patience: Option<Duration>) -> Ran {
        if self.orders.send(()).is_err() {
            return Ran::Failed("panicked".to_owned());
        }
        let result = match patience {
            None => self.results.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(patience) => self.results.recv_timeout(patience),
        };
        match result {
            Ok(Ok(())) => Ran::Passed,
            Ok(Err(message)) => Ran::Failed(message),
            Err(RecvTimeoutError::Timeout) => Ran::Late,
            Err(RecvTimeoutError::Disconnected) => Ran::Failed("panicked".to_owned()),
        }
    }

    /// Ends the thread, and returns when its thread-locals are dropped. False where a destructor
    /// panicked.
    pub fn end(self) -> bool {
        drop(self.orders);
        self.thread.join().is_ok()
    }
}

/// The thread's work. Only the body's own allocations are traced.
fn run_all(test: Test, orders: &Receiver<()>, results: &SyncSender<Result<(), String>>) {
    let process = std::process::id();
    let answer_and_wait = |result| {
        let _pause = internal::pause();
        // In a child that the body has forked, this thread is the only one. As under libtest, the
        // child ends with it. The receiver is gone when it has lost patience.
        std::process::id() == process && results.send(result).is_ok() && orders.recv().is_ok()
    };
    let mut result = Ok(());
    while answer_and_wait(result) {
        result = test.run();
    }
}
