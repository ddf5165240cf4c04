//! Each runtime that waits for child processes subscribes to a signal, for ever.

use tokio::runtime::Builder;

#[test]
pub fn tokio_runtimes() {
    for _ in 0..10 {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap(); // leaks
        runtime.block_on(async {});
    }
}

/// Runtimes without a driver for signals.
#[test]
pub fn runtimes_without_drivers() {
    for _ in 0..10 {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {});
    }
}
