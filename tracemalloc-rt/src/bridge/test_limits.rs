//! What the attribute on a test asks of the harness that runs it: to judge it by the test's own
//! limits.
//!
//! The attribute belongs to the program's copy of this crate, the harness to the injected one. The
//! question passes between them through the table of the [handshake](crate::bridge), in types of
//! C.

use crate::bridge::text::Text;
use crate::limits::Limits;
use crate::os::fork::ForkLock;
use crate::trace::{control, thread};

/// A number that may not be given.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Number {
    given: bool,
    value: u64,
}

/// Limits of another copy. Texts that are not given are empty.
#[repr(C)]
pub struct Asked {
    test: Text,
    max_growth: Number,
    max_blocks: Number,
    max_peak: Number,
    frames: Number,
    runs: Number,
    key: Text,
    skip: Text,
    include: *const Text,
    include_len: usize,
    exclude: *const Text,
    exclude_len: usize,
}

/// The test that the harness runs, and what it has asked for.
static RUNNING: ForkLock<Option<(String, Option<Limits>)>> = ForkLock::new(None);

/// The harness is about to run this test, by the name that libtest has for it.
pub fn expect(test: &str) {
    let test = plain(test);
    RUNNING.with(|running| *running = Some((test, None)));
}

/// What the running test has asked for.
pub fn asked() -> Option<Limits> {
    RUNNING.with(|running| running.as_ref()?.1.clone())
}

/// Asks the runtime that is installed, which may be another copy. `test` is the path of the
/// function, its crate first.
#[cfg(feature = "symbolize")]
pub fn ask_harness(ask: extern "C" fn(&Asked) -> bool, test: &str, limits: &Limits) -> bool {
    let include: Vec<Text> = limits.include.iter().map(|pattern| Text::of(pattern)).collect();
    let exclude: Vec<Text> = limits.exclude.iter().map(|pattern| Text::of(pattern)).collect();
    let key = limits.key.map(|key| key.to_string()).unwrap_or_default();
    ask(&Asked {
        test: Text::of(test),
        max_growth: Number::of(limits.max_growth),
        max_blocks: Number::of(limits.max_blocks),
        max_peak: Number::of(limits.max_peak),
        frames: Number::of(limits.frames.map(u64::from)),
        runs: Number::of(limits.runs.map(u64::from)),
        key: Text::of(&key),
        skip: Text::of(limits.skip.as_deref().unwrap_or_default()),
        include: include.as_ptr(),
        include_len: include.len(),
        exclude: exclude.as_ptr(),
        exclude_len: exclude.len(),
    })
}

/// The other end of [`ask_harness`].
pub fn ask(asked: &Asked) -> bool {
    // This is the test's thread, and what is kept here is not the test's.
    let _pause = thread::pause();
    let test = asked.test.read();
    let Some((_crate, path)) = test.split_once("::") else { return false };
    let path = plain(path);
    let is_running = |running: &Option<(String, Option<Limits>)>| {
        running.as_ref().is_some_and(|(name, _)| *name == path)
    };
    if !RUNNING.with(|running| is_running(running)) {
        return false;
    }
    // SAFETY: the caller has so many texts there, and waits for our return.
    let texts = |at: *const Text, len| unsafe { core::slice::from_raw_parts(at, len) };
    let read_all = |texts: &[Text]| texts.iter().map(|text| text.read().into_owned()).collect();
    let small = |number: Number| number.read().and_then(|number| u32::try_from(number).ok());
    let given = Limits {
        max_growth: asked.max_growth.read(),
        max_blocks: asked.max_blocks.read(),
        max_peak: asked.max_peak.read(),
        include: read_all(texts(asked.include, asked.include_len)),
        exclude: read_all(texts(asked.exclude, asked.exclude_len)),
        frames: small(asked.frames),
        runs: small(asked.runs),
        key: asked.key.read().parse().ok(),
        skip: Some(asked.skip.read().into_owned()).filter(|reason| !reason.is_empty()),
    };
    if let Some(frames) = given.frames {
        control::deepen_for_checks(frames as usize + crate::trace::stack_id::FRAMES_OF_STD);
    }
    RUNNING.with(|running| {
        if is_running(running)
            && let Some((_, limits)) = running
        {
            *limits = Some(given);
            return true;
        }
        false
    })
}

/// A path without the marks of raw identifiers, which not everybody writes.
fn plain(path: &str) -> String {
    path.replace("r#", "")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::key_type::KeyType;

    #[test]
    fn only_the_running_test_is_heard() {
        let limits = Limits::new()
            .max_growth(1024)
            .max_peak(4096)
            .include("src/*")
            .include("tests/*")
            .key(KeyType::Lineno)
            .runs(1);
        assert!(!ask_harness(handshake_ask, "demo::tests::r#match", &limits), "no test runs");
        expect("tests::match");
        assert!(!ask_harness(handshake_ask, "demo::tests::other", &limits));
        assert_eq!(asked(), None);
        assert!(ask_harness(handshake_ask, "demo::tests::r#match", &limits));
        assert_eq!(asked(), Some(limits));
        expect("tests::other");
        assert_eq!(asked(), None);
    }

    extern "C" fn handshake_ask(asked: &Asked) -> bool {
        ask(asked)
    }
}
