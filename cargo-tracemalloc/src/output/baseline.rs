//! The baseline as TOML. Reasons, comments and the order stay as people wrote them.

use anyhow::{Context as _, Result};
use indexmap::IndexSet;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use crate::output::text;
use crate::report::{Leak, with_room};
use crate::util::terminal::escaped;

const KEY: &str = "known-leaks";
const HEADER: &str = "\
# Leaks that `cargo tracemalloc test` accepts. It fails on all others, and on these if they grow by
# more than `max-growth` bytes a run. `--write-baseline` writes this file, and keeps the reasons.
";
/// The number of tests that are named. They have to run before the leak is called gone.
const NAMED_TESTS: usize = 3;
const NO_REASON: &str = "not yet examined";

/// The text of a baseline with these leaks. `old` is its present text. With `keeps_others`, its
/// leaks stay that are not among `leaks`.
pub fn written(old: &str, leaks: &[&Leak], keeps_others: bool) -> Result<String> {
    let mut document = parse(old)?;
    let mut header = if old.trim().is_empty() { HEADER.to_owned() } else { String::new() };
    let is_kept = |table: &Table| keeps_others || leaks.iter().any(|leak| leak.id == id(table));
    retain(&mut document, is_kept)?;
    if tables(&mut document)?.is_empty() && header.is_empty() {
        // Below the last entry, it would no longer be a header.
        header = document.trailing().as_str().unwrap_or_default().trim_start().to_owned();
        document.set_trailing("");
    }
    let tables = tables(&mut document)?;
    for leak in leaks {
        let known = tables.iter_mut().find(|table| id(table) == leak.id);
        let growth = value(i64::try_from(with_room(leak.rate().most)).unwrap_or(i64::MAX));
        if let Some(known) = known {
            known["max-growth"] = growth;
            for (key, texts) in lists(leak) {
                if !keeps_others || !known.contains_key(key) {
                    known[key] = texts;
                }
            }
            continue;
        }
        let mut table = Table::new();
        table["id"] = value(&leak.id);
        table["max-growth"] = growth;
        for (key, texts) in lists(leak) {
            table[key] = texts;
        }
        table["reason"] = value(NO_REASON);
        let header = std::mem::take(&mut header);
        table.decor_mut().set_prefix(format!("{header}\n# {}\n", comment(leak)));
        tables.push(table);
    }
    if !header.is_empty() {
        document.set_trailing(header);
    }
    Ok(document.to_string())
}

/// The text of a baseline without some of its leaks, and their number.
pub fn pruned(old: &str, is_gone: impl Fn(&str) -> bool) -> Result<(String, usize)> {
    let mut document = parse(old)?;
    let gone = retain(&mut document, |table| !is_gone(id(table)))?;
    Ok((document.to_string(), gone))
}

/// Removes all other entries, and returns their number. The comment at the file's beginning, which
/// TOML counts to the first entry, stays.
fn retain(document: &mut DocumentMut, is_kept: impl Fn(&Table) -> bool) -> Result<usize> {
    let tables = tables(document)?;
    let before = tables.len();
    let Some(first) = tables.iter().next() else { return Ok(0) };
    let header = (!is_kept(first)).then(|| header(first).to_owned());
    tables.retain(is_kept);
    let gone = before - tables.len();
    if let Some(header) = header.filter(|header| !header.is_empty()) {
        match tables.get_mut(0) {
            Some(first) => {
                let own = prefix(first).trim_start_matches(['\r', '\n']);
                let prefix = format!("{header}\n{own}");
                first.decor_mut().set_prefix(prefix);
            }
            None => document.set_trailing(header),
        }
    }
    Ok(gone)
}

/// The comment at the file's beginning: what stands above the last blank line before the first
/// entry.
fn header(first: &Table) -> &str {
    let prefix = prefix(first);
    let blank = ["\n\n", "\n\r\n"].into_iter().filter_map(|blank| prefix.rfind(blank)).max();
    blank.map_or("", |blank| &prefix[..=blank])
}

fn prefix(table: &Table) -> &str {
    table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default()
}

/// The functions that allocate, of which a new one is named though the leak is known, and the most
/// telling tests. Without any, there is no list.
fn lists(leak: &Leak) -> impl Iterator<Item = (&'static str, Item)> {
    let functions: Array = leak.functions().into_iter().collect();
    let names: IndexSet<&str> = leak.tests.iter().map(|test| test.name.as_str()).collect();
    let tests: Array = names.into_iter().take(NAMED_TESTS).collect();
    let lists = [("functions", functions), ("tests", tests)];
    lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(key, list)| (key, value(list)))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{HEADER, pruned, written};
    use crate::report::Leak;

    const ENTRY: &str = "[[known-leaks]]\nid = \"aaaaaaaa\"\nreason = \"one\"\n";

    fn file(header: &str) -> String {
        let other = ENTRY.replace("aaaaaaaa", "bbbbbbbb").replace("one", "two");
        format!("{header}\n# lost one\n{ENTRY}\n# lost two\n{other}")
    }

    fn leak() -> Leak {
        serde_json::from_value(json!({
            "id": "cccccccc", "kind": "lost", "verdict": "leak", "bytes": 8, "blocks": 1,
            "total_bytes": 8, "total_blocks": 1, "type": null, "holder": null,
            "path": [], "path_steps": 0, "cycle": [], "cycle_steps": 0, "hints": [],
            "sites": [], "tests": [], "known": null, "known_bytes": null,
        }))
        .unwrap()
    }

    #[test]
    fn the_header_stays_when_the_first_entry_is_pruned() {
        for header in [HEADER, "# Ours.\n\n# See the wiki.\n", ""] {
            let (text, gone) = pruned(&file(header), |id| id == "aaaaaaaa").unwrap();
            assert_eq!(gone, 1);
            assert!(text.starts_with(&format!("{header}\n# lost two\n")), "{text}");
            assert!(!text.contains("lost one"), "{text}");
        }
    }

    #[test]
    fn the_header_stays_when_all_entries_are_pruned_and_is_first_when_others_come() {
        let (text, gone) = pruned(&file(HEADER), |_| true).unwrap();
        assert_eq!((text.as_str(), gone), (HEADER, 2));
        assert_eq!(written(&text, &[], false).unwrap(), HEADER);
        let again = written(&text, &[&leak()], false).unwrap();
        assert!(again.starts_with(&format!("{HEADER}\n# lost memory of unknown type")), "{again}");
    }

    #[test]
    fn the_header_stays_when_another_entry_is_pruned() {
        let (text, _) = pruned(&file(HEADER), |id| id == "bbbbbbbb").unwrap();
        assert_eq!(text, format!("{HEADER}\n# lost one\n{ENTRY}"));
    }
}
