//! The verdict on the blocks that are live when a program ends.

use std::time::{Duration, Instant};

use tracemalloc::internal::Change;
use tracemalloc::internal::judge::{Case, Elapsed, Grouper, Grown, Ruling, Run};

use crate::child::exit_stack;
use crate::child::verdict_entry;
use crate::protocol::session::Session;
use crate::protocol::test_entry::TestEntry;

/// Judges the changes since the program has `started`, as the entry of this name.
pub fn exit_verdict(
    name: &str,
    session: &Session,
    changes: Vec<Change>,
    started: Instant,
) -> TestEntry {
    let rules = session.rules();
    let mut case = Case::new(&rules);
    let heap = session.heap(exit_stack::of_program());
    let mut grouper = Grouper::new(&rules, Some(heap));
    let changes = grouper.since_main(grouper.counted(changes));
    let time = Elapsed { wall: started.elapsed(), delay: Duration::ZERO };
    let run = Run { gross: Grown::gross(&changes), time, cpu: time.wall, threads: 0 };
    let judged = match case.passed(run, &mut grouper.evidence(&changes)) {
        Ruling::Final(judged) => judged,
        Ruling::RunAgain | Ruling::Wait => case.unconfirmed("still live at the end of the process"),
    };
    verdict_entry::entry(name, &judged, &mut grouper, session)
}
