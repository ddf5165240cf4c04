//! The table of docs/verdicts.md: a line for each pair.

use std::fmt::Write as _;

use crate::pair::Pair;
use crate::row::{self, Row};

/// A line for each pair: its leak, and how many of its tests without a leak are right.
pub(crate) fn of_pairs(rows: &[Row]) -> String {
    let mut text = String::from(
        "| test, source | crate | truth | B a round | ours | place | holder | LeakSanitizer \
         | valgrind | no leak |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for leak in rows.iter().filter(|row| row.leak) {
        let controls = rows.iter().filter(|row| row.pair.name == leak.pair.name && !row.leak);
        let wrong = controls.clone().filter(|row| !row.is_right()).count();
        let _ = writeln!(
            text,
            "| [`{}`]({}) | {} {} → {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            leak.test,
            link(&leak.pair),
            leak.pair.krate,
            leak.pair.bad,
            leak.pair.good,
            leak.pair.kind.word(),
            leak.counted,
            leak.ours_cell(),
            row::word(leak.ours.place),
            row::word(leak.ours.holder),
            row::bytes_cell(&leak.lsan),
            row::bytes_cell(&leak.valgrind),
            match wrong {
                0 => format!("{} right", controls.count()),
                _ => format!("{} right, {wrong} **wrong**", controls.count() - wrong),
            },
        );
    }
    text
}

/// The address of a source, without the version that may follow it.
fn link(pair: &Pair) -> &str {
    pair.source.split(' ').next().unwrap_or_default()
}
