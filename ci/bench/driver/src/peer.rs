//! Who is measured, and how.

use std::process::Command;

use bench_workloads::{Unit, Workload};
use camino::Utf8Path;

use crate::build::Binary;
use crate::child::Run;

/// A tracer.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Its name in tables.
    pub name: &'static str,
    /// What it runs.
    pub binary: Binary,
    /// What it is called by, if it is a program that runs another; `OUTPUT` is a file that it may write.
    pub tool: &'static [&'static str],
    /// Environment variables.
    pub env: &'static [(&'static str, &'static str)],
    /// Most workloads.
    brief: Rounds,
    /// Those about blocks that are live at once, which have to be made first.
    live: Rounds,
}

/// How a workload is run.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    /// How often.
    pub rounds: usize,
    /// Into how many parts the work is divided, of which one is done in a round.
    pub parts: usize,
}

const fn rounds(rounds: usize, parts: usize) -> Rounds {
    Rounds { rounds, parts }
}

const OUTPUT: &str = "OUTPUT";

/// What all others are compared with.
pub const UNTRACED: Peer = Peer {
    name: "untraced",
    binary: Binary::Untraced,
    tool: &[],
    env: &[],
    brief: rounds(0, 1),
    live: rounds(0, 1),
};

/// Ours. It takes less than twice as long as untraced, so that many rounds are needed to tell by how much less; and they are short,
/// because what else the machine does has to be the same for both.
pub const OURS: Peer = Peer {
    name: "ours",
    binary: Binary::Ours,
    brief: rounds(101, 10),
    live: rounds(21, 1),
    ..UNTRACED
};

/// What the others have in common. They take so much longer that few rounds tell by how much.
const OTHER: Peer = Peer { brief: rounds(3, 1), live: rounds(3, 10), ..UNTRACED };

/// The others. Their frames are at least as many as those that ours shows, or as many as they can keep.
const OTHERS: [Peer; 5] = [
    Peer { name: "heaptrack", tool: &["heaptrack", "--output", OUTPUT], ..OTHER },
    Peer {
        name: "massif",
        tool: &[
            "valgrind",
            "--quiet",
            "--tool=massif",
            "--depth=16",
            "--massif-out-file=/dev/null",
        ],
        ..OTHER
    },
    Peer {
        name: "memcheck",
        tool: &["valgrind", "--quiet", "--tool=memcheck", "--leak-check=full", "--num-callers=16"],
        ..OTHER
    },
    Peer { name: "dhat-rs", binary: Binary::Dhat, brief: rounds(3, 10), ..OTHER },
    Peer {
        name: "jemalloc",
        binary: Binary::Jemalloc,
        env: &[("_RJEM_MALLOC_CONF", "prof:true,prof_active:true,lg_prof_sample:0")],
        brief: rounds(3, 10),
        ..OTHER
    },
];

/// Who is measured on a workload.
pub fn peers(workload: &Workload, quick: bool) -> Vec<Peer> {
    if quick {
        let fewer = |all: Rounds| Rounds { rounds: all.rounds / 4, ..all };
        return vec![Peer { brief: fewer(OURS.brief), live: fewer(OURS.live), ..OURS }];
    }
    let mut peers = vec![OURS];
    // Whether cost grows with live blocks is asked of ours; to have ten million of them takes others minutes.
    if !workload.name.starts_with("flat-") {
        peers.extend(OTHERS);
    }
    peers
}

/// The place of a tracer in tables; what is none comes last.
pub fn position(name: &str) -> usize {
    [OURS].iter().chain(&OTHERS).position(|peer| peer.name == name).unwrap_or(usize::MAX)
}

impl Peer {
    /// How this workload is run.
    pub fn rounds(&self, workload: &Workload) -> Rounds {
        match workload.unit {
            Unit::BytesPerBlock => Rounds { parts: 1, ..self.live },
            Unit::Seconds if workload.live > 0 => self.live,
            Unit::Seconds => self.brief,
        }
    }

    /// The process that does one of so many parts of a workload.
    pub fn command(
        &self,
        path: &Utf8Path,
        workload: &Workload,
        parts: usize,
        scratch: &Utf8Path,
    ) -> Command {
        let mut words =
            self.tool.iter().map(|word| word.replace(OUTPUT, scratch.join("output").as_str()));
        let mut command = match words.next() {
            Some(tool) => {
                let mut command = Command::new(tool);
                command.args(words).arg(path);
                command
            }
            None => Command::new(path),
        };
        command.arg(workload.name).arg(parts.to_string()).envs(self.env.iter().copied());
        command
    }

    /// Whether the whole process counts: what a tool does before and after belongs to its price.
    pub fn is_by_wall(&self, workload: &Workload) -> bool {
        !self.tool.is_empty() && workload.unit == Unit::Seconds
    }

    /// What counts of a process.
    pub fn figure(&self, workload: &Workload, run: Run) -> f64 {
        if self.is_by_wall(workload) { run.wall } else { run.figure }
    }
}
