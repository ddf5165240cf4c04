//! A log by name: the first run enters the names, and each later one adds lines to them.
//!
//! A leak: the lines of a name are never cleared. They are allocated elsewhere than its first one.
//@ SIZE 1..=2000
//@ NAMES 1..=5

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use crate::value::make;

static LOG: LazyLock<Mutex<HashMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

pub fn core() {
    let mut log = LOG.lock().unwrap();
    for number in 0..NAMES {
        let name = format!("name {number}");
        match log.get_mut(&name) {
            None => {
                log.insert(name, vec![make(SIZE)]);
            }
            Some(lines) => lines.push(make(SIZE + 1)),
        }
    }
}
