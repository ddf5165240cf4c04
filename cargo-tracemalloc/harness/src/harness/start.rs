//! Decides what this process is: the child that runs one test, the front that starts the others, or
//! a test that another has started.

use crate::Placement;
use crate::harness::child;
use crate::harness::command;
use crate::harness::inside;
use crate::harness::libtest::TestDescAndFn;
#[cfg(target_os = "linux")]
use crate::harness::names;
use crate::harness::test::Test;

/// Runs the tests that the arguments of this process ask for, and exits. A panic may end the
/// process.
pub fn main(tests: &[&TestDescAndFn], panics_abort: bool) {
    let tests = Test::all(tests);
    let placement = Placement::of_this_process();
    #[cfg(target_os = "linux")]
    names::ask_command(&placement);
    if let Some((name, assignment)) = placement.assignment() {
        std::process::exit(child::main(&tests, &name, &assignment, panics_abort));
    }
    let arguments =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    if placement.is_inside()
        && let Some((test, quiet)) = inside::asked_for(&tests, arguments)
    {
        let code = inside::run(test, tests.len(), quiet);
        if code != 0 {
            std::process::exit(code);
        }
        return;
    }
    command::become_front(&placement, &tests);
}
