//! A check that measures: its scope in the runtime that is installed, and what its code has changed
//! there.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::api::Pause;
use crate::bridge::{Table, installed};
use crate::check::spawn;
use crate::error::Error;
use crate::judge::{Patience, settled};
use crate::trace::live::Change;
use crate::trace::stack_id::FRAMES_OF_STD;
use crate::trace::stack_id::StackId;
use crate::util::sort::sort_by_key;

/// What this thread allocates is not traced while this lives, except inside of [`run`](Self::run).
pub struct Armed {
    table: &'static Table,
    scope: u32,
    missed: u64,
    _pause: Pause,
}

/// What is live of each stack.
pub type Balances = HashMap<u32, (i64, i64)>;

/// How a run ended: with a value, or with a panic.
pub type Ended<R> = Result<R, Box<dyn Any + Send>>;

impl Armed {
    /// Measures with so many frames of the program, and the peak too, if that is wanted. `None`
    /// where nothing traces.
    pub fn new(frames: u32, counts_peak: bool) -> Result<Option<Self>, Error> {
        let table = match installed() {
            Ok(table) => table,
            Err(Error::NotInstalled) => return Ok(None),
            Err(other) => return Err(other),
        };
        let pause = Pause::of(table);
        let depth = frames.saturating_add(FRAMES_OF_STD as u32);
        let scope = (table.scope_begin)(depth, counts_peak);
        if scope == 0 {
            return Err(Error::NoMemory);
        }
        spawn::arm();
        Ok(Some(Self { table, scope, missed: (table.missed)(), _pause: pause }))
    }

    /// Runs code whose allocations are to be measured.
    pub fn run<R>(&self, code: impl FnOnce() -> R) -> Ended<R> {
        let outer = (self.table.scope_enter)(self.scope);
        (self.table.pause)(false);
        let ended = catch_unwind(AssertUnwindSafe(code));
        (self.table.pause)(true);
        (self.table.scope_enter)(outer);
        ended
    }

    /// What is live of what the code has allocated.
    pub fn balances(&self) -> Balances {
        extern "C" fn add(balances: *mut u8, stack: u32, bytes: i64, blocks: i64) {
            // SAFETY: it is the map that is given with this function below.
            let balances = unsafe { &mut *balances.cast::<Balances>() };
            balances.insert(stack, (bytes, blocks));
        }
        let mut balances = Balances::new();
        (self.table.scope_for_each)(self.scope, (&raw mut balances).cast(), add);
        balances
    }

    /// The changes since then, and what is live now, once the threads that the code has started
    /// have ended, or patience has.
    pub fn changes(&self, before: &Balances, patience: Patience) -> (Vec<Change>, Balances) {
        let quiet = || self.threads() == 0;
        settled(patience, quiet, || self.balances(), |now| changes(before, now))
    }

    /// The threads that the code has started and that still run.
    pub fn threads(&self) -> u32 {
        (self.table.scope_threads)(self.scope)
    }

    /// The most bytes of what the code has allocated that were live at once.
    pub fn peak(&self) -> u64 {
        (self.table.scope_peak)(self.scope)
    }

    /// How many blocks, of anybody, could not be recorded meanwhile.
    pub fn missed(&self) -> u64 {
        (self.table.missed)() - self.missed
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        (self.table.scope_end)(self.scope);
    }
}

/// The changes from one state to another, in the order of stacks.
fn changes(before: &Balances, now: &Balances) -> Vec<Change> {
    let mut changes: Vec<Change> = now
        .iter()
        .map(|(stack, (bytes, blocks))| {
            let then = before.get(stack).copied().unwrap_or_default();
            Change { stack: StackId(*stack), bytes: bytes - then.0, blocks: blocks - then.1 }
        })
        .filter(|change| (change.bytes, change.blocks) != (0, 0))
        .collect();
    sort_by_key(&mut changes, |change| change.stack);
    changes
}
