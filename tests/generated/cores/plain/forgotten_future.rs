//! Futures that are forgotten half way.
//!
//! A leak: what a future owns at its await is dropped with it, and it is never dropped.
//@ SIZE 1..=4000
//@ COUNT 1..=4
//@ Value local

use std::future::{Future, pending};
use std::hint::black_box;
use std::mem;
use std::task::{Context, Waker};

use crate::value::make;

async fn wait(size: usize) {
    let value: Value = make(size);
    pending::<()>().await;
    black_box(&value);
}

pub fn core() {
    for _ in 0..COUNT {
        let mut future = Box::pin(wait(SIZE));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        mem::forget(future);
    }
}
