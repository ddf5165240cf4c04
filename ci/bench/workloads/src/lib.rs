//! The workloads: the same work under every tracer.
//!
//! Each workload times its own work, without the start of the process and of the tracer, and
//! without preparations.

mod batch;
mod c_storm;
mod deep;
mod descent;
mod flat;
mod growth;
mod handover;
mod json;
mod live;
mod process;
mod random;
mod storm;

use std::time::Instant;

use cpu_time::ProcessTime;

pub use process::{FIGURE, PROCESSOR, main};

/// A piece of work.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// A description for a table.
    pub what: &'static str,
    /// The unit of its figure.
    pub unit: Unit,
    /// The number of repetitions in all of the work.
    pub operations: usize,
    /// The number of blocks that it allocates and frees, if it does nothing else.
    pub blocks: Option<usize>,
    /// The number of blocks that are live meanwhile, if it is about these.
    pub live: usize,
    /// Does it so often, and returns the figure.
    run: fn(&Workload, operations: usize) -> Figure,
}

/// The result of one process.
#[derive(Debug, Clone, Copy)]
struct Figure {
    /// In the workload's unit.
    value: f64,
    /// Seconds of all threads on a processor. A busy machine changes them less than the wall time.
    processor: f64,
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds for all of it.
    Seconds,
    /// Bytes of memory for each live block.
    BytesPerBlock,
}

const fn seconds(
    name: &'static str,
    what: &'static str,
    operations: usize,
    blocks: Option<usize>,
    run: fn(&Workload, usize) -> Figure,
) -> Workload {
    Workload { name, what, unit: Unit::Seconds, operations, blocks, live: 0, run }
}

const fn flat(name: &'static str, what: &'static str, live: usize) -> Workload {
    let operations = 2_000_000;
    Workload {
        name,
        what,
        unit: Unit::Seconds,
        operations,
        blocks: Some(operations),
        live,
        run: flat::run,
    }
}

const STORM: usize = 3_000_000;
const BATCH: usize = 5_000_000;
const LIVE: usize = 10_000_000;

/// All workloads, in the order in which they are measured.
pub const ALL: &[Workload] = &[
    seconds("storm", "3,000,000 small boxes, 10 to 20 calls deep", STORM, Some(STORM), storm::on_1),
    seconds("storm-2", "the same, by 2 threads", STORM, Some(STORM), storm::on_2),
    seconds("storm-8", "the same, by 8 threads", STORM, Some(STORM), storm::on_8),
    seconds(
        "c-storm",
        "3,000,000 small blocks of C, 10 to 20 calls deep",
        STORM,
        Some(STORM),
        c_storm::run,
    ),
    seconds(
        "batch",
        "5,000,000 slices from 10 to 20 calls deep, dropped by 10,000",
        BATCH,
        Some(BATCH),
        batch::on_1,
    ),
    seconds("batch-2", "the same, by 2 threads", BATCH, Some(BATCH), batch::on_2),
    seconds("batch-8", "the same, by 8 threads", BATCH, Some(BATCH), batch::on_8),
    seconds(
        "handover",
        "2,000,000 boxes, freed by another thread",
        2_000_000,
        Some(2_000_000),
        handover::run,
    ),
    seconds("realloc", "200,000 vectors, pushed one by one", 200_000, None, growth::run),
    seconds("serde_json", "60 x parse and clone of a document of 2,000 keys", 60, None, json::run),
    seconds("deep", "5,000 x 200 nested calls, a box in each", 5_000, Some(1_000_000), deep::run),
    Workload {
        name: "live",
        what: "10,000,000 boxes, live at once, then freed",
        unit: Unit::Seconds,
        operations: LIVE,
        blocks: Some(LIVE),
        live: LIVE,
        run: live::time,
    },
    flat("flat-1k", "2,000,000 of 1,000 live boxes replaced", 1_000),
    flat("flat-100k", "2,000,000 of 100,000 live boxes replaced", 100_000),
    flat("flat-10m", "2,000,000 of 10,000,000 live boxes replaced", 10_000_000),
    Workload {
        name: "memory",
        what: "1,000,000 boxes of 8 bytes, live at once",
        unit: Unit::BytesPerBlock,
        operations: 1_000_000,
        blocks: None,
        live: 0,
        run: live::memory,
    },
];

impl Workload {
    /// The workload of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|workload| workload.name == name)
    }
}

/// The seconds that something takes.
fn timed(work: impl FnOnce()) -> Figure {
    let (started, processor) = (Instant::now(), ProcessTime::now());
    work();
    Figure { value: started.elapsed().as_secs_f64(), processor: processor.elapsed().as_secs_f64() }
}
