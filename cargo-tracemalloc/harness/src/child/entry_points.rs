//! The functions that `main` of a test binary calls. They decide on the role of the process: child,
//! front, or a test inside another test.

use crate::child::command;
use crate::child::libtest::TestDescAndFn;
#[cfg(target_os = "linux")]
use crate::child::name_provider;
use crate::child::nested_test;
use crate::child::test::Test;
use crate::child::test_process;
use crate::protocol::process_role::ProcessRole;

/// Runs the tests of a binary. rustc's generated `main` calls this.
pub fn test_main_static(tests: &[&TestDescAndFn]) {
    main(tests, false);
}

/// Runs the tests of a binary with `panic = "abort"`. rustc's generated `main` calls this.
pub fn test_main_static_abort(tests: &[&TestDescAndFn]) {
    main(tests, true);
}

/// Runs the tests that the arguments of this process select, and exits. A panic may end the
/// process.
fn main(tests: &[&TestDescAndFn], panics_abort: bool) {
    let tests = Test::all(tests);
    let role = ProcessRole::of_this_process();
    #[cfg(target_os = "linux")]
    name_provider::install(&role, role.is_child());
    if let Some((name, assignment)) = role.assignment() {
        std::process::exit(test_process::main(&tests, &name, &assignment, panics_abort));
    }
    let arguments =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let nested = if role.is_inside() { nested_test::requested(&tests, arguments) } else { None };
    if let Some((test, quiet)) = nested {
        let code = nested_test::run(&role, test, tests.len(), quiet);
        if code != 0 {
            std::process::exit(code);
        }
        return;
    }
    command::become_front(&role, &tests);
}
