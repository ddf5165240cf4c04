//! The leaks that one test shows: its growth, by cause.

use std::cmp::Reverse;
use std::collections::HashSet;

use tracemalloc_harness::{
    FrameEntry, GrowthEntry, GrowthKind, HolderEntry, HolderKind, LOST_BLOCK, Retained, TestEntry,
    Verdict,
};

use crate::cli::Deny;
use crate::report::document::Target;
use crate::report::fingerprint::{self, OfTest};
use crate::report::growing_part::growing_parts;
use crate::report::growth_rate::{GrowthRate, is_buffer_of_entries};
use crate::report::kind::Kind;
use crate::report::leak::{Leak, LeakKind, LeakTest, Site};
use crate::report::source_lines::SourceLines;
use crate::report::thread_packet::is_thread_packet;

/// The leaks of a test. Growth that stopped is no leak, unless the verdict `once` is denied.
pub fn test_leaks(
    target: &Target,
    test: &TestEntry,
    names: &HashSet<&str>,
    deny: &[Deny],
    sources: &SourceLines,
) -> Vec<Leak> {
    let Some(verdict) = test.verdict.filter(|verdict| Deny::lists(deny, *verdict)) else {
        return Vec::new();
    };
    let is_leak = |growth: &&GrowthEntry| {
        let went_on = [GrowthKind::Leak, GrowthKind::Unconfirmed, GrowthKind::Known];
        verdict == Verdict::Once || went_on.contains(&growth.kind)
    };
    let growth: Vec<&GrowthEntry> = test.growth.iter().filter(is_leak).collect();
    let crate_name = target.name.replace('-', "_");
    let is_doctest = target.kind == Kind::Doctest;
    let of_test = OfTest { crate_name: &crate_name, name: &test.name, is_doctest, names };
    let causes = causes(&growth, of_test);
    causes.into_iter().map(|cause| leak(cause, target, test, of_test, sources)).collect()
}

/// The fingerprints of held memory that grew and stopped in this test.
pub fn held_once(target: &Target, test: &TestEntry, names: &HashSet<&str>) -> Vec<String> {
    let is_once = |growth: &&GrowthEntry| growth.kind == GrowthKind::Once;
    let growth: Vec<&GrowthEntry> = test.growth.iter().filter(is_once).collect();
    let crate_name = target.name.replace('-', "_");
    let is_doctest = target.kind == Kind::Doctest;
    let of_test = OfTest { crate_name: &crate_name, name: &test.name, is_doctest, names };
    let causes = causes(&growth, of_test).into_iter();
    let held = causes.filter(|cause| cause.kind == LeakKind::Held);
    held.map(|cause| fingerprint::of_holder(&cause.holder, &cause.growing)).collect()
}

/// The growth of one cause, the root first.
struct Cause<'a> {
    kind: LeakKind,
    growth: Vec<&'a GrowthEntry>,
    /// For held memory, the types on the path to what grows.
    growing: Vec<&'a str>,
    /// For held memory, the holder in the fingerprint.
    holder: String,
}

/// Puts growth of one cause together.
fn causes<'a>(growth: &[&'a GrowthEntry], test: OfTest<'_>) -> Vec<Cause<'a>> {
    let mut causes: Vec<(Key<'a>, Cause<'a>)> = Vec::new();
    let mut add =
        |key: Key<'a>, kind: LeakKind, growing: Vec<&'a str>, one: &'a GrowthEntry| match causes
            .iter_mut()
            .find(|(other, _)| *other == key)
        {
            Some((_, cause)) => cause.growth.push(one),
            None => {
                let holder = match &key {
                    Key::Held(holder, _) => holder.clone(),
                    Key::Lost(..) | Key::Grown(..) => String::new(),
                };
                causes.push((key, Cause { kind, growth: vec![one], growing, holder }));
            }
        };
    let started = started_threads(growth, test);
    let mut held: Vec<(String, Vec<&GrowthEntry>)> = Vec::new();
    for one in growth {
        match (one.retained, &one.holder) {
            (Some(Retained::Lost), Some(head)) if !one.head_traceback.is_empty() => {
                let key = Key::Lost(&one.head_traceback, &head.name);
                add(key, LeakKind::Lost, Vec::new(), one);
            }
            (Some(Retained::Lost), _) => {
                let type_name = one.type_name.as_deref().unwrap_or(LOST_BLOCK);
                add(Key::Lost(&one.traceback, type_name), LeakKind::Lost, Vec::new(), one);
            }
            (Some(Retained::Held), Some(holder)) if is_of_thread(holder, &started, test) => {
                let key = Key::Held(fingerprint::thread_key(holder, test), Vec::new());
                add(key, LeakKind::Held, Vec::new(), one);
            }
            (Some(Retained::Held), Some(holder)) => {
                let holder = fingerprint::holder_key(holder, test);
                match held.iter_mut().find(|(other, _)| *other == holder) {
                    Some((_, of_holder)) => of_holder.push(one),
                    None => held.push((holder, vec![one])),
                }
            }
            (Some(Retained::Held), None) | (None, _) => {
                let type_name = one.type_name.as_deref().unwrap_or_default();
                add(Key::Grown(&one.traceback, type_name), LeakKind::Grown, Vec::new(), one);
            }
        }
    }
    for (holder, of_holder) in held {
        for (one, growing) in of_holder.iter().zip(growing_parts(&of_holder)) {
            let key = Key::Held(holder.clone(), growing.clone());
            add(key, LeakKind::Held, growing, one);
        }
    }
    let mut causes: Vec<Cause<'_>> = causes.into_iter().map(|(_, cause)| cause).collect();
    for cause in &mut causes {
        if cause.growth.iter().any(|growth| !growth.cycle.is_empty()) {
            cause.kind = LeakKind::Cycle;
        }
        // A lost block without a head is the root. Of held memory, new blocks tell the most.
        cause.growth.sort_by_key(|growth| {
            let is_root = match cause.kind {
                LeakKind::Lost | LeakKind::Cycle => growth.head_traceback.is_empty(),
                LeakKind::Held | LeakKind::Grown => growth.blocks > 0,
            };
            let starts_thread = is_thread_packet(growth.type_name.as_deref());
            (Reverse(starts_thread), Reverse(is_root), Reverse(growth.bytes))
        });
    }
    causes
}

/// The threads that each run starts and leaves behind, as fingerprints name them. All that such a
/// thread holds is one leak: the thread.
fn started_threads(growth: &[&GrowthEntry], test: OfTest<'_>) -> HashSet<String> {
    let starts =
        growth.iter().filter(|one| one.blocks > 0 && is_thread_packet(one.type_name.as_deref()));
    let holders = starts.filter_map(|one| one.holder.as_ref());
    let started = holders.filter(|holder| holder.start.is_some());
    started.map(|holder| fingerprint::thread_key(holder, test)).collect()
}

/// Whether the holder is a part of one of these threads.
fn is_of_thread(holder: &HolderEntry, started: &HashSet<String>, test: OfTest<'_>) -> bool {
    use HolderKind::{Register, Stack, ThreadLocal};

    matches!(holder.kind, Stack | Register | ThreadLocal)
        && holder.start.is_some()
        && started.contains(&fingerprint::thread_key(holder, test))
}

/// The identity of a cause inside one test.
#[derive(PartialEq)]
enum Key<'a> {
    Lost(&'a [FrameEntry], &'a str),
    Held(String, Vec<&'a str>),
    Grown(&'a [FrameEntry], &'a str),
}

fn leak(
    cause: Cause<'_>,
    target: &Target,
    test: &TestEntry,
    of_test: OfTest<'_>,
    sources: &SourceLines,
) -> Leak {
    let Cause { kind, growth, growing, holder } = cause;
    let root = growth[0];
    let is_lost = matches!(kind, LeakKind::Lost | LeakKind::Cycle);
    // The lost block may be older than this test's growth.
    let head = root.holder.as_ref().filter(|_| is_lost && !root.head_traceback.is_empty());
    let (type_name, traceback) = match head {
        Some(head) => (Some(&head.name).filter(|name| *name != LOST_BLOCK), &root.head_traceback),
        None => (root.type_name.as_ref(), &root.traceback),
    };
    let source = sources.of(traceback);
    let type_text = type_name.map(String::as_str);
    let id = match kind {
        LeakKind::Held => fingerprint::of_holder(&holder, &growing),
        _ => fingerprint::of_allocation(kind, type_text, traceback, of_test, source.as_deref()),
    };
    let sum = |of: fn(&GrowthEntry) -> u64| growth.iter().map(|growth| of(growth)).sum();
    let entries = growth.iter().filter(|one| !is_buffer_of_entries(one, &growth));
    let (bytes, blocks) =
        entries.fold((0, 0), |(bytes, blocks), one| (bytes + one.bytes, blocks + one.blocks));
    let rate = GrowthRate::of(&growth).unless_exactly(bytes);
    let total_bytes = sum(|growth| growth.total_bytes);
    let total_blocks = sum(|growth| growth.total_blocks);
    let cycle = growth.iter().find(|growth| !growth.cycle.is_empty());
    Leak {
        id,
        kind,
        verdict: growth.iter().map(|growth| growth.kind).min().unwrap_or(root.kind),
        bytes,
        blocks,
        rate,
        total_bytes,
        total_blocks,
        domain: root.domain,
        type_name: type_name.cloned(),
        other_types: Vec::new(),
        holder: root.holder.clone().filter(|_| !is_lost),
        path: root.path.clone(),
        path_steps: root.path_steps,
        cycle: cycle.map(|growth| growth.cycle.clone()).unwrap_or_default(),
        cycle_steps: cycle.map_or(0, |growth| growth.cycle_steps),
        hints: Vec::new(),
        sites: growth.iter().map(|growth| site(growth, sources)).collect(),
        tests: vec![LeakTest {
            package: target.package.clone(),
            kind: target.kind,
            target: target.name.clone(),
            name: test.name.clone(),
            bytes,
            blocks,
            rate,
            total_bytes,
            total_blocks,
        }],
        known: root.known.clone(),
        known_bytes: None,
        new_functions: Vec::new(),
    }
}

fn site(growth: &GrowthEntry, sources: &SourceLines) -> Site {
    Site {
        domain: growth.domain,
        type_name: growth.type_name.clone(),
        bytes: growth.bytes,
        blocks: growth.blocks,
        source: sources.of(&growth.traceback),
        traceback: growth.traceback.clone(),
        total_nframe: growth.total_nframe,
    }
}
