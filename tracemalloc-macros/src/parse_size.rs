//! Reads a size from text.
//!
//! The macros read sizes too, when they expand: `tracemalloc-macros` has this file by a symbolic
//! link.

use std::error::Error;
use std::fmt;

/// Reads a size in bytes: a number, alone or with one of the units `B`, `KiB`, `MiB`, `GiB`, `TiB`
/// (powers of 1024), `KB`, `MB`, `GB`, `TB` (powers of 1000).
///
/// Blanks may stand around the number and before the unit. The number may have decimals: a fraction
/// of a byte is dropped, and so are decimals after the 18th. The limits of checks and of the
/// command are written like this. Python's tracemalloc has no such function.
///
/// # Errors
///
/// If the text is anything else, is negative, or is more than a `u64` holds.
///
/// ```
/// use tracemalloc::parse_size;
///
/// assert_eq!(parse_size("4096"), Ok(4096));
/// assert_eq!(parse_size("1.5 KiB"), Ok(1536));
/// assert_eq!(parse_size("2MB"), Ok(2_000_000));
/// assert_eq!(
///     parse_size("1XB").unwrap_err().to_string(),
///     "\"1XB\" is not a size: \"XB\" is not a unit, \
///      expected B, KiB, MiB, GiB, TiB, KB, MB, GB, TB, or a plain number of bytes",
/// );
/// ```
pub fn parse_size(text: &str) -> Result<u64, ParseSizeError> {
    let trimmed = text.trim();
    let unit_start =
        trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(unit_start);
    if trimmed.starts_with('-') {
        return Err(ParseSizeError::Negative { text: text.to_owned() });
    }
    let Some((whole, fraction)) = split_number(number) else {
        return Err(ParseSizeError::NoNumber { text: text.to_owned() });
    };
    let unit = unit.trim_start();
    let Some(&(_, factor)) = UNIT_FACTORS.iter().find(|(name, _)| *name == unit) else {
        return Err(ParseSizeError::UnknownUnit { text: text.to_owned(), unit: unit.to_owned() });
    };
    in_bytes(whole, fraction, factor)
        .ok_or_else(|| ParseSizeError::TooLarge { text: text.to_owned() })
}

/// The units that [`parse_size`] reads, in bytes. No unit is bytes.
const UNIT_FACTORS: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// The digits before and after the point; `None` unless there are digits wherever there have to be.
fn split_number(number: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = match number.split_once('.') {
        Some((_, fraction)) if fraction.is_empty() || fraction.contains('.') => return None,
        Some(parts) => parts,
        None => (number, ""),
    };
    (!whole.is_empty()).then_some((whole, fraction))
}

/// `None` when it does not fit. In integers, because `f64` would round sizes above 2^53.
fn in_bytes(whole: &str, fraction: &str, factor: u64) -> Option<u64> {
    let bytes = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    let (mut part, mut scale) = (0u128, 1u128);
    for digit in fraction.bytes().take(18) {
        part = part * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    let part = part * u128::from(factor) / scale;
    bytes.checked_add(u64::try_from(part).ok()?)
}

/// Why a text is not a size. The message names the text and what was expected.
///
/// ```
/// use tracemalloc::{ParseSizeError, parse_size};
///
/// let error = parse_size("-1").unwrap_err();
/// assert!(matches!(error, ParseSizeError::Negative { .. }));
/// assert_eq!(error.to_string(), r#""-1" is not a size: a size cannot be negative"#);
/// assert_eq!(error.reason(), "a size cannot be negative");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseSizeError {
    /// The text does not begin with a number.
    #[non_exhaustive]
    NoNumber {
        /// The whole text.
        text: String,
    },
    /// The number is followed by something that is not a unit.
    #[non_exhaustive]
    UnknownUnit {
        /// The whole text.
        text: String,
        /// The part in place of a unit.
        unit: String,
    },
    /// The text begins with a minus.
    #[non_exhaustive]
    Negative {
        /// The whole text.
        text: String,
    },
    /// The size is more bytes than a `u64` holds.
    #[non_exhaustive]
    TooLarge {
        /// The whole text.
        text: String,
    },
}

impl ParseSizeError {
    /// The message without the text, for errors that show the text already.
    ///
    /// ```
    /// let error = tracemalloc::parse_size("16777216 TiB").unwrap_err();
    /// assert_eq!(error.reason(), "expected at most 18446744073709551615 bytes");
    /// ```
    pub fn reason(&self) -> String {
        match self {
            Self::NoNumber { .. } => "expected a number of bytes such as 4096, or a number with \
                                      a unit such as 1.5 KiB"
                .to_owned(),
            Self::UnknownUnit { unit, .. } => {
                let units: Vec<&str> = UNIT_FACTORS[1..].iter().map(|(name, _)| *name).collect();
                let units = units.join(", ");
                format!("{unit:?} is not a unit, expected {units}, or a plain number of bytes")
            }
            Self::Negative { .. } => "a size cannot be negative".to_owned(),
            Self::TooLarge { .. } => format!("expected at most {} bytes", u64::MAX),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::NoNumber { text }
            | Self::UnknownUnit { text, .. }
            | Self::Negative { text }
            | Self::TooLarge { text } => text,
        }
    }
}

impl fmt::Display for ParseSizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a size: {}", self.text(), self.reason())
    }
}

impl Error for ParseSizeError {}

#[cfg(test)]
mod tests {
    use super::{ParseSizeError, parse_size};

    #[test]
    fn sizes_are_read_with_and_without_units() {
        for (text, expected) in [
            ("0", 0),
            ("  12 ", 12),
            ("12B", 12),
            ("12 B", 12),
            ("1 KiB", 1024),
            ("1.5 KiB", 1536),
            ("0.5 MiB", 524_288),
            ("2GiB", 2 << 30),
            ("3\tTiB", 3 << 40),
            ("1 KB", 1000),
            ("1.25 MB", 1_250_000),
            ("1 GB", 1_000_000_000),
            ("1 TB", 1_000_000_000_000),
            ("1.9999", 1),
            ("0.3333333333333333333333333333 KiB", 341),
            ("18446744073709551615", u64::MAX),
            ("16777215.5 TiB", u64::MAX - (1 << 39) + 1),
        ] {
            assert_eq!(parse_size(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_size_is_refused_by_name() {
        let unknown_unit = |text: &str, unit: &str| ParseSizeError::UnknownUnit {
            text: text.to_owned(),
            unit: unit.to_owned(),
        };
        for (text, unit) in [
            ("1XB", "XB"),
            ("1 kib", "kib"),
            ("1 K", "K"),
            ("1e3", "e3"),
            ("1 2", "2"),
            ("1,5 KiB", ",5 KiB"),
            ("1 KiB/s", "KiB/s"),
            ("1_000", "_000"),
        ] {
            assert_eq!(parse_size(text), Err(unknown_unit(text, unit)));
        }
        for text in ["", " ", "KiB", ".5 KiB", "5. KiB", "1.2.3", ".", "+1", "nan", "\u{664}"] {
            assert_eq!(parse_size(text), Err(ParseSizeError::NoNumber { text: text.to_owned() }));
        }
        for text in ["-1", " -1.5 KiB", "-"] {
            assert_eq!(parse_size(text), Err(ParseSizeError::Negative { text: text.to_owned() }));
        }
        for text in ["18446744073709551616", "16777216 TiB", "9".repeat(400).as_str()] {
            assert_eq!(parse_size(text), Err(ParseSizeError::TooLarge { text: text.to_owned() }));
        }
    }

    #[test]
    fn errors_say_what_is_allowed() {
        let message = |text| parse_size(text).unwrap_err().to_string();
        assert_eq!(
            message("many"),
            "\"many\" is not a size: expected a number of bytes such as 4096, or a number with a \
             unit such as 1.5 KiB"
        );
        assert_eq!(message("-1 B"), "\"-1 B\" is not a size: a size cannot be negative");
        assert_eq!(
            message("16777216 TiB"),
            "\"16777216 TiB\" is not a size: expected at most 18446744073709551615 bytes"
        );
    }
}
