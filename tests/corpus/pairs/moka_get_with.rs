//! When a table grows, it stores a waiter of `get_with` by another hash. A look-up uses the old
//! hash, so the waiter is never removed.

use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use moka::future::Cache;

static PAGES: LazyLock<Cache<u32, String>> = LazyLock::new(|| Cache::new(8));
static FEW_PAGES: LazyLock<Cache<u32, String>> = LazyLock::new(|| Cache::new(8));

/// The number of the next page.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs a future that never has to wait.
fn finish<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future has to wait"),
    }
}

/// Loads pages one after the other.
async fn load(pages: &Cache<u32, String>, count: usize) {
    for _ in 0..count {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        pages.get_with(number, async { format!("page number {number}") }).await;
        pages.invalidate(&number).await;
    }
    pages.run_pending_tasks().await;
}

/// Loads pages while another is being loaded, so many that the table of waiters is made anew.
async fn load_inside(pages: &Cache<u32, String>) {
    let index = async {
        load(pages, 8000).await;
        "the index of all pages".to_owned()
    };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    pages.get_with(number, index).await; // leaks
    pages.invalidate(&number).await;
}

#[test]
pub fn moka_get_with() {
    finish(load_inside(&PAGES));
}

/// The same in a cache that is dropped.
#[test]
pub fn moka_get_with_of_a_local() {
    finish(load_inside(&Cache::new(8)));
}

/// So few pages that the cache needs hundreds of runs until each of its tables was used.
#[test]
pub fn a_cache_that_fills_slowly() {
    finish(load(&FEW_PAGES, 10));
}
