//! A task that waits for a connection when its runtime is dropped makes a cycle with the driver.

use std::future::poll_fn;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;

#[test]
pub fn tokio_io_shutdown() {
    // leaks
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_io().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap(); // leaks
        // leaks
        tokio::spawn(async move {
            loop {
                poll_fn(|cx| listener.poll_accept(cx)).await.unwrap(); // leaks
            }
        });
    });
    std::thread::sleep(Duration::from_millis(50));
}

/// A runtime without a task.
#[test]
pub fn an_idle_runtime() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_io().build().unwrap();
    runtime.block_on(async {});
}
