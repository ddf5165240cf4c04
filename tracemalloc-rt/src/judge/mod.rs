//! Verdicts. The harness and checks judge by the rules of this room.
//!
//! It may call `heap`, `limits`, `names`, `model`, `trace`, `os` and `util`. It runs no
//! tests; the allocator never calls it.
//!
//! [`grouping`] puts changes by stack together by traceback, and [`heap_search`] finds the holders
//! of their blocks. A [`trial`] measures one run after another for a [`case`], which closes with a
//! [`verdict`].

mod budget;
mod case;
mod evidence;
mod exit_heap;
mod finding;
#[cfg(feature = "symbolize")]
mod finding_text;
mod group;
mod grouping;
mod grown;
mod heap_search;
mod held_memory;
mod initialiser;
mod known_leak;
mod leak_text;
mod live_lines;
mod mismatch;
mod place_namer;
mod prefix;
mod quiescence;
mod rate;
mod rules;
mod series;
mod set_once;
mod stack_symbolizer;
mod stopwatch;
mod stride;
mod traceback;
mod traceback_rules;
mod trial;
mod verdict;

pub use case::{Case, Ruling, Run};
pub use evidence::{GroupChange, GroupId};
pub use exit_heap::{ExitHeap, LostGroup};
pub use finding::{Finding, Head, Step};
#[cfg(feature = "symbolize")]
pub use finding_text::{finding_text, way};
pub use grouping::Grouper;
pub use grown::Grown;
pub use heap_search::HeapSearch;
pub use initialiser::is_cache_of_std;
pub use known_leak::KnownLeak;
pub use leak_text::{Headline, Leak, leak_text, many, size};
pub use live_lines::LiveLine;
pub use mismatch::Mismatch;
pub use place_namer::PlaceNamer;
pub use prefix::Prefix;
pub use quiescence::{Patience, settled};
pub use rate::{Pace, Rate};
pub use rules::Rules;
pub use stopwatch::{Elapsed, Stopwatch};
pub use traceback::Traceback;
pub use trial::{Meter, Trial};
pub use verdict::{Growth, GrowthKind, Judged, Verdict};
