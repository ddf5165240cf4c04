//! The backtraces of panics, which are printed only if the test fails.
//!
//! With `RUST_BACKTRACE=1`, std names the frames of each panic, and first reads the debug
//! information of the whole binary. Many tests panic and pass. So std gets no order to print
//! backtraces. A hook keeps the addresses, and names them when the first run has failed. At a
//! terminal, it prints each at once. What std reads for a backtrace never counts as the test's.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, MutexGuard, TryLockError};

use tracemalloc::internal;

/// The variable that std reads at the first panic.
const STYLE_VAR: &str = "RUST_BACKTRACE";

/// The number of backtraces that are kept. std would print them all.
const MOST_KEPT: usize = 64;

/// Messages of panics that end the process (`library/core/src/panicking.rs`).
const ABORTING: [&str; 2] =
    ["panic in a function that cannot unwind", "panic in a destructor during cleanup"];

/// The panics of the first run. `None` if std prints their backtraces, or if the run is over.
static PANICS: Mutex<Option<Panics>> = Mutex::new(None);

#[derive(Debug)]
struct Panics {
    is_full: bool,
    /// Whether backtraces are printed when the panics happen.
    prints_at_once: bool,
    process: u32,
    /// Place and backtrace, in order.
    kept: Vec<(String, Backtrace)>,
}

/// Keeps the backtraces of panics from now on, if the environment demands backtraces. Called on the
/// main thread, before there are others.
#[cfg(unix)]
pub fn keep() {
    use std::io::IsTerminal as _;

    let Some(style) = std::env::var_os(STYLE_VAR).filter(|style| style != "0") else { return };
    if !std_forgets_the_variable(&style) {
        return;
    }
    let panics = Panics {
        is_full: style == "full",
        prints_at_once: std::io::stderr().is_terminal(),
        process: std::process::id(),
        kept: Vec::with_capacity(MOST_KEPT),
    };
    *lock().expect("no other thread runs") = Some(panics);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        hook(panic);
        let _pause = internal::pause();
        add(panic);
    }));
}

/// On other systems std prints them.
#[cfg(not(unix))]
pub fn keep() {}

/// Makes std remember that it prints no backtrace. It reads the variable at the first panic, so one
/// is caught while the variable is not set and stderr is closed.
#[cfg(unix)]
fn std_forgets_the_variable(style: &std::ffi::OsStr) -> bool {
    // SAFETY: the path is a C string, and the descriptors are open where they are used. No other
    // thread reads the environment yet.
    unsafe {
        let stderr = libc::fcntl(libc::STDERR_FILENO, libc::F_DUPFD_CLOEXEC, 3);
        let nowhere = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        let is_hidden = stderr >= 0
            && nowhere >= 0
            && libc::dup2(nowhere, libc::STDERR_FILENO) == libc::STDERR_FILENO;
        if is_hidden {
            std::env::remove_var(STYLE_VAR);
            let _caught = std::panic::catch_unwind(|| panic!("no test has begun"));
            std::env::set_var(STYLE_VAR, style);
            libc::dup2(stderr, libc::STDERR_FILENO);
        }
        for descriptor in [stderr, nowhere] {
            if descriptor >= 0 {
                libc::close(descriptor);
            }
        }
        is_hidden
    }
}

/// Keeps the backtrace of a panic. Prints all at once if the harness will not see the end.
fn add(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let is_wanted = lock()
        .is_some_and(|panics| panics.as_ref().is_some_and(|panics| panics.kept.len() < MOST_KEPT));
    if !is_wanted {
        return;
    }
    let backtrace = Backtrace::force_capture();
    let Some(mut panics) = lock() else { return };
    let Some(panics) = panics.as_mut() else { return };
    if panics.kept.len() < MOST_KEPT {
        panics.kept.push((place, backtrace));
    }
    let aborts =
        internal::panic_message(panic.payload()).is_some_and(|message| ABORTING.contains(&message));
    if panics.prints_at_once || aborts || panics.process != std::process::id() {
        eprint!("{}", panics.text());
        panics.kept.clear();
    }
}

/// The first run is over: prints the backtraces if it has failed, and keeps no more.
pub fn end_of_first_run(has_failed: bool) {
    let Some(panics) = lock().and_then(|mut panics| panics.take()) else { return };
    if has_failed {
        eprint!("{}", panics.text());
    }
}

/// After `fork`, a thread that holds the lock may be missing.
fn lock() -> Option<MutexGuard<'static, Option<Panics>>> {
    for _ in 0..1000 {
        match PANICS.try_lock() {
            Ok(panics) => return Some(panics),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    None
}

impl Panics {
    /// The backtraces as std prints them, each with the place of its panic if there are several.
    fn text(&self) -> String {
        let mut text = String::new();
        for (place, backtrace) in &self.kept {
            if self.kept.len() > 1 {
                let _ = writeln!(text, "panicked at {place}:");
            }
            let frames =
                if self.is_full { format!("{backtrace:#}") } else { short(&backtrace.to_string()) };
            let _ = write!(text, "stack backtrace:\n{frames}");
        }
        if self.kept.len() == MOST_KEPT {
            let _ =
                writeln!(text, "note: there may be more panics, whose backtraces are left out.");
        }
        if !text.is_empty() && !self.is_full {
            text.push_str(
                "note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n",
            );
        }
        text
    }
}

/// The frames between the two functions by which std, and [`Test`](crate::child::test::Test), mark
/// the interesting part. They are numbered from 0.
fn short(backtrace: &str) -> String {
    let mut frames: Vec<(&str, String)> = Vec::new();
    for line in backtrace.lines() {
        match line.trim_start().split_once(": ") {
            Some((number, name)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                frames.push((name, String::new()));
            }
            _ => {
                if let Some((_, places)) = frames.last_mut() {
                    let _ = writeln!(places, "{line}");
                }
            }
        }
    }
    let marked = |name: &str| frames.iter().position(|(frame, _)| frame.contains(name));
    let start = marked("__rust_end_short_backtrace").map_or(0, |marked| marked + 1);
    let end = marked("__rust_begin_short_backtrace").filter(|&end| end >= start);
    let shown = &frames[start..end.unwrap_or(frames.len())];
    let mut text = String::new();
    for (number, (name, places)) in shown.iter().enumerate() {
        let _ = write!(text, "{number:>4}: {name}\n{places}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_short_backtrace_has_the_frames_of_the_test() {
        let whole = "   0: harness::hook\n             at ./a.rs:1:2\n   \
                     1: std::sys::backtrace::__rust_end_short_backtrace\n   2: rust_begin_unwind\n   \
                     3: demo::tests::fails\n             at ./src/lib.rs:3:4\n   \
                     4: harness::test::__rust_begin_short_backtrace\n   5: main\n";
        let expected = "   0: rust_begin_unwind\n   1: demo::tests::fails\n             at \
                        ./src/lib.rs:3:4\n";
        assert_eq!(short(whole), expected);
        assert_eq!(short("disabled backtrace"), "");
        assert_eq!(short("  9: only\n"), "   0: only\n");
    }
}
