//! A tree by key in a static, from which each run takes out fewer entries than it puts in.
//!
//! A leak: the entries that go are of all ages, and one more stays each run.
//@ PER_RUN 2..=5
//@ SIZE 1..=1000
//@ Value shared

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::value::make;

static TABLE: Mutex<(u64, BTreeMap<u64, Value>)> = Mutex::new((0, BTreeMap::new()));

pub fn core() {
    let (next, table) = &mut *TABLE.lock().unwrap();
    for _ in 0..PER_RUN {
        table.insert(*next * 7919 % 10007, make(SIZE));
        *next += 1;
    }
    for number in 1..PER_RUN as u64 {
        let from = *next * number * 31 % 10007;
        let key = table.range(from..).chain(table.range(..from)).next().map(|(key, _)| *key);
        table.remove(&key.expect("it is not empty"));
    }
}
