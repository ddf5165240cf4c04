//! A map by thread id in a static, whose entries go with their threads.
//!
//! Clean: a guard in a thread-local removes the thread's entry when the thread ends.
//@ THREADS 1..=4
//@ SIZE 1..=2000
//@ Value shared

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::thread::{self, ThreadId};

use crate::value::make;

/// No thread is left after a run.
pub const FULL_AFTER: usize = 1;

static TABLES: LazyLock<Mutex<HashMap<ThreadId, Value>>> =
    LazyLock::new(|| Mutex::new(HashMap::with_capacity(16)));

struct Guard(ThreadId);

impl Drop for Guard {
    fn drop(&mut self) {
        TABLES.lock().unwrap().remove(&self.0);
    }
}

thread_local! {
    static GUARD: Guard = register();
}

fn register() -> Guard {
    let id = thread::current().id();
    TABLES.lock().unwrap().insert(id, make(SIZE));
    Guard(id)
}

pub fn core() {
    for _ in 0..THREADS {
        let visit = || GUARD.with(|guard| assert_eq!(guard.0, thread::current().id()));
        thread::spawn(visit).join().expect("it computes a table");
    }
}
