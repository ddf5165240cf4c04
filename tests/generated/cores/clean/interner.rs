//! An interner in a static, for texts that are few.
//!
//! Clean: there are NAMES texts, and a text is kept once. The set points to those that
//! `Box::leak` gave away.
//@ NAMES 1..=40
//@ PER_RUN 1..=8
//@ LENGTH 12..=200

use std::collections::BTreeSet;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// All texts are there after so many runs, at PER_RUN texts a run.
pub const FULL_AFTER: usize = NAMES.div_ceil(PER_RUN);

static KNOWN: RwLock<BTreeSet<&'static str>> = RwLock::new(BTreeSet::new());
static NEXT: AtomicUsize = AtomicUsize::new(0);

fn intern(name: &str) -> &'static str {
    if let Some(known) = KNOWN.read().unwrap().get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    KNOWN.write().unwrap().insert(name);
    name
}

pub fn core() {
    for _ in 0..PER_RUN {
        let name = format!("{:>LENGTH$}", NEXT.fetch_add(1, Ordering::Relaxed) % NAMES);
        assert_eq!(intern(&name), name);
    }
}
