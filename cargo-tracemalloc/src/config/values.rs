//! Values of the configuration, as the options of the same names take them on a command line.

use std::ops::RangeBounds;
use std::time::Duration;

use clap::ValueEnum as _;
use toml::de::DeValue;

use crate::cli::{Deny, values};

/// `"4 KiB"`, or a number of bytes.
pub fn size(value: &DeValue<'_>) -> Result<u64, String> {
    match value {
        DeValue::String(text) => values::size(text),
        DeValue::Integer(_) => count(value),
        other => Err(expected("a size like \"4 KiB\", or a number of bytes", other)),
    }
}

/// A number that is not negative.
pub fn count(value: &DeValue<'_>) -> Result<u64, String> {
    let integer = value.as_integer().ok_or_else(|| expected("a number", value))?;
    u64::from_str_radix(integer.as_str(), integer.radix())
        .map_err(|_| format!("`{integer}` is no count"))
}

/// A number in a range.
pub fn number_in(
    range: impl RangeBounds<i64>,
    shown: &str,
) -> impl Fn(&DeValue<'_>) -> Result<u32, String> {
    move |value| {
        let number = count(value)?;
        let in_range = i64::try_from(number).is_ok_and(|number| range.contains(&number));
        let number = u32::try_from(number).ok().filter(|_| in_range);
        number.ok_or_else(|| format!("{} is not in {shown}", count(value).unwrap_or_default()))
    }
}

/// `"30s"`, or a number of seconds.
pub fn duration(value: &DeValue<'_>) -> Result<Duration, String> {
    match value {
        DeValue::String(text) => values::duration(text),
        DeValue::Integer(number) => values::duration(number.as_str()),
        DeValue::Float(number) => values::duration(number.as_str()),
        other => Err(expected("a duration like \"30s\", or a number of seconds", other)),
    }
}

/// A text with something in it.
pub fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value.as_str() {
        Some(text) if text.trim().is_empty() => Err("it is empty".to_owned()),
        Some(text) => Ok(text.to_owned()),
        None => Err(expected("a text", value)),
    }
}

/// A pattern that some name matches.
pub fn pattern(value: &DeValue<'_>) -> Result<String, String> {
    values::pattern(value.as_str().ok_or_else(|| expected("a pattern", value))?)
}

/// A list of patterns, or one alone.
pub fn patterns(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    list(value, pattern)
}

/// A list of verdicts, or one alone.
pub fn verdicts(value: &DeValue<'_>) -> Result<Vec<Deny>, String> {
    list(value, |value| {
        let name = value.as_str().ok_or_else(|| expected("a verdict", value))?;
        Deny::from_str(name, false)
            .map_err(|_| format!("`{name}` is no verdict to deny; use once or unconfirmed"))
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
