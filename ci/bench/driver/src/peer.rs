//! The tracers that are measured, and their rounds.

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
    /// The binary that it runs.
    pub binary: Binary,
    /// Its command line, if it is a program that runs another; `OUTPUT` is a file that it may
    /// write.
    pub tool: &'static [&'static str],
    /// Environment variables.
    pub env: &'static [(&'static str, &'static str)],
    /// Most workloads.
    brief: Rounds,
    /// Those about blocks that are live at once, which have to be made first.
    live: Rounds,
}

/// The rounds of a workload.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    /// The number of rounds.
    pub rounds: usize,
    /// Into how many parts the work is divided, of which one is done in a round.
    pub parts: usize,
}

const fn rounds(rounds: usize, parts: usize) -> Rounds {
    Rounds { rounds, parts }
}

const OUTPUT: &str = "OUTPUT";

/// The baseline of all comparisons.
pub const UNTRACED: Peer = Peer {
    name: "untraced",
    binary: Binary::Untraced,
    tool: &[],
    env: &[],
    brief: rounds(0, 1),
    live: rounds(0, 1),
};

/// This tracer. It takes less than twice the untraced time, so it needs many rounds for a figure.
/// They are short, because the machine has to be equally busy for both.
pub const OURS: Peer = Peer {
    name: "ours",
    binary: Binary::Ours,
    brief: rounds(101, 10),
    live: rounds(21, 1),
    ..UNTRACED
};

/// This tracer without C's blocks: `--domain rust`.
const ONLY_RUST: Peer = Peer { name: "only Rust", env: &[("ONLY_RUST", "1")], ..OURS };

/// This tracer in a program: `cargo tracemalloc run` starts to trace by the same call.
pub const PROGRAM: Peer = Peer {
    name: "program",
    binary: Binary::Program,
    env: &[("NFRAME", "16")],
    brief: rounds(51, 10),
    live: rounds(11, 1),
    ..UNTRACED
};

/// This tracer in a program, in other ways.
const PROGRAMS: [Peer; 3] = [
    Peer { name: "1 frame", env: &[("NFRAME", "1")], ..PROGRAM },
    Peer { name: "sampled", env: &[("NFRAME", "16"), ("INTERVAL", "524288")], ..PROGRAM },
    Peer {
        name: "no frame pointers",
        binary: Binary::PlainProgram,
        brief: rounds(3, 10),
        live: rounds(3, 10),
        ..PROGRAM
    },
];

/// The common part of the others. They take so much longer that few rounds are enough.
const OTHER: Peer = Peer { brief: rounds(3, 1), live: rounds(3, 10), ..UNTRACED };

/// The others. They keep at least as many frames as this tracer shows, or as many as they can.
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

/// The tracers that are measured on a workload.
pub fn peers(workload: &Workload, quick: bool) -> Vec<Peer> {
    if quick {
        let fewer = |all: Rounds| Rounds { rounds: all.rounds / 4, ..all };
        let quick = |peer: Peer| Peer { brief: fewer(peer.brief), live: fewer(peer.live), ..peer };
        return vec![quick(OURS), quick(ONLY_RUST), quick(PROGRAM)];
    }
    let mut peers = vec![OURS, ONLY_RUST, PROGRAM];
    if workload.unit == Unit::Seconds {
        peers.extend(PROGRAMS);
    }
    if workload.name.starts_with("c-") {
        // The others stand in for Rust's allocator, or would see nothing of C.
        peers.extend(OTHERS.into_iter().filter(|peer| !peer.tool.is_empty()));
        return peers;
    }
    // Only this tracer is measured with many live blocks: ten million of them take others minutes.
    if !workload.name.starts_with("flat-") {
        peers.extend(OTHERS);
    }
    peers
}

/// The place of a tracer in tables; an unknown one comes last.
pub fn position(name: &str) -> usize {
    [OURS, ONLY_RUST, PROGRAM]
        .iter()
        .chain(&PROGRAMS)
        .chain(&OTHERS)
        .position(|peer| peer.name == name)
        .unwrap_or(usize::MAX)
}

impl Peer {
    /// The rounds of this workload.
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

    /// True if the whole process counts, with the work of a tool before and after.
    pub fn is_by_wall(&self, workload: &Workload) -> bool {
        !self.tool.is_empty() && workload.unit == Unit::Seconds
    }

    /// The part of a process that counts.
    pub fn figure(&self, workload: &Workload, run: Run) -> f64 {
        if self.is_by_wall(workload) { run.wall } else { run.figure }
    }
}
