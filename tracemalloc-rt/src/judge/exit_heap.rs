//! The heap at a program's end: lost blocks, and the holders of the others.

use std::collections::HashMap;

use crate::heap::{self, HolderSum, Holdings};
use crate::judge::finding::{Finding, FindingNamer, Step};
use crate::judge::grown::Grown;
use crate::judge::rules::Rules;
use crate::judge::stack_symbolizer::StackSymbolizer;
use crate::judge::traceback::Traceback;
use crate::judge::traceback_rules::TracebackRules;
use crate::util::sort::sort_by;

/// All live blocks.
#[derive(Debug, Clone)]
pub struct ExitHeap {
    /// Blocks that nothing points to.
    pub lost: Grown,
    /// The same by traceback, the most bytes first. If there are very many, some are missing.
    pub lost_groups: Vec<LostGroup>,
    /// The other blocks by holder, the most bytes first.
    pub held: Vec<HolderSum>,
    /// Why lost blocks may be held all the same; `None` if the search was complete.
    pub doubt: Option<&'static str>,
}

/// Lost blocks of one traceback.
#[derive(Debug, Clone)]
pub struct LostGroup {
    /// Bytes and blocks.
    pub amount: Grown,
    /// The lost block that leads to them, if one does.
    pub with: Option<Step>,
    /// The stack that allocated them.
    pub traceback: Traceback,
}

impl ExitHeap {
    /// The blocks that a search has found.
    pub fn of(holdings: &Holdings, rules: &Rules) -> Self {
        let traceback_rules = TracebackRules::new(rules);
        let mut symbolizer = StackSymbolizer::default();
        symbolizer.prepare(holdings.lost.iter().flat_map(heap::Retained::stacks));
        let mut namer =
            FindingNamer { traceback_rules: &traceback_rules, symbolizer: &mut symbolizer };
        let mut groups: HashMap<(Traceback, Option<Step>), Grown> = HashMap::new();
        for lost in &holdings.lost {
            let traceback = namer.traceback(lost.stack);
            let with = match namer.finding(lost) {
                Finding::Lost { with, .. } => with.map(|head| head.block),
                Finding::Held { .. } | Finding::Unknown => None,
            };
            let amount = groups.entry((traceback, with)).or_default();
            *amount = *amount + Grown { bytes: lost.bytes, blocks: lost.blocks };
        }
        let mut lost_groups: Vec<LostGroup> = groups
            .into_iter()
            .map(|((traceback, with), amount)| LostGroup { amount, with, traceback })
            .collect();
        sort_by(&mut lost_groups, |a, b| {
            let size = |group: &LostGroup| (group.amount.bytes, group.amount.blocks);
            (size(b), &a.traceback.traceback, &a.with).cmp(&(
                size(a),
                &b.traceback.traceback,
                &b.with,
            ))
        });
        let held = holdings.held.iter().map(|sum| HolderSum {
            holder: namer.holder(&sum.holder),
            steps: Vec::new(),
            ..*sum
        });
        Self {
            lost: Grown { bytes: holdings.lost_bytes, blocks: holdings.lost_blocks },
            held: held.collect(),
            lost_groups,
            doubt: holdings.doubt,
        }
    }
}
