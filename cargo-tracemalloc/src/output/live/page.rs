//! A live view as a page of text, for pipes and files.

use std::fmt::Write as _;

use crate::output::live::view::{Row, View};
use crate::output::text::growth::{signed_size, size};

/// One page, with at most `limit` lines and holders. A blank line follows.
pub fn page(view: &View, limit: usize) -> String {
    let mut text = format!("{}: {}\n", view.title, view.summary());
    section(&mut text, &format!("[ Top {limit} holders ]"), &view.holders(), limit);
    if let Some(note) = view.held_note() {
        text += &note;
        text.push('\n');
    }
    section(&mut text, &format!("[ Top {limit} lines ]"), &view.lines(), limit);
    text.push('\n');
    text
}

fn section(text: &mut String, heading: &str, rows: &[Row], limit: usize) {
    text.push_str(heading);
    text.push('\n');
    for Row { name, size: bytes, size_diff, count, count_diff } in rows.iter().take(limit) {
        let (size, diff) = (size(*bytes), signed_size(*size_diff));
        writeln!(text, "{name}: size={size} ({diff}), count={count} ({count_diff:+})")
            .expect("a string takes what is written");
    }
}
