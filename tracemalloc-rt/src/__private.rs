//! The functions that the macros expand to. Not for people: they may change in any version.

use std::process::ExitCode;

use crate::check::{check as check_code, check_function, check_once as check_code_once};
use crate::limits::Limits;

/// The options of one check, as the macros write them out.
///
/// This is not [`Limits`], because the macros write it as a literal into the program: its texts are
/// borrowed, and making it allocates nothing. Its method `limits` makes the one from the other.
#[expect(missing_docs, reason = "the options are documented with the attribute")]
pub struct Check {
    /// The path of the function, with its crate.
    pub name: &'static str,
    pub max_growth: Option<u64>,
    pub max_blocks: Option<u64>,
    pub max_peak: Option<u64>,
    pub max_allocations: Option<u64>,
    pub max_total: Option<u64>,
    pub include: &'static [&'static str],
    pub exclude: &'static [&'static str],
    pub domain: Option<&'static str>,
    pub frames: Option<u32>,
    pub runs: Option<u32>,
    pub key: Option<&'static str>,
    pub skip: Option<&'static str>,
}

impl Check {
    /// A check of this function, without options.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            max_growth: None,
            max_blocks: None,
            max_peak: None,
            max_allocations: None,
            max_total: None,
            include: &[],
            exclude: &[],
            domain: None,
            frames: None,
            runs: None,
            key: None,
            skip: None,
        }
    }

    fn limits(&self) -> Limits {
        let given = |patterns: &[&str]| -> Option<Vec<String>> {
            let owned = patterns.iter().map(|pattern| (*pattern).to_owned());
            (!patterns.is_empty()).then(|| owned.collect())
        };
        Limits {
            max_growth: self.max_growth,
            max_blocks: self.max_blocks,
            max_peak: self.max_peak,
            max_allocations: self.max_allocations,
            max_total: self.max_total,
            include: given(self.include),
            exclude: given(self.exclude),
            domain: self.domain.and_then(|domain| domain.parse().ok()),
            frames: self.frames,
            runs: self.runs,
            key: self.key.and_then(|key| key.parse().ok()),
            skip: self.skip.map(str::to_owned),
        }
    }
}

/// A function without parameters.
#[track_caller]
pub fn check<R>(check: &Check, body: impl FnMut() -> R, is_failure: impl Fn(&R) -> bool) -> R {
    check_function(check.name, check.limits(), body, is_failure)
}

/// A function that has to panic.
#[track_caller]
pub fn check_panicking(check: &Check, body: impl FnMut()) {
    crate::check::check_panicking(check.name, check.limits(), body);
}

/// A function with parameters, which it may consume.
#[track_caller]
pub fn check_once<R>(check: &Check, body: impl FnOnce() -> R) -> R {
    check_code_once(check.limits(), body)
}

/// A piece of code.
#[track_caller]
pub fn assert_no_growth<R>(check: &Check, code: impl FnMut() -> R) -> R {
    check_code(check.limits(), code)
}

/// A piece of code that runs once.
#[track_caller]
pub fn assert_no_growth_once<R>(check: &Check, code: impl FnOnce() -> R) -> R {
    check_code_once(check.limits(), code)
}

/// A loop. It has exactly so many rounds if a number is given.
#[track_caller]
pub fn assert_steady<R>(check: &Check, rounds: Option<u32>, code: impl FnMut() -> R) {
    let limits = Limits { runs: rounds, ..check.limits() };
    crate::check::steady::assert_steady(limits, code);
}

/// The value that a function has returned. Whether it is a failure, this type's own method says for
/// types that can fail, and that of [`NeverFails`] for all others.
pub struct Returned<'a, R>(pub &'a R);

impl<T, E> Returned<'_, Result<T, E>> {
    /// Whether it is an error.
    pub fn is_failure(&self) -> bool {
        self.0.is_err()
    }
}

impl Returned<'_, ExitCode> {
    /// Whether it is another code than success.
    pub fn is_failure(&self) -> bool {
        *self.0 != ExitCode::SUCCESS
    }
}

/// Values that are never a failure.
pub trait NeverFails {
    /// Never.
    fn is_failure(&self) -> bool {
        false
    }
}

impl<R> NeverFails for Returned<'_, R> {}
