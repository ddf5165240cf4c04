//! A hint: a fact about the cause of a leak, which its blocks and the program's code prove.

use serde::{Deserialize, Serialize};

/// A hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Its kind.
    pub kind: HintKind,
    /// A sentence without its full stop.
    pub text: String,
}

/// Kinds of hints. `docs/report.md` says what each rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HintKind {
    /// A cycle of strong pointers.
    StrongCycle,
    /// An owner that is given up without a drop.
    GivenUp,
    /// A collection that is only inserted into.
    OnlyInserted,
    /// A thread or a task that each run leaves behind.
    NotJoined,
}
