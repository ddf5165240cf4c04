//! Parsers of the configuration's values. They accept the forms of the options with the same names.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::ValueEnum as _;
use toml::de::DeValue;
use tracemalloc::Domain;

use crate::cli::{Deny, values};

/// Parses a size: `"4 KiB"`, or a number of bytes.
pub fn size(value: &DeValue<'_>) -> Result<u64, String> {
    match value {
        DeValue::String(text) => values::size(text),
        DeValue::Integer(_) => count(value),
        other => Err(expected("a size like \"4 KiB\", or a number of bytes", other)),
    }
}

/// Parses a number that is not negative.
pub fn count(value: &DeValue<'_>) -> Result<u64, String> {
    let integer = value.as_integer().ok_or_else(|| expected("a number", value))?;
    u64::from_str_radix(integer.as_str(), integer.radix())
        .map_err(|_| format!("expected a number from 0 to 18446744073709551615, found `{integer}`"))
}

/// Parses a number in a range.
pub fn number_in(range: RangeInclusive<u32>) -> impl Fn(&DeValue<'_>) -> Result<u32, String> {
    move |value| {
        let found = count(value)?;
        let number = u32::try_from(found).ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            format!("expected a number from {least} to {most}, found `{found}`")
        })
    }
}

/// Parses a duration: `"30s"`, or a number of seconds.
pub fn duration(value: &DeValue<'_>) -> Result<Duration, String> {
    match value {
        DeValue::String(text) => values::duration(text),
        DeValue::Integer(number) => values::duration(number.as_str()),
        DeValue::Float(number) => values::duration(number.as_str()),
        other => Err(expected("a duration like \"30s\", or a number of seconds", other)),
    }
}

/// Parses the fingerprint of a leak.
pub fn fingerprint(value: &DeValue<'_>) -> Result<String, String> {
    match value.as_str() {
        Some(id) => values::id(id),
        None => Err(expected("the id of a leak, such as \"5c1f09e2\"", value)),
    }
}

/// Parses `true` or `false`.
pub fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| expected("`true` or `false`", value))
}

/// Parses a text that is not empty.
pub fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value.as_str() {
        Some(text) if text.trim().is_empty() => Err("expected a text that is not empty".to_owned()),
        Some(text) => Ok(text.to_owned()),
        None => Err(expected("a text", value)),
    }
}

/// Parses a list of texts, or a single one.
pub fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    list(value, text)
}

/// Parses a pattern that can match something.
pub fn pattern(value: &DeValue<'_>) -> Result<String, String> {
    values::pattern(value.as_str().ok_or_else(|| expected("a pattern", value))?)
}

/// Parses a list of patterns, or a single one.
pub fn patterns(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    list(value, pattern)
}

/// Parses a language whose blocks count.
pub fn language(value: &DeValue<'_>) -> Result<Domain, String> {
    let name = value.as_str().ok_or_else(|| expected("a language", value))?;
    values::language(name).map_err(|error| format!("{error}, found `{name}`"))
}

/// Parses a list of verdicts, or a single one.
pub fn verdicts(value: &DeValue<'_>) -> Result<Vec<Deny>, String> {
    list(value, |value| {
        let name = value.as_str().ok_or_else(|| expected("a verdict", value))?;
        Deny::from_str(name, false).map_err(|_| {
            format!("expected `once`, `unconfirmed`, `stale` or `mismatch`, found `{name}`")
        })
    })
}

fn list<T>(
    value: &DeValue<'_>,
    one: impl Fn(&DeValue<'_>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    match value.as_array() {
        Some(array) => array.iter().map(|value| one(value.get_ref())).collect(),
        None => Ok(vec![one(value)?]),
    }
}

fn expected(what: &str, found: &DeValue<'_>) -> String {
    format!("expected {what}, found {} {}", article(found.type_str()), found.type_str())
}

fn article(noun: &str) -> &str {
    if noun.starts_with(['a', 'i']) { "an" } else { "a" }
}
