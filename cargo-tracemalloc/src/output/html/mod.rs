//! The report as one HTML file: no network, no other file.
//!
//! The list of leaks is plain HTML. A script adds the details of a leak when a reader opens it, so
//! that a file with many thousand leaks stays small.

mod details;
mod treemap;

use std::cmp::Reverse;

use anyhow::{Context as _, Result};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::cli::FilterArgs;
use crate::output::exports::flamegraph;
use crate::output::formats::{Finding, Rule, findings};
use crate::output::text;
use crate::output::text::growth::{amount_of, size};
use crate::output::text::line::count;
use crate::profile::Profile;
use crate::report::{Change, Comparison, Leak, LeakKind, Report};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The graph is as wide as its frame.
const FILL: &str = "<style>body { margin: 0 } svg { width: 100%; height: auto }</style>";

/// Renders a report with escaped texts.
pub fn render(report: &Report, comparison: Option<&Comparison>) -> Result<String> {
    let mut leaks: Vec<&Leak> = report.leaks.iter().collect();
    leaks.sort_by_key(|leak| (!leak.fails(&report.options.deny), Reverse(leak.bytes)));
    let change = |leak: &Leak| comparison.map(|with| with.of(leak));
    let details = serde_json::to_string(&details::details(&leaks))
        .context("failed to write the details of leaks")?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "tracemalloc: " (heading(&leaks)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (heading(&leaks)) }
                    p.summary { (text::counts(report)) }
                }
                main {
                    (tools(&leaks))
                    ol #leaks { @for leak in &leaks { (row(leak, change(leak))) } }
                    p #none hidden { "No leak matches." }
                    (others(report, comparison))
                    (gone(comparison))
                    @if !leaks.is_empty() {
                        (pictures(report, &leaks)?)
                    }
                }
                footer {
                    "cargo-tracemalloc " (report.tool_version) ", " (report.rustc) ", "
                    (report.target_triple)
                }
                // Inside a script, HTML ends only at `<`.
                script #details type="application/json" {
                    (PreEscaped(details.replace('<', "\\u003c")))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    Ok(page.into_string())
}

fn heading(leaks: &[&Leak]) -> String {
    match leaks.len() {
        0 => "no leaks".to_owned(),
        number => count(number as u64, "leak"),
    }
}

/// The search, the order and the colours. They need the script.
fn tools(leaks: &[&Leak]) -> Markup {
    html! {
        noscript { p { "The details of each leak need scripts. The list below does not." } }
        @if !leaks.is_empty() {
            form #tools hidden {
                input #search type="search" placeholder="Search types, places, tests, ids"
                    aria-label="Search" autocomplete="off";
                label { "Sort by "
                    select #sort {
                        option { "bytes" }
                        option { "blocks" }
                        option { "tests" }
                    }
                }
                button #theme type="button" { "Light / dark" }
                span #shown aria-live="polite" {}
                span.keys {
                    kbd { "/" } " search " kbd { "j" } " " kbd { "k" } " next, previous "
                    kbd { "Enter" } " open"
                }
            }
        }
    }
}

/// A leak in the list.
fn row(leak: &Leak, change: Option<Change>) -> Markup {
    let subject = text::subject(leak);
    let place = leak.sites.first().and_then(|site| site.traceback.last());
    let place = place.map(|frame| format!("{}:{}", frame.file, frame.line));
    let place = place.filter(|place| !subject.contains(place));
    let tests = count(leak.tests.len() as u64, "test");
    html! {
        li {
            details id=(leak.id) {
                summary {
                    b { (size(leak.bytes)) } " "
                    span class=(class(leak.kind)) { (subject) } " "
                    @if let Some(note) = note(leak, change) { em { (note) } " " }
                    small {
                        @if let Some(place) = place { (place) ", " }
                        (amount_of(leak.bytes, leak.blocks)) " a run" (text::allocator(leak)) ", " (tests) " " code { (leak.id) }
                    }
                }
            }
        }
    }
}

fn class(kind: LeakKind) -> &'static str {
    match kind {
        LeakKind::Lost | LeakKind::Cycle => "lost",
        LeakKind::Held => "held",
        LeakKind::Grown => "grown",
    }
}

/// The verdict if it is not `leak`, or the change since the earlier report.
fn note(leak: &Leak, change: Option<Change>) -> Option<String> {
    if let Some(verdict) = text::verdict(leak) {
        return Some(verdict.to_owned());
    }
    match change? {
        Change::New => Some("new".to_owned()),
        change @ Change::Grown { .. } => text::change(change),
        Change::Same => Some("as before".to_owned()),
    }
}

/// Findings that are no leaks.
fn others(report: &Report, comparison: Option<&Comparison>) -> Markup {
    let findings = findings(report, comparison);
    let others = findings.iter().filter(|finding| !matches!(finding.rule, Rule::Leak(_)));
    let others: Vec<&Finding<'_>> = others.collect();
    html! {
        @if !others.is_empty() {
            h2 { "Also denied" }
            ul { @for finding in others { li { (finding.title) " " code { (finding.id) } } } }
        }
    }
}

fn gone(comparison: Option<&Comparison>) -> Markup {
    let gone = comparison.map(|with| with.gone.as_slice()).unwrap_or_default();
    html! {
        @if !gone.is_empty() {
            h2 { "Gone" }
            ul { @for leak in gone { li { (text::title(leak)) " " code { (leak.id) } } } }
        }
    }
}

/// The treemap and the flame graph.
fn pictures(report: &Report, leaks: &[&Leak]) -> Result<Markup> {
    let graph = flamegraph::embedded(&Profile::of_report(report, &FilterArgs::default()))?;
    let name = "Flame graph of the memory that leaks in one run";
    Ok(html! {
        section {
            h2 { "What leaks, by holder and type" }
            (treemap::svg(leaks))
        }
        @if let Some(graph) = graph {
            section {
                h2 { "Where it is allocated" }
                iframe title=(name) sandbox="allow-scripts" loading="lazy"
                    style=(format!("aspect-ratio: {} / {}", flamegraph::WIDTH, graph.height))
                    srcdoc={ (FILL) (graph.svg) } {}
            }
        }
    })
}
