//! Makes tracebacks of captured stacks. The allocator's copy of this crate may be another one.

use std::collections::HashSet;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use crate::bridge::Table;
use crate::model::frame::Frame;
use crate::model::traceback::Traceback;
use crate::names::named_frame::NamedFrame;
use crate::names::origin;
use crate::names::provider;
use crate::names::symbol::Symbol;
use crate::names::symbolizer::Symbolizer;
use crate::names::trim::{after_runtime, trim};

/// The frames that a traceback has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frames {
    /// Those of the program's own code, and of its dependencies.
    Program,
    /// Those of the standard library too.
    WithStd,
}

/// The names that the last namer has looked up. No thread waits for this lock: in the child of a
/// `fork` it may be held for ever.
static KNOWN: Mutex<Option<Symbolizer>> = Mutex::new(None);

/// A short name for a file, in the place of its name as compiled.
pub type Rename<'r> = &'r dyn Fn(&str) -> String;

/// Makes the traceback of each stack once.
pub struct Namer<'r> {
    table: &'static Table,
    nframe: usize,
    wanted: Frames,
    rename: Option<Rename<'r>>,
    symbolizer: Symbolizer,
    frames: FxHashMap<Symbol, Frame>,
    tracebacks: FxHashMap<u32, Traceback>,
    /// The last traceback: blocks that lie side by side often have one stack.
    last: Option<(u32, Traceback)>,
    debug_information: DebugInformation,
}

impl<'r> Namer<'r> {
    /// A namer for the stacks of this runtime, with as many frames as its limit says.
    pub fn new(table: &'static Table, wanted: Frames) -> Self {
        Self {
            table,
            nframe: (table.traceback_limit)() as usize,
            wanted,
            rename: None,
            symbolizer: KNOWN
                .try_lock()
                .ok()
                .and_then(|mut known| known.take())
                .unwrap_or_default(),
            frames: FxHashMap::default(),
            tracebacks: FxHashMap::default(),
            last: None,
            debug_information: DebugInformation::default(),
        }
    }

    /// The same with short names for files.
    pub fn with_names(mut self, rename: Option<Rename<'r>>) -> Self {
        self.rename = rename;
        self
    }

    /// Announces the stacks that [`Namer::traceback`] will be called with: a provider of names then
    /// gets one request for all of them.
    pub fn prepare(&mut self, stacks: impl Iterator<Item = u32>) {
        let (table, known) = (self.table, &self.tracebacks);
        let mut seen = HashSet::new();
        let new = stacks.filter(|stack| !known.contains_key(stack) && seen.insert(*stack));
        self.symbolizer.prepare(new.flat_map(|stack| table.addresses(stack).0));
    }

    /// The traceback of a stack: its most recent frames, oldest first.
    pub fn traceback(&mut self, stack: u32) -> Traceback {
        if let Some((_, last)) = self.last.as_ref().filter(|(of, _)| *of == stack) {
            return last.clone();
        }
        let traceback = self.tracebacks.get(&stack).cloned().unwrap_or_else(|| self.make(stack));
        self.last = Some((stack, traceback.clone()));
        traceback
    }

    fn make(&mut self, stack: u32) -> Traceback {
        let (addresses, total) = self.table.addresses(stack);
        let (frames, ended) = self.symbolizer.frames(&addresses, origin::ends_traceback);
        let shown: Vec<&NamedFrame> = match self.wanted {
            Frames::Program => self.of_program(&frames),
            Frames::WithStd => after_runtime(&frames).iter().map(|frame| &**frame).collect(),
        };
        // Frames that were not kept can only be counted, as physical frames.
        let beyond = if ended { 0 } else { total as usize - addresses.len() };
        let total_nframe = (shown.len() + beyond).clamp(1, usize::from(u16::MAX));
        let frames: Vec<Frame> =
            shown.iter().take(self.nframe).rev().map(|frame| self.frame(frame)).collect();
        let traceback = Traceback::new(frames, Some(total_nframe as u32));
        self.tracebacks.insert(stack, traceback.clone());
        traceback
    }

    /// The program's frames; those of the standard library if there are no others.
    fn of_program<'f>(&mut self, frames: &'f [Arc<NamedFrame>]) -> Vec<&'f NamedFrame> {
        let trimmed = trim(frames).of_program;
        let is_program = |frame: &&NamedFrame| !origin::is_std(frame) && !origin::is_runtime(frame);
        let mut shown: Vec<&NamedFrame> =
            trimmed.iter().map(|frame| &**frame).filter(is_program).collect();
        self.debug_information.note(&shown, frames.first());
        if shown.is_empty() {
            shown.extend(trimmed.iter().map(|frame| &**frame));
        }
        shown
    }

    fn frame(&mut self, symbol: &NamedFrame) -> Frame {
        if let Some(known) = self.frames.get(&**symbol) {
            return known.clone();
        }
        let mut frame = match (symbol.file.as_str(), symbol.pretty()) {
            ("", "") => Frame::unknown(),
            ("", function) => Frame::new(format!("<{function}>"), 0),
            (file, _) => match self.rename {
                Some(rename) => Frame::new(rename(file), symbol.line),
                None => Frame::new(file, symbol.line),
            },
        };
        if !symbol.function.is_empty() {
            frame = frame.with_function(symbol.pretty());
        }
        if symbol.column > 0 {
            frame = frame.with_column(symbol.column);
        }
        self.frames.insert(Symbol::clone(symbol), frame.clone());
        frame
    }
}

/// The debug information of the program, as far as its frames show it.
#[derive(Default)]
struct DebugInformation {
    has_files: bool,
    has_functions: bool,
    is_missing: bool,
}

impl DebugInformation {
    /// Takes in the program's frames of one stack, and the innermost of all its frames.
    fn note(&mut self, of_program: &[&NamedFrame], innermost: Option<&Arc<NamedFrame>>) {
        let has_file = of_program.iter().any(|frame| !frame.file.is_empty());
        let has_function = !of_program.is_empty();
        let is_unnamed =
            innermost.is_some_and(|frame| frame.file.is_empty() && frame.function.is_empty());
        self.has_files |= has_file;
        self.has_functions |= has_function;
        self.is_missing |= has_function && !has_file || is_unnamed;
    }

    /// The settings that are missing, if no frame has a file.
    fn advice(&self) -> Option<&'static str> {
        match (self.is_missing && !self.has_files, self.has_functions) {
            (false, _) => None,
            (true, true) => Some(
                "files and lines are unknown, because this program has no debug information: \
                 set `debug = 1` in its Cargo profile",
            ),
            (true, false) => Some(
                "functions, files and lines are unknown, because this program has no symbols: \
                 set `debug = 1` and `strip = false` in its Cargo profile",
            ),
        }
    }
}

impl Namer<'_> {
    /// Prints, once a process, which settings are missing, if no frame has a file. A program that
    /// `cargo tracemalloc` runs has the right ones.
    pub fn advise(&self) {
        static ADVISED: AtomicBool = AtomicBool::new(false);
        let Some(advice) = self.debug_information.advice() else { return };
        if provider::provider().is_none() && !ADVISED.swap(true, Ordering::Relaxed) {
            eprintln!("tracemalloc: {advice}");
        }
    }
}

impl Drop for Namer<'_> {
    fn drop(&mut self) {
        if let Ok(mut known) = KNOWN.try_lock() {
            *known = Some(mem::take(&mut self.symbolizer));
        }
    }
}
