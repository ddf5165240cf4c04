//! An interner in a static whose texts are always new.
//!
//! A leak: the set of texts is not bounded, and the set never forgets one.
//@ LENGTH 12..=200
//@ COUNT 1..=5

use std::collections::BTreeSet;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};

static NAMES: RwLock<BTreeSet<&'static str>> = RwLock::new(BTreeSet::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

fn intern(name: &str) -> &'static str {
    if let Some(known) = NAMES.read().unwrap().get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    NAMES.write().unwrap().insert(name);
    name
}

pub fn core() {
    for _ in 0..COUNT {
        let name = format!("{:>LENGTH$}", NEXT.fetch_add(1, Ordering::Relaxed));
        assert_eq!(intern(&name), name);
    }
}
