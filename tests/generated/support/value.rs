//! Values of many types, each of at least one block on the heap.
//!
//! A value of a larger size never has fewer bytes than one of a smaller size and the same type.

use std::cell::RefCell;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::{CString, OsString};
use std::fmt::Display;
use std::hint::black_box;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// Makes a value of about so many bytes, and keeps the compiler from seeing through it.
pub fn make<T: Make>(size: usize) -> T {
    black_box(T::made(size))
}

/// A type that is made by size.
pub trait Make {
    /// A value of about so many bytes, one at least.
    fn made(size: usize) -> Self;
}

/// How many entries a container of several blocks has.
const ENTRIES: usize = 3;

impl Make for Vec<u8> {
    fn made(size: usize) -> Self {
        vec![1; size]
    }
}

impl Make for Vec<u64> {
    fn made(size: usize) -> Self {
        (0..=size as u64 / 8).collect()
    }
}

impl Make for Vec<String> {
    fn made(size: usize) -> Self {
        (0..ENTRIES).map(|_| make(size / ENTRIES + 1)).collect()
    }
}

impl Make for String {
    fn made(size: usize) -> Self {
        "x".repeat(size)
    }
}

impl Make for CString {
    fn made(size: usize) -> Self {
        CString::new(vec![b'x'; size]).expect("there is no zero in it")
    }
}

impl Make for OsString {
    fn made(size: usize) -> Self {
        OsString::from("x".repeat(size))
    }
}

impl Make for PathBuf {
    fn made(size: usize) -> Self {
        ["a", &"x".repeat(size)].iter().collect()
    }
}

impl Make for Box<[u8]> {
    fn made(size: usize) -> Self {
        vec![2; size].into_boxed_slice()
    }
}

impl Make for Box<[u64; 16]> {
    fn made(size: usize) -> Self {
        Box::new([size as u64; 16])
    }
}

impl Make for Box<dyn Fn() -> usize + Send + Sync> {
    fn made(size: usize) -> Self {
        let text: String = make(size);
        Box::new(move || text.len())
    }
}

impl Make for Box<dyn Display + Send + Sync> {
    fn made(size: usize) -> Self {
        Box::new(make::<String>(size))
    }
}

impl Make for Arc<str> {
    fn made(size: usize) -> Self {
        Arc::from("x".repeat(size))
    }
}

impl Make for Arc<Vec<u8>> {
    fn made(size: usize) -> Self {
        Arc::new(make(size))
    }
}

impl Make for HashMap<u64, String> {
    fn made(size: usize) -> Self {
        (0..ENTRIES as u64).map(|key| (key, make(size / ENTRIES + 1))).collect()
    }
}

impl Make for HashSet<String> {
    fn made(size: usize) -> Self {
        (0..ENTRIES)
            .map(|number| format!("{number:>0width$}", width = size / ENTRIES + 1))
            .collect()
    }
}

impl Make for BTreeMap<u64, Vec<u8>> {
    fn made(size: usize) -> Self {
        (0..ENTRIES as u64).map(|key| (key, make(size / ENTRIES + 1))).collect()
    }
}

impl Make for VecDeque<u32> {
    fn made(size: usize) -> Self {
        let mut numbers = Self::new();
        (0..=size as u32 / 4).for_each(|number| numbers.push_front(number));
        numbers
    }
}

impl Make for BinaryHeap<u32> {
    fn made(size: usize) -> Self {
        (0..=size as u32 / 4).collect()
    }
}

impl Make for LinkedList<Vec<u8>> {
    fn made(size: usize) -> Self {
        (0..ENTRIES).map(|_| make(size / ENTRIES + 1)).collect()
    }
}

impl Make for Rc<str> {
    fn made(size: usize) -> Self {
        Rc::from("x".repeat(size))
    }
}

impl Make for Rc<RefCell<Vec<u8>>> {
    fn made(size: usize) -> Self {
        Rc::new(RefCell::new(make(size)))
    }
}
