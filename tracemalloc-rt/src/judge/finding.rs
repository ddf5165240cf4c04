//! The answer of the heap about some growth, with names and places as reports show them.

use crate::bridge;
use crate::heap;
use crate::heap::{Fate, Holder, HolderKind};
use crate::judge::stack_symbolizer::StackSymbolizer;
use crate::judge::traceback::Traceback;
use crate::judge::traceback_rules::TracebackRules;
use crate::names::function_name;
use crate::names::symbol::Symbol;
use crate::trace::stack_id::StackId;

/// The result of the heap search for some growth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Finding {
    /// The heap was not searched, or the search had no result.
    #[default]
    Unknown,
    /// Nothing points to the blocks.
    Lost {
        /// The lost block that leads to them, if one does.
        with: Option<Head>,
        /// The cycle that one of them begins: each step points to the next, and the last one to
        /// the first.
        cycle: Vec<Step>,
        /// The number of steps of the whole cycle. Steps are missing before the last one.
        steps: u32,
    },
    /// Something still points to the blocks.
    Held {
        /// The holder.
        by: Holder,
        /// The offset of the pointer in it, if it is a static or thread-local with a name.
        pointer: Option<usize>,
        /// The shortest path from the holder to one of the blocks, which is the last step.
        path: Vec<Step>,
        /// The number of steps of the whole path. Steps are missing before the last one.
        steps: u32,
    },
}

/// A lost block that leads to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The block.
    pub block: Step,
    /// The frames that allocated it, oldest first.
    pub traceback: Vec<Symbol>,
}

/// A block on the path to a block that grew, or that block itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// Its type, if the symbols tell it.
    pub type_name: Option<String>,
    /// The file and the line that allocated it, if they are known.
    pub place: Option<(String, u32)>,
    /// The function that allocated it, if its line is not known. Without both, it is untraced.
    pub function: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
    /// The offset in it of the pointer to the next step; `u32::MAX` if it is not known, and 0 for
    /// the last step of a path.
    pub pointer: u32,
    /// On a cycle, the number of strong handles to it, if they are proven; otherwise 0.
    pub strong: u32,
}

/// Gives the results of the heap search the names and places of reports.
#[derive(Debug)]
pub struct FindingNamer<'a> {
    /// The rules for tracebacks.
    pub traceback_rules: &'a TracebackRules,
    /// The names of frames.
    pub symbolizer: &'a mut StackSymbolizer,
}

impl FindingNamer<'_> {
    /// The finding for these blocks.
    pub fn finding(&mut self, found: &heap::Retained) -> Finding {
        let path = found.path.iter().map(|step| self.step(step)).collect();
        match &found.holder {
            _ if found.fate == Fate::Freed => Finding::Unknown,
            Some(holder) => Finding::Held {
                by: self.holder(holder),
                pointer: found.pointer,
                path,
                steps: found.steps,
            },
            None => Finding::Lost {
                with: found.head.map(|head| self.head(head)),
                cycle: path,
                steps: found.steps,
            },
        }
    }

    /// A holder, with names as people write them.
    pub fn holder(&self, holder: &Holder) -> Holder {
        let name = match holder.kind {
            HolderKind::Static | HolderKind::ThreadLocal => function_name::pretty(&holder.name),
            _ => holder.name.clone(),
        };
        Holder { name, start: holder.start.as_deref().map(function_name::pretty), ..holder.clone() }
    }

    fn head(&mut self, stack: StackId) -> Head {
        let traceback = self.traceback(stack);
        Head { block: block(Some(&traceback), 0, 0), traceback: traceback.traceback }
    }

    fn step(&mut self, step: &heap::Step) -> Step {
        let traceback = step.stack.map(|stack| self.traceback(stack));
        Step { strong: step.strong, ..block(traceback.as_ref(), step.size, step.pointer) }
    }

    /// The traceback of a stack.
    pub fn traceback(&mut self, stack: StackId) -> Traceback {
        self.traceback_rules.traceback(bridge::domain(stack), &self.symbolizer.frames(stack))
    }
}

/// A block with this traceback.
fn block(traceback: Option<&Traceback>, bytes: u64, pointer: u32) -> Step {
    let recent = traceback.and_then(|traceback| traceback.traceback.last());
    let place = recent.filter(|frame| frame.line > 0).map(|frame| (frame.file.clone(), frame.line));
    let function = recent.filter(|frame| frame.line == 0).map(|frame| frame.function.clone());
    let type_name = traceback.and_then(|traceback| traceback.type_name.clone());
    Step { type_name, place, function, bytes, pointer, strong: 0 }
}
