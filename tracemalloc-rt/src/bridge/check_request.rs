//! The limits of a test's own check, in types of C.
//!
//! The attribute belongs to the program's copy of this crate, the harness to the injected one. This
//! struct is [`Limits`] on the way from one to the other. Copies of different versions have to
//! agree on its layout, which Rust's own types do not promise.

use crate::bridge::text::Text;
use crate::limits::Limits;

/// Asks the harness to judge a test by these limits. Texts and lists that are not given are empty.
#[repr(C)]
pub struct CheckRequest {
    test: Text,
    max_growth: Number,
    max_blocks: Number,
    max_peak: Number,
    max_allocations: Number,
    max_total: Number,
    frames: Number,
    runs: Number,
    domain: Text,
    key: Text,
    skip: Text,
    include: List,
    exclude: List,
}

/// A number, if it is given.
#[repr(C)]
#[derive(Clone, Copy)]
struct Number {
    given: bool,
    value: u64,
}

/// Where the texts of a list are, and their number.
#[repr(C)]
struct List {
    at: *const Text,
    len: usize,
}

impl CheckRequest {
    /// Sends the request across the bridge, by the other copy's function. `test` is the path of the
    /// function, with its crate. Returns whether the harness will judge the test.
    #[cfg(feature = "symbolize")]
    pub fn send(receive: extern "C" fn(&Self) -> bool, test: &str, limits: &Limits) -> bool {
        let texts = |patterns: &Option<Vec<String>>| -> Vec<Text> {
            patterns.iter().flatten().map(|pattern| Text::of(pattern)).collect()
        };
        let (include, exclude) = (texts(&limits.include), texts(&limits.exclude));
        let domain = limits.domain.map(|domain| domain.name()).unwrap_or_default();
        let key = limits.key.map(|key| key.to_string()).unwrap_or_default();
        receive(&Self {
            test: Text::of(test),
            max_growth: Number::of(limits.max_growth),
            max_blocks: Number::of(limits.max_blocks),
            max_peak: Number::of(limits.max_peak),
            max_allocations: Number::of(limits.max_allocations),
            max_total: Number::of(limits.max_total),
            frames: Number::of(limits.frames.map(u64::from)),
            runs: Number::of(limits.runs.map(u64::from)),
            domain: Text::of(domain),
            key: Text::of(&key),
            skip: Text::of(limits.skip.as_deref().unwrap_or_default()),
            include: List { at: include.as_ptr(), len: include.len() },
            exclude: List { at: exclude.as_ptr(), len: exclude.len() },
        })
    }

    /// The path of the test's function, with its crate.
    pub fn test(&self) -> String {
        self.test.read().into_owned()
    }

    /// The limits of its check. Callable only until the function that received the request returns.
    pub fn limits(&self) -> Limits {
        let small = |number: Number| number.read().and_then(|number| u32::try_from(number).ok());
        Limits {
            max_growth: self.max_growth.read(),
            max_blocks: self.max_blocks.read(),
            max_peak: self.max_peak.read(),
            max_allocations: self.max_allocations.read(),
            max_total: self.max_total.read(),
            include: self.include.read(),
            exclude: self.exclude.read(),
            domain: self.domain.read().parse().ok(),
            frames: small(self.frames),
            runs: small(self.runs),
            key: self.key.read().parse().ok(),
            skip: Some(self.skip.read().into_owned()).filter(|reason| !reason.is_empty()),
        }
    }
}

impl Number {
    #[cfg(feature = "symbolize")]
    fn of(number: Option<u64>) -> Self {
        Self { given: number.is_some(), value: number.unwrap_or(0) }
    }

    fn read(self) -> Option<u64> {
        self.given.then_some(self.value)
    }
}

impl List {
    fn read(&self) -> Option<Vec<String>> {
        // SAFETY: `send` has so many texts there, and keeps them until the call across the bridge
        // has returned. `limits` is called only before.
        let texts = unsafe { core::slice::from_raw_parts(self.at, self.len) };
        (!texts.is_empty()).then(|| texts.iter().map(|text| text.read().into_owned()).collect())
    }
}
