//! A text in a static that every run makes longer.
//!
//! A leak: nothing shortens it. The text is one block, which grows by doubling, so runs pause for
//! longer and longer.
//@ PER_RUN 1..=500

use std::sync::Mutex;

use crate::value::make;

static LOG: Mutex<String> = Mutex::new(String::new());

pub fn core() {
    LOG.lock().unwrap().push_str(&make::<String>(PER_RUN));
}
