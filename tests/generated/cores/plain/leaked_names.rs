//! An interner of names that are never the same.
//!
//! A leak: the set keeps every name, and each is leaked to live for ever.
//@ COUNT 1..=4
//@ SIZE 1..=200

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

fn intern(name: String) -> &'static str {
    let mut names = NAMES.lock().unwrap();
    match names.get(name.as_str()) {
        Some(known) => known,
        None => {
            let name: &'static str = Box::leak(name.into_boxed_str());
            names.insert(name);
            name
        }
    }
}

pub fn core() {
    for _ in 0..COUNT {
        let number = NAMES.lock().unwrap().len();
        assert!(intern(format!("{number:0>SIZE$}")).len() >= SIZE);
    }
}
