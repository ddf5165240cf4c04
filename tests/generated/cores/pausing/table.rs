//! A table in a static that every run adds plain keys to.
//!
//! A leak: keys do not come twice, and nothing removes one. The table is one block, which grows by
//! doubling, so runs pause for longer and longer.
//@ PER_RUN 1..=60

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};

static SEEN: LazyLock<Mutex<HashMap<u64, u64>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(0);

pub fn core() {
    for _ in 0..PER_RUN {
        let key = NEXT.fetch_add(1, Ordering::Relaxed);
        SEEN.lock().unwrap().insert(key, key);
    }
}
