//! Globals that are initialised once, in four ways.
//!
//! Clean: only the first run finds them empty.
//@ SIZE 1..=4000
//@ Value shared

use std::hint::black_box;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock};

use crate::value::make;

/// All of them are there after the first run.
pub const FULL_AFTER: usize = 1;

static LAZY: LazyLock<Value> = LazyLock::new(|| make(SIZE));
static ONCE: OnceLock<Value> = OnceLock::new();
static GUARDED: Mutex<Option<Value>> = Mutex::new(None);
static POINTER: AtomicPtr<Value> = AtomicPtr::new(ptr::null_mut());

pub fn core() {
    black_box((&*LAZY, ONCE.get_or_init(|| make(SIZE))));
    black_box(GUARDED.lock().unwrap().get_or_insert_with(|| make(SIZE)));
    if POINTER.load(Ordering::Acquire).is_null() {
        POINTER.store(Box::into_raw(Box::new(make(SIZE))), Ordering::Release);
    }
}
