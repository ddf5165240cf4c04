//! The last versions of a configuration behind a pointer that is swapped.
//!
//! Clean: a version goes when KEPT newer ones exist.
//@ KEPT 1..=20
//@ SIZE 1..=2000
//@ Value shared

use std::hint::black_box;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::Arc;

use crate::value::make;

/// There are so many versions after as many runs.
pub const FULL_AFTER: usize = KEPT + 1;

struct Version {
    value: Value,
    before: Option<Arc<Version>>,
}

static CURRENT: AtomicPtr<Version> = AtomicPtr::new(std::ptr::null_mut());

/// A copy of the newest `count` versions.
fn newest(version: &Version, count: usize) -> Option<Arc<Version>> {
    (count > 0).then(|| {
        let before = version.before.as_ref().and_then(|before| newest(before, count - 1));
        Arc::new(Version { value: make(SIZE), before })
    })
}

pub fn core() {
    let old = CURRENT.load(Ordering::Acquire);
    // SAFETY: null, or what an earlier run has stored and nothing else drops.
    let old = (!old.is_null()).then(|| unsafe { Arc::from_raw(old) });
    let before = old.as_ref().and_then(|old| newest(old, KEPT));
    let new = Arc::new(Version { value: make(SIZE), before });
    black_box(&new.value);
    CURRENT.store(Arc::into_raw(new).cast_mut(), Ordering::Release);
}
