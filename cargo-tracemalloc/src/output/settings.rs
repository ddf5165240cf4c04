//! The output of `cargo tracemalloc config`: every option with the origin of its value.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::{self, DENY, Holder, KnownLeak, Layer, Origin, Override, PROGRAMS, Settings};
use crate::output::json::escaped;

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
            .all_known_leaks()
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
    for one in settings.all_known_leaks() {
        header(&mut text, "known-leaks", &one.place, known_leak(one));
    }
    for one in &settings.holders {
        header(&mut text, "holders", &one.place, holder(one));
    }
    // TOML has the same escapes.
    escaped(&text)
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
    config::options(&settings.limits, settings.timeout)
        .into_iter()
        .chain([(DENY, json!(settings.deny)), (PROGRAMS, json!(settings.programs))])
        .map(|(key, value)| (key, value, settings.origin(key)))
        .collect()
}

fn layer(layer: &Layer) -> Vec<Line> {
    config::given(&layer.limits, layer.timeout)
        .map(|(key, value)| (key, value, Origin::Config(layer.places[key].clone())))
        .collect()
}

fn selection(one: &Override) -> Vec<(&'static str, String)> {
    present([("package", &one.package), ("test", &one.test)])
}

fn known_leak(one: &KnownLeak) -> Vec<(&'static str, String)> {
    let reason = Some(one.reason.clone());
    let max_growth = one.max_growth.map(|bytes| format!("{bytes} B"));
    let patterns = [
        ("id", &one.id),
        ("max-growth", &max_growth),
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
