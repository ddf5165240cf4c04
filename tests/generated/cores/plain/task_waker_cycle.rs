//! A task whose future keeps the task's own waker.
//!
//! A leak: the waker is an `Arc` of the task, the task owns the future, and the future owns the
//! waker. The executor's own `Arc` is dropped.
//@ SIZE 1..=4000
//@ COUNT 1..=4
//@ Value shared

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::value::make;

struct Task(Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

async fn wait(value: Value) {
    let mut kept: Option<Waker> = None;
    poll_fn(move |context| {
        black_box(kept.insert(context.waker().clone()));
        Poll::<()>::Pending
    })
    .await;
    black_box(&value);
}

pub fn core() {
    for _ in 0..COUNT {
        let task = Arc::new(Task(Mutex::new(Box::pin(wait(make(SIZE))))));
        let waker = Waker::from(Arc::clone(&task));
        let polled = task.0.lock().unwrap().as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
}
