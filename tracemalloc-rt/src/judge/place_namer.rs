//! Names the places of a program's memory: holders, and lines that allocated blocks.

use std::collections::HashMap;

use crate::heap::{self, HolderKind};
use crate::judge::finding::FindingNamer;
use crate::judge::rules::Rules;
use crate::judge::stack_symbolizer::StackSymbolizer;
use crate::judge::traceback_rules::TracebackRules;
use crate::model::held_memory::{HeldKind, HeldPlace};
use crate::trace::stack_id::StackId;

/// Names places, each stack once. Kept for a whole run, it asks for no name twice.
#[derive(Debug)]
pub struct PlaceNamer {
    traceback_rules: TracebackRules,
    symbolizer: StackSymbolizer,
    named: HashMap<StackId, HeldPlace>,
}

impl PlaceNamer {
    /// A namer with these rules for tracebacks.
    pub fn new(rules: &Rules) -> Self {
        Self {
            traceback_rules: TracebackRules::new(rules),
            symbolizer: StackSymbolizer::default(),
            named: HashMap::new(),
        }
    }

    /// Announces stacks, so that a provider of names gets one request for all of them.
    pub fn prepare(&mut self, stacks: impl Iterator<Item = StackId>) {
        let Self { symbolizer, named, .. } = self;
        symbolizer.prepare(stacks.filter(|stack| !named.contains_key(stack)));
    }

    /// The blocks of a stack.
    pub fn blocks(&mut self, stack: StackId) -> &HeldPlace {
        let Self { traceback_rules, symbolizer, named } = self;
        named.entry(stack).or_insert_with(|| {
            let traceback = FindingNamer { traceback_rules, symbolizer }.traceback(stack);
            let recent = traceback.traceback.last().filter(|frame| frame.line > 0);
            HeldPlace {
                file: recent.map(|frame| frame.file.clone()),
                line: recent.map(|frame| frame.line),
                name: traceback.type_name,
                ..HeldPlace::new(HeldKind::Blocks)
            }
        })
    }

    /// A holder.
    pub fn holder(&mut self, holder: &heap::Holder) -> HeldPlace {
        let Self { traceback_rules, symbolizer, .. } = self;
        let holder = FindingNamer { traceback_rules, symbolizer }.holder(holder);
        let kind = match holder.kind {
            HolderKind::Static => HeldKind::Static,
            HolderKind::Library => HeldKind::Library,
            HolderKind::ThreadLocal => HeldKind::ThreadLocal,
            HolderKind::Stack => HeldKind::Stack,
            HolderKind::Register => HeldKind::Register,
            HolderKind::Foreign => HeldKind::Foreign,
        };
        HeldPlace {
            name: Some(holder.name),
            thread: holder.thread,
            start: holder.start,
            ..HeldPlace::new(kind)
        }
    }
}
