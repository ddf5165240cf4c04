//! A row of the table: one test with one version of a crate, and what the checkers say of it.

use std::fmt;

use crate::lsan::Other;
use crate::ours::Ours;
use crate::pair::{Kind, Pair, Version};

pub(crate) const HEADER: &str = "\
| test | crate | truth | counted, B a round | ours | place | holder | LeakSanitizer | valgrind |
|---|---|---|---|---|---|---|---|---|";

/// Fewer bytes a round are garbage that happened to be there when they were counted.
const NOISE: i64 = 8;

pub(crate) struct Row {
    pub(crate) pair: Pair,
    pub(crate) version: Version,
    pub(crate) test: String,
    /// Whether it leaks, by `pairs.toml`.
    pub(crate) leak: bool,
    pub(crate) counted: i64,
    pub(crate) ours: Ours,
    pub(crate) lsan: Other,
    pub(crate) valgrind: Other,
}

impl Row {
    /// Whether the test passes and the counting allocator agrees with `pairs.toml`. It does not see
    /// what C allocates: there valgrind has to agree.
    pub(crate) fn is_confirmed(&self) -> bool {
        let seen = match self.pair.kind {
            Kind::C => self.valgrind.bytes > 0,
            Kind::Lost | Kind::Held => self.counted >= NOISE,
        };
        seen == self.leak && self.ours.verdict != "failed"
    }

    /// Whether our verdict is the truth.
    pub(crate) fn is_right(&self) -> bool {
        self.ours.is_leak() == self.leak
    }
}

impl Row {
    /// Our verdict, and how much it is about.
    pub(crate) fn ours_cell(&self) -> String {
        let bytes = self.ours.bytes;
        let bytes = if bytes > 0 { format!(" {bytes} B") } else { String::new() };
        let mark = if self.is_right() { "" } else { " **wrong**" };
        format!("{}{bytes}{mark}", self.ours.verdict)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| `{}` | {} {} | {} | {} | {} | {} | {} | {} | {} |",
            self.test,
            self.pair.krate,
            self.pair.number(self.version),
            if self.leak { self.pair.kind.word() } else { "no leak" },
            self.counted,
            self.ours_cell(),
            word(self.ours.place),
            word(self.ours.holder),
            bytes_cell(&self.lsan),
            bytes_cell(&self.valgrind),
        )
    }
}

/// A cell for a question that may not arise.
pub(crate) fn word(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "right",
        Some(false) => "wrong",
        None => "",
    }
}

/// Memory that a checker other than ours calls lost.
pub(crate) fn bytes_cell(other: &Other) -> String {
    match other.bytes {
        0 => "nothing".to_owned(),
        bytes => format!("{bytes} B{}", if other.place == Some(true) { ", place" } else { "" }),
    }
}
