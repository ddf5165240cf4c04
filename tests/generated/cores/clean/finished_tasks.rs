//! Tasks in a static queue that an executor runs to their end.
//!
//! Clean: the core polls until the queue is empty, and a task that is ready is dropped.
//@ TASKS 1..=10
//@ SIZE 1..=2000
//@ Value shared

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use crate::value::make;

/// No task is there after a run.
pub const FULL_AFTER: usize = 1;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

static QUEUE: Mutex<VecDeque<Task>> = Mutex::new(VecDeque::new());

async fn work(rounds: usize) {
    let value: Value = make(SIZE);
    let mut left = rounds;
    poll_fn(move |_| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        Poll::Pending
    })
    .await;
    black_box(&value);
}

pub fn core() {
    for number in 0..TASKS {
        QUEUE.lock().unwrap().push_back(Box::pin(work(number % 3)));
    }
    loop {
        let Some(mut task) = QUEUE.lock().unwrap().pop_front() else { break };
        if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            QUEUE.lock().unwrap().push_back(task);
        }
    }
}
