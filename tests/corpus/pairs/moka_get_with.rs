//! `get_with` looks for its waiter with another hash than the one that it was stored with.

use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use moka::future::Cache;

static PAGES: LazyLock<Cache<u32, String>> = LazyLock::new(|| Cache::new(8));
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs a future that never has to wait.
fn finish<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future has to wait"),
    }
}

fn load(pages: &Cache<u32, String>) {
    for _ in 0..10 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        finish(async {
            pages.get_with(number, async { format!("page number {number}") }).await; // leaks
            pages.invalidate(&number).await;
            pages.run_pending_tasks().await;
        });
    }
}

#[test]
pub fn moka_get_with() {
    load(&PAGES);
}

/// The same in a cache that is dropped.
#[test]
pub fn moka_get_with_of_a_local() {
    load(&Cache::new(8));
}
