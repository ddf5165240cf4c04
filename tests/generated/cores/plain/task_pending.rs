//! Tasks that were polled once and are never woken.
//!
//! A leak: what they wait for never comes, and the static list of them has no way out.
//@ SIZE 1..=4000
//@ COUNT 1..=4
//@ Value shared

use std::future::{Future, pending};
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Waker};

use crate::value::make;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

static WAITING: Mutex<Vec<Task>> = Mutex::new(Vec::new());

async fn wait(size: usize) {
    let value: Value = make(size);
    pending::<()>().await;
    black_box(&value);
}

pub fn core() {
    for _ in 0..COUNT {
        let mut task: Task = Box::pin(wait(SIZE));
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        WAITING.lock().unwrap().push(task);
    }
}
