//! The spending of a check's code: all that it allocates, freed or not, and its budget.

use crate::check::measurement::Measurement;
use crate::judge::{GroupId, Grouper, Grown, Leak, Rules, many, size};
use crate::limits::Limits;
use crate::util::sort::sort_by_key;

/// The tracebacks that a failure shows at most.
const SHOWN: usize = 5;

/// All allocations of the code by traceback, without those of initialisers and of files that do not
/// count.
pub struct Spending {
    /// Their bytes, and their number.
    pub sum: Grown,
    by_traceback: Vec<(GroupId, Grown)>,
    grouper: Grouper<'static>,
}

impl Spending {
    /// The spending up to now.
    pub fn of(measurement: &Measurement, rules: &Rules) -> Self {
        let mut grouper = Grouper::new(rules, None);
        let by_traceback: Vec<(GroupId, Grown)> = grouper
            .changes(&measurement.spending())
            .into_iter()
            .filter(|change| !change.initialiser)
            .filter_map(|change| Some((change.id, Grown::of(change.bytes, change.blocks)?)))
            .collect();
        let sum = by_traceback.iter().map(|(_, spent)| *spent).sum();
        Self { sum, by_traceback, grouper }
    }

    /// The text of the failure, if it is above the budget. It shows the tracebacks that spent the
    /// most.
    pub fn failure(mut self, limits: &Limits) -> Option<String> {
        let Grown { bytes, blocks } = self.sum;
        let allocations = limits.max_allocations.filter(|most| blocks > *most);
        let total = limits.max_total.filter(|most| bytes > *most);
        let mut exceeded: Vec<String> = Vec::new();
        if let Some(most) = allocations {
            exceeded.push(format!("made {}, limit {most}", many(blocks, "allocation")));
        }
        if let Some(most) = total {
            let (spent, limit) = (size(bytes), size(most));
            exceeded.push(format!(
                "allocated {spent} in total ({bytes} bytes), limit {limit} ({most} bytes)"
            ));
        }
        if exceeded.is_empty() {
            return None;
        }
        let by_number = allocations.is_some();
        sort_by_key(&mut self.by_traceback, |(_, spent)| {
            let Grown { bytes, blocks } = *spent;
            core::cmp::Reverse(if by_number { (blocks, bytes) } else { (bytes, blocks) })
        });
        let (shown, rest) = self.by_traceback.split_at(SHOWN.min(self.by_traceback.len()));
        let mut text = exceeded.join("\n");
        for (id, spent) in shown {
            let place = self.grouper.get(*id);
            let leak = Leak::new(*spent, place);
            text += "\n\n";
            text += &leak.paragraph("allocation");
        }
        if !rest.is_empty() {
            let Grown { bytes, blocks } = rest.iter().map(|(_, spent)| *spent).sum();
            let (places, allocations) = (rest.len() as u64, many(blocks, "allocation"));
            let places = many(places, "other place");
            text += &format!("\n\n  {} in {allocations} at {places}", size(bytes));
        }
        Some(text)
    }
}

/// Whether there is a budget.
pub fn is_limited(limits: &Limits) -> bool {
    limits.max_allocations.is_some() || limits.max_total.is_some()
}
