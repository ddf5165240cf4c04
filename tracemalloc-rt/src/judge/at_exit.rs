//! The heap at a program's end: lost blocks, and the holders of the others.

use std::collections::HashMap;

use crate::heap;
use crate::heap::HolderSum;
use crate::judge::finding::{Finding, Step, Teller};
use crate::judge::grown::Grown;
use crate::judge::rules::Rules;
use crate::judge::stack_symbolizer::StackSymbolizer;
use crate::judge::traceback::Traceback;
use crate::judge::traceback_rules::TracebackRules;
use crate::util::sort::sort_by;

/// All that is live.
#[derive(Debug, Clone)]
pub struct Remains {
    /// What nothing points to.
    pub lost: Grown,
    /// The same by where it was allocated, the most bytes first. Of very many places, some are
    /// left out.
    pub lost_groups: Vec<LostGroup>,
    /// The rest by holder, the most bytes first.
    pub held: Vec<HolderSum>,
    /// Why what is said to be lost may be held all the same; `None` where nothing was in the way.
    pub doubt: Option<&'static str>,
}

/// Lost blocks of one traceback.
#[derive(Debug, Clone)]
pub struct LostGroup {
    /// How much.
    pub amount: Grown,
    /// The lost block that leads to them, where one does.
    pub with: Option<Step>,
    /// Where they were allocated.
    pub traceback: Traceback,
}

impl Remains {
    /// What is live now. Below the address `stack_from`, the stack of this thread is that of who
    /// asks.
    ///
    /// # Errors
    ///
    /// In words, why the heap cannot be searched.
    pub fn now(rules: &Rules, stack_from: usize) -> Result<Self, &'static str> {
        let holdings = heap::holdings(stack_from)?;
        let traceback_rules = TracebackRules::new(rules);
        let mut symbolizer = StackSymbolizer::default();
        symbolizer.prepare(holdings.lost.iter().flat_map(heap::Retained::stacks));
        let mut teller = Teller { traceback_rules: &traceback_rules, symbolizer: &mut symbolizer };
        let mut groups: HashMap<(Traceback, Option<Step>), Grown> = HashMap::new();
        for lost in &holdings.lost {
            let traceback = teller.traceback(lost.stack);
            let with = match teller.finding(lost) {
                Finding::Lost { with } => with,
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
        let held = holdings
            .held
            .iter()
            .map(|sum| HolderSum { holder: teller.holder(&sum.holder), ..*sum });
        Ok(Self {
            lost: Grown { bytes: holdings.lost_bytes, blocks: holdings.lost_blocks },
            held: held.collect(),
            lost_groups,
            doubt: holdings.doubt,
        })
    }
}
