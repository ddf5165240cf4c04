//! The limits of the running test's own check, which replace those of the command.
//!
//! The harness says which test runs. The attribute `check` of that test then sends its limits, in a
//! [`CheckRequest`]. Requests of other functions with the attribute are refused: those are judged
//! where they are called.

use crate::bridge::check_request::CheckRequest;
use crate::c_malloc;
use crate::limits::Limits;
use crate::model::domain::Domain;
use crate::os::fork::ForkLock;
use crate::trace::stack_id::FRAMES_OF_STD;
use crate::trace::{control, thread};

/// The test that the harness runs, and the limits that it has sent.
static RUNNING: ForkLock<Option<(String, Option<Limits>)>> = ForkLock::new(None);

/// Announces that the harness is about to run this test, by the name that libtest has for it.
pub fn begin_test(test: &str) {
    let test = plain(test);
    RUNNING.with(|running| *running = Some((test, None)));
}

/// The limits that the running test has sent; `None` if it has no check.
pub fn of_test() -> Option<Limits> {
    RUNNING.with(|running| running.as_ref()?.1.clone())
}

/// Takes the limits of a request, if it is about the running test. Returns whether it is.
pub fn receive(request: &CheckRequest) -> bool {
    // This is the test's thread, and the limits are the harness's memory.
    let _pause = thread::pause();
    let test = request.test();
    let Some((_crate, path)) = test.split_once("::") else { return false };
    let (path, given) = (plain(path), request.limits());
    let (frames, domain) = (given.frames, given.domain);
    let is_taken = RUNNING.with(|running| match running {
        Some((name, limits)) if *name == path => {
            *limits = Some(given);
            true
        }
        _ => false,
    });
    if is_taken && domain.is_some_and(|domain| domain.counts(Domain::C)) {
        c_malloc::arm();
    }
    if let (true, Some(frames)) = (is_taken, frames) {
        control::deepen_for_checks(frames as usize + FRAMES_OF_STD);
    }
    is_taken
}

/// A path without the marks of raw identifiers, which only some tools write.
fn plain(path: &str) -> String {
    path.replace("r#", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key_type::KeyType;

    #[test]
    fn only_the_running_test_is_heard() {
        let limits = Limits::new()
            .max_growth(1024)
            .max_peak(4096)
            .max_allocations(3)
            .max_total(8192)
            .include("src/*")
            .include("tests/*")
            .key(KeyType::Lineno)
            .runs(1);
        let send = |test| CheckRequest::send(receive_from_c, test, &limits);
        assert!(!send("demo::tests::r#match"), "no test runs");
        begin_test("tests::match");
        assert!(!send("demo::tests::other"));
        assert_eq!(of_test(), None);
        assert!(send("demo::tests::r#match"));
        assert_eq!(of_test().as_ref(), Some(&limits));
        begin_test("tests::other");
        assert_eq!(of_test(), None);
    }

    extern "C" fn receive_from_c(request: &CheckRequest) -> bool {
        receive(request)
    }
}
