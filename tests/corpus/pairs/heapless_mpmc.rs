//! The queue has no destructor, so what is still in it is forgotten.

#[cfg(feature = "bad")]
use heapless::mpmc::MpMcQueue as Queue;
#[cfg(not(feature = "bad"))]
use heapless::mpmc::Queue;

#[test]
pub fn heapless_mpmc() {
    let queue = Queue::<String, 4>::new();
    queue.enqueue("the first of two jobs".to_owned()).unwrap();
    queue.enqueue("the second of them".to_owned()).unwrap(); // leaks
    assert_eq!(queue.dequeue().as_deref(), Some("the first of two jobs"));
}

/// A queue that was emptied.
#[test]
pub fn an_empty_queue() {
    let queue = Queue::<String, 4>::new();
    queue.enqueue("the only job".to_owned()).unwrap();
    assert_eq!(queue.dequeue().as_deref(), Some("the only job"));
}
