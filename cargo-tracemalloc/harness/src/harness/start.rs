//! Decides what this process is: the front that starts the others, or the child that runs one test.

use std::ffi::OsString;

use crate::harness::arguments::Arguments;
use crate::harness::child;
use crate::harness::front;
use crate::harness::libtest::TestDescAndFn;
use crate::harness::placement::Placement;
use crate::harness::test::Test;

/// Exit code when tests failed, as libtest's.
pub const FAILED: i32 = 101;

/// Runs the tests that the arguments of this process ask for, and exits. A panic may end the process.
pub fn main(tests: &[&TestDescAndFn], panics_abort: bool) {
    let tests = Test::all(tests);
    let placement = Placement::of_this_process();
    if let Some((name, assignment)) = placement.assignment() {
        std::process::exit(child::main(&tests, &name, &assignment, panics_abort));
    }
    let arguments = Arguments::parse(std::env::args_os().collect::<Vec<OsString>>());
    let code = front::run(&arguments, placement, tests);
    if code != 0 {
        std::process::exit(code);
    }
}
