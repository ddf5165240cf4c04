//! A test of this binary.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracemalloc::internal::{self, Outermost};

use crate::child::libtest::{Bencher, ShouldPanic, TestDescAndFn, TestFn, TestName};
/// One `#[test]` or `#[bench]`.
#[derive(Debug, Clone, Copy)]
pub struct Test {
    pub name: &'static str,
    pub ignored: bool,
    pub ignore_message: Option<&'static str>,
    should_panic: ShouldPanic,
    body: Body,
}

#[derive(Debug, Clone, Copy)]
enum Body {
    Test(fn() -> Result<(), String>),
    Bench(fn(&mut Bencher) -> Result<(), String>),
}

impl Test {
    /// All tests, sorted by name.
    pub fn all(tests: &[&TestDescAndFn]) -> Vec<Self> {
        let mut tests: Vec<Self> = tests.iter().map(|test| Self::new(test)).collect();
        tests.sort_by_key(|test| test.name);
        tests
    }

    fn new(test: &TestDescAndFn) -> Self {
        let TestName::StaticTestName(name) = test.desc.name;
        Self {
            name,
            ignored: test.desc.ignore,
            ignore_message: test.desc.ignore_message,
            should_panic: test.desc.should_panic,
            body: match test.testfn {
                TestFn::StaticTestFn(body) => Body::Test(body),
                TestFn::StaticBenchFn(body) => Body::Bench(body),
            },
        }
    }

    pub fn should_panic(&self) -> bool {
        self.should_panic != ShouldPanic::No
    }

    pub fn is_bench(&self) -> bool {
        matches!(self.body, Body::Bench(_))
    }

    /// Runs the body once, on this thread. The error is one line with the reason. The test has
    /// printed the rest.
    pub fn run(&self) -> Result<(), String> {
        match catch_unwind(AssertUnwindSafe(|| __rust_begin_short_backtrace(self.body))) {
            Ok(Ok(())) if self.should_panic == ShouldPanic::No => Ok(()),
            Ok(Ok(())) => Err("test did not panic as expected".to_owned()),
            Ok(Err(why)) => Err(why),
            Err(payload) => {
                let message = internal::panic_message(&*payload);
                self.of_panic(message)
            }
        }
    }

    /// The result of the test after a panic with this message.
    pub fn of_panic(&self, message: Option<&str>) -> Result<(), String> {
        match self.should_panic {
            ShouldPanic::Yes => Ok(()),
            ShouldPanic::YesWithMessage(expected) => match message {
                Some(message) if message.contains(expected) => Ok(()),
                Some(message) => Err(format!(
                    "panic did not contain expected string\n      panic message: {message:?}\n expected substring: \
                     {expected:?}"
                )),
                None => Err(format!(
                    "expected panic with a string that contains {expected:?}, found another value"
                )),
            },
            ShouldPanic::No => Err(match message {
                Some(message) => format!("panicked: {message}"),
                None => "panicked".to_owned(),
            }),
        }
    }
}

/// Tracebacks end at a function of this name, like std's short backtraces.
#[inline(never)]
fn __rust_begin_short_backtrace(body: Body) -> Result<(), String> {
    let _outermost = Outermost::here();
    let result = match body {
        Body::Test(body) => body(),
        Body::Bench(body) => body(&mut Bencher::default()),
    };
    // Keeps the compiler from making a jump of the call above, which would remove this frame.
    std::hint::black_box(result)
}
