//! The settings of walks: those of harness, program and checks, merged into one word.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::os::memcheck::runs_on_memcheck;
use crate::os::spin_lock::SpinLock;
use crate::trace::capture::last_walk::SHORT;
use crate::trace::stack_id::{FRAMES_OF_STD, MAX_DEPTH};
use crate::trace::state::TRACING;

/// How stacks are walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// By the chain of frame pointers: fast, and complete where the code was built with
    /// `-C force-frame-pointers=yes`.
    FramePointers,
    /// By unwind tables: works for any code, and is some hundred times slower.
    Unwind,
    /// By the chain of frame pointers where it proved complete, and by unwind tables elsewhere: for
    /// code of which nothing is known. Each chain is tried once.
    Either,
}

/// The settings in one word, so that one load reads all of them.
#[derive(Clone, Copy)]
pub struct Settings(u64);

/// The wishes of each caller.
struct Wanted {
    harness: Option<(Walk, usize)>,
    program: Option<u32>,
    checks: usize,
}

static SETTINGS: AtomicU64 = AtomicU64::new(Settings::new(Walk::FramePointers, 1, false, true).0);
static WANTED: SpinLock<Wanted> = SpinLock::new(Wanted { harness: None, program: None, checks: 0 });

/// Sets how the harness wants stacks to be walked, and how many physical frames, while it traces.
pub fn set_harness(harness: Option<(Walk, usize)>) {
    WANTED.lock().update(|wanted| wanted.harness = harness);
}

/// Sets the most frames of the program's tracebacks, while it traces.
pub fn set_program(limit: Option<u32>) {
    WANTED.lock().update(|wanted| wanted.program = limit);
}

/// Walks stacks to this depth at least from now on, for checks.
pub fn deepen_for_checks(depth: usize) {
    let mut wanted = WANTED.lock();
    if wanted.checks < depth {
        wanted.update(|wanted| wanted.checks = depth);
    }
}

pub fn before_fork() {
    WANTED.acquire();
}

pub fn after_fork() {
    WANTED.release();
}

impl Wanted {
    /// Changes the wishes. Stacks are then walked in the way of the harness, if it traces, and as
    /// deep as the deepest wish.
    fn update(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        let (walk, depth) = self.harness.unwrap_or((Walk::Either, 1));
        let of_program = self.program.map_or(0, |limit| limit as usize + FRAMES_OF_STD);
        let depth = depth.max(of_program).max(self.checks).clamp(1, MAX_DEPTH);
        let remembers = !runs_on_memcheck();
        let settings = Settings::new(walk, depth, self.program.is_some(), remembers);
        SETTINGS.store(settings.0, Ordering::Relaxed);
        TRACING.touch();
    }
}

impl Settings {
    const fn new(walk: Walk, depth: usize, counts_all: bool, remembers: bool) -> Self {
        let forgets = !remembers;
        Self(
            depth as u64 | (walk as u64) << 32 | (counts_all as u64) << 40 | (forgets as u64) << 48,
        )
    }

    /// The settings of walks that begin now.
    #[inline(always)]
    pub fn now() -> Self {
        Self(SETTINGS.load(Ordering::Relaxed))
    }

    /// How many physical frames are kept. Of stacks that a walk remembers, up to [`SHORT`] frames,
    /// all are.
    pub fn depth(self) -> usize {
        self.0 as u32 as usize
    }

    pub fn walk(self) -> Walk {
        match self.0 >> 32 & 0xFF {
            0 => Walk::FramePointers,
            1 => Walk::Unwind,
            _ => Walk::Either,
        }
    }

    /// Whether short stacks are walked by frame pointers, beginning with the last walk.
    pub fn short_by_frame_pointers(self) -> bool {
        self.depth() <= SHORT && self.remembers() && self.walk() != Walk::Unwind
    }

    /// Whether frames beyond those that are kept are counted.
    pub fn counts_all(self) -> bool {
        self.0 >> 40 & 0xFF != 0
    }

    /// Whether walks begin with the frames of the last one. On Memcheck they do not: some of these
    /// frames may have gone, and Memcheck would report that words below the stack pointer are read.
    pub fn remembers(self) -> bool {
        self.0 >> 48 == 0
    }
}
