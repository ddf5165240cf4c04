//! One leak: its root, the memory that it retains, the path, the frames, and the tests that show
//! it.

use std::collections::{HashMap, HashSet};

use anstyle::Style;
use tracemalloc::Domain;
use tracemalloc_harness::{GrowthKind, HolderKind, StepEntry, TestEntry};

use crate::output::text::frames;
use crate::output::text::growth::{
    access_path, amount_of, holder, holder_name, place_of, size, step, with_dot,
};
use crate::output::text::line::{count, line};
use crate::output::text::short_name::short_name;
use crate::report::{Kind, Leak, LeakKind, LeakTest, Site, TestKey};
use crate::util::terminal::{BAD, BOLD, DIM, NOTE, escaped};

/// Longer names of types are shortened.
const WIDEST_TYPE: usize = 80;
/// The number of steps of a way that are shown, besides the last one.
const SHOWN_STEPS: usize = 3;
/// The number of tests, places and types that are named.
const SHOWN_NAMES: usize = 3;

/// Renders a leak. `test` is the most telling test, `note` the first line below the headline.
pub fn render(
    text: &mut String,
    leak: &Leak,
    test: Option<&TestEntry>,
    note: Option<String>,
    verbose: bool,
) {
    line(text, format_args!("\n{}", headline(leak, test)));
    if let Some(note) = note {
        line(text, format_args!("  {note}"));
    }
    for note in notes(leak, test) {
        line(text, format_args!("  {note}"));
    }
    if let Some(site) = leak.sites.first() {
        frames::render(text, site, verbose);
    }
    if verbose {
        for site in leak.sites.iter().skip(1) {
            let type_name = site.type_name.as_deref().unwrap_or(unknown(site.domain));
            let amount = amount_of(site.bytes, site.blocks);
            line(text, format_args!("  {type_name}: {amount} a run"));
            frames::render(text, site, verbose);
        }
    }
    for hint in &leak.hints {
        line(text, format_args!("  {NOTE}hint:{NOTE:#} {}", hint.text));
    }
    line(text, format_args!("  {}", seen_by(&leak.tests, verbose)));
}

/// `lost Rc<demo::Node> (src/lib.rs:14): 674 B in 6 blocks a run, 4044 B in all`.
pub fn without_id(leak: &Leak) -> String {
    format!("{}: {}", subject(leak), amount(leak))
}

/// A leak in one line, with its id.
pub fn in_a_line(leak: &Leak) -> String {
    format!("{}   {}", without_id(leak), id(leak))
}

/// `held by store::SEEN (src/lib.rs:4): 64 B in 1 block a run`.
pub fn title(leak: &Leak) -> String {
    let amount = amount_of(leak.bytes, leak.blocks);
    format!("{}: {amount} a run{}", subject(leak), allocator(leak))
}

/// `lost Rc<demo::Node> (src/lib.rs:14)`.
pub fn subject(leak: &Leak) -> String {
    styled_subject(leak, Style::new(), Style::new())
}

/// The verdict on a leak that no run proved, or that is known.
pub fn verdict(leak: &Leak) -> Option<&'static str> {
    match leak.verdict {
        GrowthKind::Leak => None,
        GrowthKind::Once | GrowthKind::Initialiser => Some("once"),
        GrowthKind::Unconfirmed => Some("unconfirmed"),
        GrowthKind::Known => Some("known"),
    }
}

/// Sentences about a leak that its row does not have.
pub fn facts(leak: &Leak) -> Vec<String> {
    let mut facts = Vec::new();
    if leak.total_bytes > leak.bytes {
        facts.push(amount(leak));
    }
    if matches!(leak.kind, LeakKind::Lost | LeakKind::Cycle) {
        facts.extend(retained(&leak.sites));
    }
    facts.extend(leak.hints.iter().map(|hint| format!("hint: {}", hint.text)));
    facts.extend(leak.known.as_ref().map(|known| format!("known: {}", known.reason)));
    facts
}

/// `lost Rc<demo::Node> (src/lib.rs:14): 674 B in 6 blocks a run   id 5c1f09e2`.
fn headline(leak: &Leak, test: Option<&TestEntry>) -> String {
    let (subject, amount) = (styled_subject(leak, BAD, BOLD), amount(leak));
    let limit = test
        .map(|test| test.limit)
        .filter(|limit| limit.max_growth > 0 || limit.max_blocks.is_some());
    let limit = limit.map_or_else(String::new, |limit| {
        let blocks = limit.max_blocks.map(|blocks| format!(" in {}", count(blocks, "block")));
        format!(", limit {}{}", size(limit.max_growth), blocks.unwrap_or_default())
    });
    let known = leak.known_bytes.map(|bytes| format!(", known up to {}", size(bytes)));
    let known = known.unwrap_or_default();
    format!("{subject}: {amount}{known}{limit}   {}", id(leak))
}

/// `id 5c1f09e2`.
fn id(leak: &Leak) -> String {
    format!("{DIM}id {}{DIM:#}", leak.id)
}

/// `lost Rc<demo::Node> (src/lib.rs:14)`: the kind, and the root with its place.
fn styled_subject(leak: &Leak, of_word: Style, of_root: Style) -> String {
    let word = match leak.kind {
        LeakKind::Lost => "lost",
        LeakKind::Cycle => "lost cycle of",
        LeakKind::Held => "held by",
        LeakKind::Grown => "growing",
    };
    format!("{of_word}{word}{of_word:#} {of_root}{}{of_root:#}", root(leak))
}

/// The root, with its place.
fn root(leak: &Leak) -> String {
    if let Some(by) = &leak.holder {
        return holder(by);
    }
    let type_name = leak.type_name.as_deref().unwrap_or(unknown(leak.domain));
    let frame = leak.sites.first().and_then(|site| site.traceback.last());
    let frame = frame.filter(|frame| frame.line > 0 && leak.cycle.is_empty());
    let place = frame.map(|frame| place_of(Some(&frame.file), Some(frame.line)));
    let others = match leak.other_types.len() as u64 {
        0 => String::new(),
        others => format!(" and {}", count(others, "other type")),
    };
    format!("{}{others}{}", short_name(type_name, WIDEST_TYPE), place.unwrap_or_default())
}

/// `674 B in 6 blocks a run, 4044 B in all`.
fn amount(leak: &Leak) -> String {
    let amount = amount_of(leak.bytes, leak.blocks);
    let amount = match leak.verdict {
        GrowthKind::Once | GrowthKind::Initialiser => format!("{amount}, once"),
        GrowthKind::Unconfirmed => format!("{amount}, unconfirmed"),
        GrowthKind::Leak | GrowthKind::Known if leak.total_bytes > leak.bytes => {
            format!("{amount} a run, {} in all", size(leak.total_bytes))
        }
        GrowthKind::Leak | GrowthKind::Known => format!("{amount} a run"),
    };
    amount + allocator(leak)
}

/// `, allocated by C`; empty for Rust.
pub fn allocator(leak: &Leak) -> &'static str {
    if leak.domain == Domain::C { ", allocated by C" } else { "" }
}

/// The words for a block without a type. Blocks of C never have one.
fn unknown(domain: Domain) -> &'static str {
    if domain == Domain::C { "memory of C" } else { "memory of unknown type" }
}

/// Lines between the headline and the frames.
fn notes(leak: &Leak, test: Option<&TestEntry>) -> Vec<String> {
    let mut notes = Vec::new();
    match leak.kind {
        LeakKind::Cycle => {
            let way = way(&leak.cycle, leak.cycle_steps, true);
            notes.push(format!("{way} -> and round again"));
        }
        LeakKind::Held => {
            let path = leak.holder.as_ref();
            let path = path.and_then(|by| access_path(by, &leak.path, leak.path_steps));
            let from = leak.holder.as_ref().filter(|by| by.kind != HolderKind::Stack);
            let from = from.map_or("its memory", holder_name);
            if let Some(path) = path {
                notes.push(path);
            } else if !leak.path.is_empty() {
                let field = leak.holder.as_ref().and_then(|by| by.field.as_deref());
                let from = from.to_owned() + &with_dot(field);
                notes.push(format!("{from} -> {}", way(&leak.path, leak.path_steps, false)));
            }
            notes.extend(places(&leak.sites));
        }
        LeakKind::Lost | LeakKind::Grown => {}
    }
    if matches!(leak.kind, LeakKind::Lost | LeakKind::Cycle) {
        notes.extend(retained(&leak.sites));
    }
    if let Some(reason) = test.and_then(|test| test.verdict_reason.as_deref()) {
        notes.push(format!("{DIM}{}{DIM:#}", escaped(reason)));
    }
    if let Some(note) = test.and_then(|test| test.heap_note.as_deref()) {
        notes.push(format!("{DIM}{note}; repeated runs alone decided the verdict{DIM:#}"));
    }
    notes
}

/// `Rc<demo::Node> (src/lib.rs:13) -> Rc<demo::Node> (src/lib.rs:14)`. The place of the last step
/// is missing where its frames follow.
fn way(steps: &[StepEntry], whole: u32, with_last_place: bool) -> String {
    let (first, last) = steps.split_at(steps.len().saturating_sub(1));
    let mut parts: Vec<String> =
        first.iter().take(SHOWN_STEPS).map(|one| step(one, true)).collect();
    let shown = first.len().min(SHOWN_STEPS) + last.len();
    let left_out = u64::from(whole).saturating_sub(shown as u64);
    if left_out > 0 {
        parts.push(count(left_out, "more block"));
    }
    parts.extend(last.iter().map(|one| step(one, with_last_place)));
    parts.join(" -> ")
}

/// `retains 594 B in 5 blocks: 2 Vec<u8>, Rc<demo::Node>, 2 String`.
fn retained(sites: &[Site]) -> Option<String> {
    let (root, others) = sites.split_first().filter(|(_, others)| !others.is_empty())?;
    let mut by_type: Vec<(String, u64)> = Vec::new();
    for site in others {
        let type_name = site.type_name.as_deref().unwrap_or(unknown(site.domain));
        let short = short_name(type_name, WIDEST_TYPE / 2);
        // Such as the clones in a vector: code of the vector has allocated them.
        let is_inside = site.type_name == root.type_name && site.traceback == root.traceback;
        let name = if is_inside { format!("inside {short}") } else { short };
        match by_type.iter_mut().find(|(other, _)| *other == name) {
            Some((_, blocks)) => *blocks += site.blocks,
            None => by_type.push((name, site.blocks)),
        }
    }
    let names: Vec<String> = by_type
        .into_iter()
        .map(|(name, blocks)| if blocks > 1 { format!("{blocks} {name}") } else { name })
        .collect();
    let sum = |of: fn(&Site) -> u64| others.iter().map(of).sum();
    let amount = amount_of(sum(|site| site.bytes), sum(|site| site.blocks));
    Some(format!("retains {amount}: {}", list(&names, 2 * SHOWN_NAMES)))
}

/// `grown at 5 places: src/lib.rs:4, src/lib.rs:5, src/lib.rs:6 and 2 more`.
fn places(sites: &[Site]) -> Option<String> {
    let mut places: Vec<String> = Vec::new();
    for frame in sites.iter().filter_map(|site| site.traceback.last()) {
        let place = format!("{}:{}", frame.file, frame.line);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort();
    let number = places.len();
    (number > 1).then(|| format!("grown at {number} places: {}", list(&places, 2 * SHOWN_NAMES)))
}

/// `seen by 50 tests: a, b, c and 47 more`; for a program, `seen by 2 tests of demo program rg: a`.
fn seen_by(tests: &[LeakTest], verbose: bool) -> String {
    if let [test] = tests {
        return format!(
            "seen by {} ({})",
            test.name,
            label(&test.package, test.kind, &test.target)
        );
    }
    let mut targets: HashMap<&str, HashSet<TestKey<'_>>> = HashMap::new();
    for test in tests {
        targets.entry(&test.name).or_default().insert(test.key());
    }
    // Tests of one name are of several targets.
    let name = |test: &LeakTest| match targets[test.name.as_str()].len() {
        1 => test.name.clone(),
        _ => format!("{} ({})", test.name, label(&test.package, test.kind, &test.target)),
    };
    let names: Vec<String> = tests.iter().map(name).collect();
    let shown = if verbose { names.len() } else { SHOWN_NAMES };
    let of = match tests.first() {
        Some(first)
            if first.kind == Kind::Program && tests.iter().all(|one| is_same(one, first)) =>
        {
            format!(" of {}", label(&first.package, first.kind, &first.target))
        }
        _ => String::new(),
    };
    format!("seen by {}{of}: {}", count(tests.len() as u64, "test"), list(&names, shown))
}

/// Whether two tests are of one target.
fn is_same(test: &LeakTest, other: &LeakTest) -> bool {
    (&test.package, test.kind, &test.target) == (&other.package, other.kind, &other.target)
}

/// `a, b, c and 47 more`.
fn list(names: &[String], most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let shown = names[..names.len() - more].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// A target: `demo lib`, `demo test cache`.
pub fn label(package: &str, kind: Kind, name: &str) -> String {
    let kind = match kind {
        Kind::Lib => return format!("{package} lib"),
        Kind::Bin => "bin",
        Kind::Test => "test",
        Kind::Example => "example",
        Kind::Bench => "bench",
        Kind::Program => "program",
        Kind::Doctest => return format!("{package} doctest"),
    };
    format!("{package} {kind} {name}")
}
