//! A configuration in a static that every run replaces.
//!
//! Clean: the `Arc` that was there is dropped, and its readers are gone.
//@ SIZE 1..=4000
//@ Value shared

use std::hint::black_box;
use std::sync::{Arc, RwLock};

use crate::value::make;

/// One configuration is there after each run.
pub const FULL_AFTER: usize = 1;

static CONFIG: RwLock<Option<Arc<Value>>> = RwLock::new(None);

pub fn core() {
    let reader = CONFIG.read().unwrap().clone();
    *CONFIG.write().unwrap() = Some(Arc::new(make(SIZE)));
    black_box(&reader);
}
