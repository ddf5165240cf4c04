//! The baseline as TOML. What people wrote in it stays: reasons, comments and the order.

use anyhow::{Context as _, Result};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::output::text;
use crate::report::Leak;
use crate::util::terminal::escaped;

const KEY: &str = "known-leaks";
const HEADER: &str = "\
# Leaks that `cargo tracemalloc test` accepts. It fails on all others, and on these if they grow by
# more than `max-growth` bytes a run. `--write-baseline` writes this file, and keeps the reasons.
";
const NO_REASON: &str = "not yet examined";

/// The text of a baseline with these leaks. `old` is its present text. With `keeps_others`, its
/// leaks stay that are not among `leaks`.
pub fn written(old: &str, leaks: &[&Leak], keeps_others: bool) -> Result<String> {
    let mut document = parse(old)?;
    let mut header = if old.trim().is_empty() { HEADER } else { "" };
    let tables = tables(&mut document)?;
    tables.retain(|table| keeps_others || leaks.iter().any(|leak| leak.id == id(table)));
    for leak in leaks {
        let known = tables.iter_mut().find(|table| id(table) == leak.id);
        let growth = value(i64::try_from(with_room(leak.bytes)).unwrap_or(i64::MAX));
        if let Some(known) = known {
            known["max-growth"] = growth;
            continue;
        }
        let mut table = Table::new();
        table["id"] = value(&leak.id);
        table["max-growth"] = growth;
        table["reason"] = value(NO_REASON);
        let header = std::mem::take(&mut header);
        table.decor_mut().set_prefix(format!("{header}\n# {}\n", comment(leak)));
        tables.push(table);
    }
    Ok(document.to_string())
}

/// The text of a baseline without some of its leaks, and their number.
pub fn pruned(old: &str, is_gone: impl Fn(&str) -> bool) -> Result<(String, usize)> {
    let mut document = parse(old)?;
    let tables = tables(&mut document)?;
    let before = tables.len();
    tables.retain(|table| !is_gone(id(table)));
    let gone = before - tables.len();
    Ok((document.to_string(), gone))
}

/// The growth that is accepted for a measured one: a quarter more. Growth a run is an average over
/// runs, which differs a little between machines.
fn with_room(bytes: u64) -> u64 {
    bytes.saturating_add(bytes.div_ceil(4))
}

/// A leak in words, on one line.
fn comment(leak: &Leak) -> String {
    escaped(&anstream::adapter::strip_str(&text::title(leak)).to_string()).replace('\n', "\\n")
}

fn parse(text: &str) -> Result<DocumentMut> {
    text.parse().context("failed to parse the baseline")
}

fn tables(document: &mut DocumentMut) -> Result<&mut ArrayOfTables> {
    let item = document.entry(KEY).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut()
        .context("`known-leaks` of the baseline has to be `[[known-leaks]]`")
}

fn id(table: &Table) -> &str {
    table.get("id").and_then(Item::as_str).unwrap_or_default()
}
