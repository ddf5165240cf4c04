//! The measurement of a check's code: its scope in the installed runtime, and the changes there.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::api::Pause;
use crate::bridge::{Table, installed};
use crate::c_malloc;
use crate::check::spawn;
use crate::error::Error;
use crate::judge::{Patience, settled};
use crate::trace::live::Change;
use crate::trace::scope_table::Counts;
use crate::trace::stack_id::FRAMES_OF_STD;
use crate::trace::stack_id::StackId;
use crate::util::sort::sort_by_key;

/// A scope of the installed runtime. While it lives, this thread is traced only inside of
/// [`run`](Self::run).
pub struct Measurement {
    table: &'static Table,
    scope: u32,
    missed: u64,
    /// Whether the blocks of all threads count, and not only those of the scope.
    of_process: bool,
    _pause: Pause,
}

/// Live bytes and blocks, by stack.
pub type Balances = HashMap<u32, (i64, i64)>;

/// The end of a run: a value, or the payload of a panic.
pub type Ended<R> = Result<R, Box<dyn Any + Send>>;

impl Measurement {
    /// A measurement with so many frames of the program. `None` if nothing traces.
    pub fn new(frames: u32, counts: Counts) -> Result<Option<Self>, Error> {
        let table = match installed() {
            Ok(table) => table,
            Err(Error::NotInstalled) => return Ok(None),
            Err(other) => return Err(other),
        };
        let pause = Pause::of(table);
        let depth = frames.saturating_add(FRAMES_OF_STD as u32);
        let scope = (table.scope_begin)(depth, counts.peak, counts.spending);
        if scope == 0 {
            return Err(Error::NoMemory);
        }
        spawn::arm();
        c_malloc::arm();
        let missed = (table.missed)();
        Ok(Some(Self { table, scope, missed, of_process: false, _pause: pause }))
    }

    /// Counts the blocks of all threads of the process, if a harness records them: it runs one test
    /// in a process.
    pub fn of_process(mut self) -> Self {
        self.of_process = self.balances_of_process().is_some();
        self
    }

    /// Whether the blocks of all threads count.
    pub fn is_of_process(&self) -> bool {
        self.of_process
    }

    /// The live blocks of all threads, by stack, if a harness records them.
    fn balances_of_process(&self) -> Option<Balances> {
        let mut balances = Balances::new();
        (self.table.live_for_each)((&raw mut balances).cast(), insert).then_some(balances)
    }

    /// Runs code, and traces it.
    pub fn run<R>(&self, code: impl FnOnce() -> R) -> Ended<R> {
        let outer = (self.table.scope_enter)(self.scope);
        (self.table.pause)(false);
        let ended = catch_unwind(AssertUnwindSafe(code));
        (self.table.pause)(true);
        (self.table.scope_enter)(outer);
        ended
    }

    /// The live blocks of the code, by stack.
    pub fn balances(&self) -> Balances {
        if let Some(balances) = self.of_process.then(|| self.balances_of_process()).flatten() {
            return balances;
        }
        let mut balances = Balances::new();
        (self.table.scope_for_each)(self.scope, (&raw mut balances).cast(), insert);
        balances
    }

    /// All that the code has allocated, freed or not, by stack; nothing unless it is counted.
    pub fn spending(&self) -> Vec<Change> {
        let mut spent = Balances::new();
        (self.table.scope_spending)(self.scope, (&raw mut spent).cast(), insert);
        changes(&Balances::new(), &spent)
    }

    /// The changes since then and the live blocks, once the threads that the code has started have
    /// ended, or their time is over.
    pub fn changes(&self, before: &Balances, patience: Patience) -> (Vec<Change>, Balances) {
        let quiet = || self.threads() == 0;
        settled(patience, quiet, || self.balances(), |now| changes(before, now))
    }

    /// The threads that the code has started and that still run.
    pub fn threads(&self) -> u32 {
        (self.table.scope_threads)(self.scope)
    }

    /// The most bytes of the code that were live at once.
    pub fn peak(&self) -> u64 {
        (self.table.scope_peak)(self.scope)
    }

    /// The number of blocks of all threads that could not be recorded since the beginning.
    pub fn missed(&self) -> u64 {
        (self.table.missed)() - self.missed
    }
}

extern "C" fn insert(balances: *mut u8, stack: u32, bytes: i64, blocks: i64) {
    // SAFETY: the callers above hand over a map of their own, to which nothing else refers during
    // the call.
    let balances = unsafe { &mut *balances.cast::<Balances>() };
    balances.insert(stack, (bytes, blocks));
}

impl Drop for Measurement {
    fn drop(&mut self) {
        (self.table.scope_end)(self.scope);
    }
}

/// The changes from one state to another, in the order of stacks.
fn changes(before: &Balances, now: &Balances) -> Vec<Change> {
    let of = |balances: &Balances, stack| balances.get(stack).copied().unwrap_or_default();
    // The balances of a process leave out stacks of which nothing is live any more.
    let gone = before.keys().filter(|stack| !now.contains_key(*stack));
    let mut changes: Vec<Change> = now
        .keys()
        .chain(gone)
        .map(|stack| {
            let (then, now) = (of(before, stack), of(now, stack));
            Change { stack: StackId(*stack), bytes: now.0 - then.0, blocks: now.1 - then.1 }
        })
        .filter(|change| (change.bytes, change.blocks) != (0, 0))
        .collect();
    sort_by_key(&mut changes, |change| change.stack);
    changes
}
