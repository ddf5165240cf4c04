//! The answer of the heap about some growth, with names and places as reports show them.

use crate::heap;
use crate::heap::{Fate, Holder, HolderKind};
use crate::judge::stack_symbolizer::StackSymbolizer;
use crate::judge::traceback::Traceback;
use crate::judge::traceback_rules::TracebackRules;
use crate::names::function_name;
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
        with: Option<Step>,
    },
    /// Something still points to the blocks.
    Held {
        /// The holder.
        by: Holder,
        /// The shortest path from the holder to one of the blocks, which is the last step.
        path: Vec<Step>,
        /// The number of steps of the whole path. Steps are missing before the last one.
        steps: u32,
    },
}

/// A block on the path to a block that grew, or that block itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// Its type, if the symbols tell it.
    pub type_name: Option<String>,
    /// The file and the line that allocated it, if they are known.
    pub place: Option<(String, u32)>,
    /// Its size in bytes.
    pub bytes: u64,
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
        match &found.holder {
            _ if found.fate == Fate::Freed => Finding::Unknown,
            Some(holder) => Finding::Held {
                by: self.holder(holder),
                path: found.path.iter().map(|step| self.step(step.stack, step.size)).collect(),
                steps: found.steps,
            },
            None => Finding::Lost { with: found.head.map(|head| self.step(Some(head), 0)) },
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

    fn step(&mut self, stack: Option<StackId>, bytes: u64) -> Step {
        let traceback = stack.map(|stack| self.traceback(stack));
        let recent = traceback.as_ref().and_then(|traceback| traceback.traceback.last());
        let place =
            recent.filter(|frame| frame.line > 0).map(|frame| (frame.file.clone(), frame.line));
        Step { type_name: traceback.and_then(|traceback| traceback.type_name), place, bytes }
    }

    /// The traceback of a stack.
    pub fn traceback(&mut self, stack: StackId) -> Traceback {
        self.traceback_rules.traceback(&self.symbolizer.frames(stack))
    }
}
