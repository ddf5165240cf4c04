//! Tasks that wait in a queue which no executor empties.
//!
//! A leak: the queue is a static, every run adds tasks, and none is polled or dropped.
//@ SIZE 1..=4000
//@ COUNT 1..=4
//@ Value shared

use std::future::{Future, ready};
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Mutex;

use crate::value::make;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

static QUEUE: Mutex<Vec<Task>> = Mutex::new(Vec::new());

pub fn core() {
    for _ in 0..COUNT {
        let value: Value = make(SIZE);
        QUEUE.lock().unwrap().push(Box::pin(async move {
            ready(()).await;
            black_box(&value);
        }));
    }
}
