//! What a test has kept, and what that comes to: the harness and checks judge by the same rules,
//! which are here.
//!
//! From changes by stack ([`grouping`]) to tracebacks that their reader knows ([`traceback`]), and
//! from what they have grown by in one run after another, and what the heap says of it ([`heap_search`]),
//! to a verdict ([`verdict`]). Nothing here runs or measures anything.

mod at_exit;
mod finding;
mod grouping;
mod heap_search;
mod initialiser;
mod leak_text;
mod quiescence;
mod rules;
mod traceback;
mod verdict;

pub use at_exit::{LostGroup, Remains};
pub use finding::{Finding, Step};
pub use grouping::{GroupGrowth, GroupId, Grouper, Grown, Share};
pub use heap_search::Heap;
pub use leak_text::{Headline, Leak, leak_text};
pub use quiescence::{Patience, settled};
pub use rules::{KnownLeak, Limit, Prefix, Rules};
pub use traceback::Traceback;
pub use verdict::{Growth, GrowthKind, Judge, Judged, LEAST_RUNS, Ruling, Verdict};
