//! The output of `cargo tracemalloc config`: every option with the origin of its value.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::{Holder, KnownLeak, Layer, Override, Placed};
use crate::config::{Origin, Setting, Settings};

/// The document for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    options: Map<String, Value>,
    overrides: Vec<Map<String, Value>>,
    known_leaks: Vec<Map<String, Value>>,
    holders: Vec<Map<String, Value>>,
}

/// A key, its value in JSON, and the value's origin.
type Line = (&'static str, Value, Origin);

/// The document for programs.
pub fn document(settings: &Settings) -> Document {
    let with_origin =
        |(key, value, origin): Line| (key.to_owned(), json!({ "value": value, "from": origin }));
    let overrides = settings.overrides.iter().map(|one| {
        let mut map = table(&one.place, selection(one));
        map.extend(layer(&one.options).into_iter().map(with_origin));
        map
    });
    Document {
        options: options(settings).into_iter().map(with_origin).collect(),
        overrides: overrides.collect(),
        known_leaks: settings
            .known_leaks
            .iter()
            .map(|one| table(&one.place, known_leak(one)))
            .collect(),
        holders: settings.holders.iter().map(|one| table(&one.place, holder(one))).collect(),
    }
}

fn table(place: &str, entries: Vec<(&'static str, String)>) -> Map<String, Value> {
    let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value)));
    [("from".to_owned(), Value::from(place))].into_iter().chain(entries).collect()
}

/// The text for people: a configuration file that sets all options, with a comment on each line.
pub fn text(settings: &Settings) -> String {
    let mut text = String::new();
    for (key, value, origin) in options(settings) {
        match value {
            // TOML has no null.
            Value::Null => line(&mut text, format_args!("# no {key}"), &origin),
            value => line(&mut text, format_args!("{key} = {value}"), &origin),
        }
    }
    for one in &settings.overrides {
        header(&mut text, "overrides", &one.place, selection(one));
        for (key, value, origin) in layer(&one.options) {
            line(&mut text, format_args!("{key} = {value}"), &origin);
        }
    }
    for one in &settings.known_leaks {
        header(&mut text, "known-leaks", &one.place, known_leak(one));
    }
    for one in &settings.holders {
        header(&mut text, "holders", &one.place, holder(one));
    }
    text
}

fn header(text: &mut String, key: &str, place: &str, entries: Vec<(&'static str, String)>) {
    write!(text, "\n[[{key}]]  # {place}\n").expect("a string takes what is written");
    for (key, value) in entries {
        writeln!(text, "{key} = {}", Value::from(value)).expect("a string takes what is written");
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>, origin: &Origin) {
    writeln!(text, "{content}  # {origin}").expect("a string takes what is written");
}

fn options(settings: &Settings) -> Vec<Line> {
    fn line<T>(key: &'static str, setting: &Setting<T>, value: impl FnOnce(&T) -> Value) -> Line {
        (key, value(&setting.value), setting.origin.clone())
    }
    vec![
        line("max-growth", &settings.max_growth, |bytes| json!(bytes)),
        line("max-blocks", &settings.max_blocks, |blocks| json!(blocks)),
        line("runs", &settings.runs, |runs| json!(runs)),
        line("frames", &settings.frames, |frames| json!(frames)),
        line("include", &settings.include, |patterns| json!(patterns)),
        line("exclude", &settings.exclude, |patterns| json!(patterns)),
        line("timeout", &settings.timeout, |timeout| {
            json!(timeout.map(|timeout| timeout.as_secs_f64()))
        }),
        line("deny", &settings.deny, |deny| json!(deny)),
    ]
}

fn layer(layer: &Layer) -> Vec<Line> {
    fn line<T>(
        key: &'static str,
        placed: &Option<Placed<T>>,
        value: impl FnOnce(&T) -> Value,
    ) -> Option<Line> {
        placed
            .as_ref()
            .map(|placed| (key, value(&placed.value), Origin::Config(placed.place.clone())))
    }
    let lines = [
        line("max-growth", &layer.max_growth, |bytes| json!(bytes)),
        line("max-blocks", &layer.max_blocks, |blocks| json!(blocks)),
        line("runs", &layer.runs, |runs| json!(runs)),
        line("frames", &layer.frames, |frames| json!(frames)),
        line("include", &layer.include, |patterns| json!(patterns)),
        line("exclude", &layer.exclude, |patterns| json!(patterns)),
        line("timeout", &layer.timeout, |timeout| json!(timeout.as_secs_f64())),
    ];
    lines.into_iter().flatten().collect()
}

fn selection(one: &Override) -> Vec<(&'static str, String)> {
    present([("package", &one.package), ("test", &one.test)])
}

fn known_leak(one: &KnownLeak) -> Vec<(&'static str, String)> {
    let reason = Some(one.reason.clone());
    let patterns = [
        ("package", &one.package),
        ("test", &one.test),
        ("file", &one.file),
        ("function", &one.function),
    ];
    [present(patterns), present([("reason", &reason)])].concat()
}

fn holder(one: &Holder) -> Vec<(&'static str, String)> {
    let reason = Some(one.reason.clone());
    present([("static", &one.of_static), ("thread", &one.of_thread), ("reason", &reason)])
}

fn present<const N: usize>(
    entries: [(&'static str, &Option<String>); N],
) -> Vec<(&'static str, String)> {
    entries.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
}
