//! The differences to an earlier report: the earlier size of a grown leak, and the leaks that are
//! gone.

use crate::output::text::growth::amount_of;
use crate::output::text::leak;
use crate::output::text::line::{count, line};
use crate::report::{Change, Comparison, Report};
use crate::util::terminal::{DIM, GOOD, NOTE};

/// The number of leaks that are named.
const SHOWN: usize = 10;

/// The line below a grown leak's headline: `grown from 64 B in 1 block a run`.
pub fn note(change: Change) -> Option<String> {
    match change {
        Change::Grown { bytes, blocks } => {
            Some(format!("grown from {} a run", amount_of(bytes, blocks)))
        }
        Change::New | Change::Same => None,
    }
}

/// Lines for leaks that are gone, and the number of those that are as before.
pub fn render(notes: &mut String, report: &Report, comparison: &Comparison) {
    for leak in comparison.gone.iter().take(SHOWN) {
        line(notes, format_args!("{GOOD}gone{GOOD:#} {}", leak::in_a_line(leak)));
    }
    let more = comparison.gone.len().saturating_sub(SHOWN);
    if more > 0 {
        line(notes, format_args!("{DIM}and {more} more gone{DIM:#}"));
    }
    for leak in &report.leaks {
        let new = comparison.new_functions(leak);
        if !new.is_empty() {
            let (leak, new) = (leak::in_a_line(leak), new.join(", "));
            line(
                notes,
                format_args!("as before {leak}; {NOTE}new:{NOTE:#} {new} allocates for it"),
            );
        }
    }
    let failing = report.leaks.iter().filter(|leak| leak.fails(&report.options.deny));
    let same = failing.filter(|leak| comparison.of(leak) == Change::Same).count();
    if same > 0 {
        line(notes, format_args!("{DIM}{} as before{DIM:#}", count(same as u64, "leak")));
    }
}
