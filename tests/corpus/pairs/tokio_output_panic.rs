//! A task is forgotten when the drop of its output panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::Builder;

struct Output(bool, String);

impl Drop for Output {
    fn drop(&mut self) {
        assert!(!self.0, "{} panics", self.1);
    }
}

fn finish(panics: bool) {
    let runtime = Builder::new_current_thread().build().unwrap(); // leaks
    let task = runtime.spawn(async move { Output(panics, "the output".to_owned()) }); // leaks
    runtime.block_on(tokio::task::yield_now());
    let ended = catch_unwind(AssertUnwindSafe(|| drop(task)));
    assert_eq!(ended.is_err(), panics);
}

#[test]
pub fn tokio_output_panic() {
    finish(true);
}

/// An output whose drop does not panic.
#[test]
pub fn a_plain_output() {
    finish(false);
}
