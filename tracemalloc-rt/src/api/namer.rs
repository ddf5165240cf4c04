//! Tracebacks of stacks that were captured, possibly by another copy of this crate.

use std::collections::HashSet;
use std::mem;
use std::sync::Mutex;

use rustc_hash::FxHashMap;

use crate::bridge::Table;
use crate::model::frame::Frame;
use crate::model::traceback::Traceback;
use crate::names::named_frame::NamedFrame;
use crate::names::origin;
use crate::names::symbol::Symbol;
use crate::names::symbolizer::Symbolizer;
use crate::names::trim::{after_runtime, trim};

/// What stands at the inner end of a traceback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InnerEnd {
    /// The program's own code.
    Program,
    /// What the program has called in the standard library.
    Std,
}

/// What the last one has looked up. Never waited for: it may be held for ever in the child of a
/// `fork`.
static KNOWN: Mutex<Option<Symbolizer>> = Mutex::new(None);

/// Makes tracebacks, each stack's once.
pub struct Namer {
    table: &'static Table,
    nframe: usize,
    inner_end: InnerEnd,
    symbolizer: Symbolizer,
    frames: FxHashMap<Symbol, Frame>,
    tracebacks: FxHashMap<u32, Traceback>,
    /// The last one that was asked for: blocks that lie side by side often have one stack.
    last: Option<(u32, Traceback)>,
}

impl Namer {
    /// For the stacks of this runtime, with at most `nframe` frames.
    pub fn new(table: &'static Table, inner_end: InnerEnd) -> Self {
        Self {
            table,
            nframe: (table.traceback_limit)() as usize,
            inner_end,
            symbolizer: KNOWN
                .try_lock()
                .ok()
                .and_then(|mut known| known.take())
                .unwrap_or_default(),
            frames: FxHashMap::default(),
            tracebacks: FxHashMap::default(),
            last: None,
        }
    }

    /// Says which stacks will be asked for: somebody who is to be asked is asked for all of them at
    /// once.
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
        let shown = match self.inner_end {
            InnerEnd::Program => trim(&frames).of_program,
            InnerEnd::Std => after_runtime(&frames),
        };
        // What was not kept can only be counted, as physical frames.
        let beyond = if ended { 0 } else { total as usize - addresses.len() };
        let total_nframe = (shown.len() + beyond).clamp(1, usize::from(u16::MAX));
        let frames: Vec<Frame> =
            shown.iter().take(self.nframe).rev().map(|frame| self.frame(frame)).collect();
        let traceback = Traceback::new(frames, Some(total_nframe as u32));
        self.tracebacks.insert(stack, traceback.clone());
        traceback
    }

    fn frame(&mut self, symbol: &NamedFrame) -> Frame {
        if let Some(known) = self.frames.get(&**symbol) {
            return known.clone();
        }
        let mut frame = if symbol.file.is_empty() {
            Frame::unknown()
        } else {
            Frame::new(symbol.file.as_str(), symbol.line)
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

impl Drop for Namer {
    fn drop(&mut self) {
        if let Ok(mut known) = KNOWN.try_lock() {
            *known = Some(mem::take(&mut self.symbolizer));
        }
    }
}
