//! Parsers of option values. Each error names the expected form.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use tracemalloc::{Domain, UnknownDomain};

/// The range of `--runs`.
pub const RUNS: RangeInclusive<u32> = 3..=u32::MAX;
/// The range of `--frames`.
pub const FRAMES: RangeInclusive<u32> = 1..=128;

/// The longest duration. Twice as long a time can still be added to the present one.
const LONGEST: Duration = Duration::from_secs(1_000_000 * 3600);

/// Parses the value of `--runs`.
pub fn runs(text: &str) -> Result<u32, String> {
    number(text, RUNS)
}

/// Parses the value of `--frames`.
pub fn frames(text: &str) -> Result<u32, String> {
    number(text, FRAMES)
}

/// Parses a number of blocks.
pub fn blocks(text: &str) -> Result<u64, String> {
    number(text, 0..=u64::MAX)
}

/// Parses a language whose blocks count: `all`, `rust`, `c`.
pub fn language(text: &str) -> Result<Domain, String> {
    text.parse().map_err(|error: UnknownDomain| error.to_string())
}

/// Parses a domain of snapshots: `rust`, `c`, or its number.
pub fn domain(text: &str) -> Result<u32, String> {
    let named = text.parse().ok().and_then(Domain::number);
    let numbered = || number(text, 0..=u32::MAX).map_err(|error| format!("{error}, `rust` or `c`"));
    named.map_or_else(numbered, Ok)
}

/// Parses a number of lines or groups to show.
pub fn limit(text: &str) -> Result<usize, String> {
    number(text, 0..=usize::MAX)
}

fn number<N: FromStr + PartialOrd + Display>(
    text: &str,
    range: RangeInclusive<N>,
) -> Result<N, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    let (least, most) = range.into_inner();
    number.ok_or_else(|| format!("expected a number from {least} to {most}"))
}

/// Parses a size: `512`, `4 KiB`.
pub fn size(text: &str) -> Result<u64, String> {
    tracemalloc::parse_size(text).map_err(|error| error.reason())
}

/// Parses a duration: `30s`, `500ms`, `2m`, `1.5`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim();
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => {
            return Err(format!(
                "`{unit}` is not a unit of time, expected ms, s, m or h, such as `30s`"
            ));
        }
    };
    let number: f64 = number
        .parse()
        .map_err(|_| "expected a number and a unit of time, such as `30s`".to_owned())?;
    let duration = Duration::try_from_secs_f64(number * seconds)
        .ok()
        .filter(|duration| *duration <= LONGEST)
        .ok_or("expected a time of at most 1000000h")?;
    if duration.is_zero() {
        return Err("expected a duration longer than zero".to_owned());
    }
    Ok(duration)
}

/// Parses the name of a signal that a program can survive: `SIGUSR1`, `usr1`.
#[cfg(unix)]
pub fn signal(text: &str) -> Result<i32, String> {
    use nix::sys::signal::Signal;

    let upper = text.to_uppercase();
    let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    let signal: Signal = name.parse().map_err(|_| {
        format!("`{text}` is not a signal of this system; use SIGUSR1, SIGUSR2 or SIGHUP")
    })?;
    let refused = match signal {
        Signal::SIGKILL | Signal::SIGSTOP => "cannot be caught",
        Signal::SIGINT | Signal::SIGTERM => "ends the program after a last snapshot",
        Signal::SIGSEGV
        | Signal::SIGBUS
        | Signal::SIGFPE
        | Signal::SIGILL
        | Signal::SIGTRAP
        | Signal::SIGABRT
        | Signal::SIGSYS => "reports a fault of the program",
        _ => return Ok(signal as i32),
    };
    Err(format!("{signal} {refused}; use SIGUSR1, SIGUSR2 or SIGHUP"))
}

/// Returns an error: this system has no signals.
#[cfg(not(unix))]
pub fn signal(_text: &str) -> Result<i32, String> {
    Err("this system has no signals".to_owned())
}

/// Parses a pattern that can match something.
pub fn pattern(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an empty pattern matches no file".to_owned());
    }
    if !tracemalloc::Filter::new(true, text).can_match() {
        return Err("the pattern matches no file, because a range in it is reversed".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses the id of a leak.
pub fn id(text: &str) -> Result<String, String> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() == 8 && text.bytes().all(is_digit) {
        return Ok(text.to_owned());
    }
    Err(format!("expected the id of a leak, eight hexadecimal digits, found {text:?}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{blocks, domain, duration, frames, pattern, runs};

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn a_text_that_is_no_duration_is_refused() {
        let too_long = ["99999999999999999999h", "10000000000000000000s", "1000000.1h"];
        for text in ["", "s", "-1s", "1x", "0", "1.2.3"].into_iter().chain(too_long) {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_number_outside_the_range_is_refused_with_the_range() {
        assert_eq!((runs("3"), frames("128"), blocks("0")), (Ok(3), Ok(128), Ok(0)));
        for text in ["", "many", "-1", "0", "1.5", "129"] {
            let expected = "expected a number from 1 to 128";
            assert_eq!(frames(text), Err(expected.to_owned()), "{text:?}");
        }
        assert_eq!(runs("2"), Err("expected a number from 3 to 4294967295".to_owned()));
    }

    #[test]
    fn domains_have_names_and_numbers() {
        assert_eq!((domain("rust"), domain("c"), domain("7")), (Ok(0), Ok(1), Ok(7)));
        let expected = "expected a number from 0 to 4294967295, `rust` or `c`";
        assert_eq!(domain("all"), Err(expected.to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn signals_have_names() {
        let usr1 = super::signal("SIGUSR1").unwrap();
        assert_eq!(super::signal("usr1"), Ok(usr1));
        assert_ne!(super::signal("Usr2"), Ok(usr1));
        for (text, word) in [
            ("SIGFOO", "not a signal"),
            ("", "not a signal"),
            ("KILL", "SIGKILL cannot be caught"),
            ("int", "SIGINT ends the program"),
            ("SEGV", "fault"),
        ] {
            let error = super::signal(text).unwrap_err();
            assert!(error.contains(word) && error.contains("use SIGUSR1"), "{error}");
        }
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_refused() {
        assert!(pattern("").is_err());
        assert!(pattern("a[z-a]").is_err());
        assert_eq!(pattern("src/*"), Ok("src/*".to_owned()));
    }
}
