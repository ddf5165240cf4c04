//! A thread-local whose destructor makes a record of its thread.
//!
//! A leak: the destructor runs once in each thread, every run starts new threads, and a record is
//! forgotten, or stays in a static.
//@ SIZE 1..=4000
//@ THREADS 1..=4
//@ LOST 0..=1
//@ Value shared

use std::mem;
use std::sync::Mutex;
use std::thread;

use crate::value::make;

static RECORDS: Mutex<Vec<Value>> = Mutex::new(Vec::new());

struct Epilogue;

impl Drop for Epilogue {
    fn drop(&mut self) {
        let record = make(SIZE);
        if LOST == 1 {
            mem::forget(record);
        } else {
            RECORDS.lock().unwrap().push(record);
        }
    }
}

thread_local! {
    static EPILOGUE: Epilogue = const { Epilogue };
}

pub fn core() {
    for _ in 0..THREADS {
        let visit = || EPILOGUE.with(|_| ());
        thread::spawn(visit).join().expect("it does nothing");
    }
}
