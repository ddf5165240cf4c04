//! One layer of the configuration: options for all tests, or for some, each with its place.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use toml::de::DeValue;
use tracemalloc::Limits;

use crate::cli::values::{FRAMES, RUNS};
use crate::config::document::{Placed, Table};
use crate::config::values;

/// The options that one table gives.
#[derive(Debug, Default)]
pub struct Layer {
    /// Limits and filters.
    pub limits: Limits,
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// The place of each option that is given: `tracemalloc.toml:3`.
    pub places: Places,
}

/// Places by the option's key.
pub type Places = BTreeMap<&'static str, String>;

impl Layer {
    /// Takes the options out of a table.
    pub fn read(table: &mut Table<'_>) -> Result<Self> {
        let mut places = Places::new();
        let mut limits = Limits::new();
        limits.max_growth = take(table, &mut places, "max-growth", values::size)?;
        limits.max_blocks = take(table, &mut places, "max-blocks", values::count)?;
        limits.runs = take(table, &mut places, "runs", values::number_in(RUNS))?;
        limits.frames = take(table, &mut places, "frames", values::number_in(FRAMES))?;
        limits.include = take(table, &mut places, "include", values::patterns)?;
        limits.exclude = take(table, &mut places, "exclude", values::patterns)?;
        limits.domain = take(table, &mut places, "domain", values::language)?;
        let timeout = take(table, &mut places, "timeout", values::duration)?;
        Ok(Self { limits, timeout, places })
    }

    /// Whether no option is given.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// This layer without the options that are given elsewhere.
    pub fn without(self, limits: &Limits, timeout: Option<Duration>) -> Self {
        let mut places = self.places;
        for (key, _) in given(limits, timeout) {
            places.remove(key);
        }
        let limits = self.limits.without(limits);
        Self { limits, timeout: self.timeout.filter(|_| timeout.is_none()), places }
    }
}

/// The options that are given, by key. The values are those of the configuration and of its JSON.
pub fn given(
    limits: &Limits,
    timeout: Option<Duration>,
) -> impl Iterator<Item = (&'static str, Value)> {
    options(limits, timeout).into_iter().filter(|(_, value)| !value.is_null())
}

/// All options by key, in the order in which they are shown. `Null` is not given.
pub fn options(limits: &Limits, timeout: Option<Duration>) -> [(&'static str, Value); 8] {
    [
        ("max-growth", json!(limits.max_growth)),
        ("max-blocks", json!(limits.max_blocks)),
        ("runs", json!(limits.runs)),
        ("frames", json!(limits.frames)),
        ("include", json!(limits.include)),
        ("exclude", json!(limits.exclude)),
        ("domain", json!(limits.domain)),
        ("timeout", json!(timeout.map(|timeout| timeout.as_secs_f64()))),
    ]
}

/// Takes an option out of a table, and notes its place.
fn take<T>(
    table: &mut Table<'_>,
    places: &mut Places,
    key: &'static str,
    parse: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
) -> Result<Option<T>> {
    Ok(table.take(key, parse)?.map(|Placed { value, place }| {
        places.insert(key, place);
        value
    }))
}
