//! What a test has kept, and what that comes to: the harness and checks judge by the same rules,
//! which are here.
//!
//! From changes by stack ([`growth`]) to tracebacks that their reader knows ([`traceback`]), and
//! from what they have grown by in one run after another, and what the heap says of it ([`heap`]),
//! to a verdict ([`verdict`]). Nothing here runs or measures anything.

mod finding;
mod growth;
mod heap;
mod initialiser;
mod leak_text;
mod remains;
mod rules;
mod settle;
mod traceback;
mod verdict;

pub use finding::{Finding, Step};
pub use growth::{GroupGrowth, GroupId, Grouper, Grown, Share};
pub use heap::Heap;
pub use leak_text::{Headline, Leak, leak_text};
pub use remains::{LostGroup, Remains};
pub use rules::{KnownLeak, Limit, Prefix, Rules};
pub use settle::{Patience, settled};
pub use traceback::Traceback;
pub use verdict::{Growth, GrowthKind, Judge, Judged, LEAST_RUNS, Ruling, Verdict};
