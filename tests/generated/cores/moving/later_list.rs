//! A table in a static that fills, and a list that grows once the table is full.
//!
//! A leak: the table holds TABLE entries and stays so, but from run TABLE + 1 on every run makes
//! the list longer.
//@ SIZE 1..=4000
//@ TABLE 1..=4
//@ Value shared

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::value::make;

static FIXED: Mutex<BTreeMap<usize, Value>> = Mutex::new(BTreeMap::new());
static OVERFLOW: Mutex<Vec<Value>> = Mutex::new(Vec::new());

pub fn core() {
    let mut fixed = FIXED.lock().unwrap();
    let slot = fixed.len();
    if slot < TABLE {
        fixed.insert(slot, make(SIZE));
    } else {
        OVERFLOW.lock().unwrap().push(make(SIZE + 1));
    }
}
