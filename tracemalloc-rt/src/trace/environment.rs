//! The variable `TRACEMALLOC=N`, which traces from the first allocation on, with N frames.
//! `TRACEMALLOC=N,512KiB` samples one byte in so many.
//!
//! This file reads the variable; [`control`](crate::trace::control) starts to trace.

use core::ffi::{CStr, c_int};

use crate::trace::sampling::MAX_INTERVAL;
use crate::trace::stack_id::MAX_NFRAME;

/// The number of frames that the environment sets, and the mean distance of sampled bytes, or 0.
/// `None` if tracing stays off. Ends the process if the variable is not valid.
pub fn settings() -> Option<(u32, u64)> {
    // SAFETY: the name ends in a zero. Before `main` the environment does not change; later, the
    // caller of `set_var` has promised that no other thread reads it.
    let value = unsafe { libc::getenv(c"TRACEMALLOC".as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: `getenv` gives a text that ends in a zero.
    let value = unsafe { CStr::from_ptr(value) }.to_bytes();
    parse(value).unwrap_or_else(|Invalid| fail(value))
}

/// The variable is not a number of frames, or the interval is no size.
#[derive(Debug, PartialEq)]
struct Invalid;

/// The number of frames, and the interval behind a comma; `None` if tracing stays off.
fn parse(value: &[u8]) -> Result<Option<(u32, u64)>, Invalid> {
    let comma = value.iter().position(|byte| *byte == b',');
    let (frames, interval) = match comma {
        Some(comma) => (&value[..comma], parse_interval(&value[comma + 1..])?),
        None => (value, 0),
    };
    Ok(parse_frames(frames)?.map(|frames| (frames, interval)))
}

/// A number of bytes, or of `KiB`, `MiB` or `GiB`, from 1 to 2^53.
fn parse_interval(value: &[u8]) -> Result<u64, Invalid> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let shift = match &value[digits..] {
        b"" | b"B" => 0,
        b"KiB" => 10,
        b"MiB" => 20,
        b"GiB" => 30,
        _ => return Err(Invalid),
    };
    let number = value[..digits].iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    });
    let bytes = number.and_then(|number| number.checked_mul(1 << shift));
    bytes.filter(|bytes| (1..=MAX_INTERVAL).contains(bytes)).ok_or(Invalid)
}

/// The number of frames; `None` if tracing stays off. CPython reads `PYTHONTRACEMALLOC` in the same
/// way, by C's `strtol`.
fn parse_frames(value: &[u8]) -> Result<Option<u32>, Invalid> {
    if value.is_empty() {
        return Ok(None);
    }
    let blanks = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let (negative, digits) = match &value[blanks..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Invalid);
    }
    let number = digits.iter().try_fold(0 as c_int, |number, digit| {
        number.checked_mul(10)?.checked_add(c_int::from(digit - b'0'))
    });
    match number {
        Some(0) => Ok(None),
        Some(number) if !negative => match u32::try_from(number) {
            Ok(number) if number <= MAX_NFRAME => Ok(Some(number)),
            _ => Err(Invalid),
        },
        _ => Err(Invalid),
    }
}

/// Prints the error and ends the process, without an allocation.
fn fail(value: &[u8]) -> ! {
    const EXPECTED: &str =
        "tracemalloc: TRACEMALLOC has to be a number of frames from 0 to 65535, and is \"";
    const WITH_INTERVAL: &str = "tracemalloc: TRACEMALLOC has to be a number of frames from 0 to \
                                 65535 and a size, such as \"16,512KiB\", and is \"";
    let expected = if value.contains(&b',') { WITH_INTERVAL } else { EXPECTED };
    for part in [expected.as_bytes(), value, b"\"\n"] {
        // SAFETY: writes that many bytes of a text.
        unsafe { libc::write(2, part.as_ptr().cast(), part.len() as _) };
    }
    // SAFETY: ends the process.
    unsafe { libc::_exit(1) }
}

#[cfg(test)]
mod tests {
    use super::{Invalid, parse, parse_frames};

    #[test]
    fn an_interval_may_stand_behind_the_frames() {
        for (value, expected) in [
            ("16", Some((16, 0))),
            ("16,512KiB", Some((16, 512 << 10))),
            ("1,1", Some((1, 1))),
            ("1,4096B", Some((1, 4096))),
            ("1,2MiB", Some((1, 2 << 20))),
            ("0,2MiB", None),
        ] {
            assert_eq!(parse(value.as_bytes()), Ok(expected), "{value:?}");
        }
        for value in ["16,", "16,0", "16,KiB", "16,1 KiB", "16,1.5KiB", "16,9999999GiB", "x,1KiB"] {
            assert_eq!(parse(value.as_bytes()), Err(Invalid), "{value:?}");
        }
    }

    /// CPython 3.9, 3.11 and 3.13 read the same values in the same way.
    #[test]
    fn values_are_read_as_by_cpython() {
        for (value, expected) in
            [("", None), ("0", None), ("-0", None), ("1", Some(1)), ("10", Some(10))]
        {
            assert_eq!(parse_frames(value.as_bytes()), Ok(expected), "{value:?}");
        }
        for (value, expected) in
            [("65535", 65535), (" 5", 5), ("\t\n\x0b\x0c\r 7", 7), ("+5", 5), ("00012", 12)]
        {
            assert_eq!(parse_frames(value.as_bytes()), Ok(Some(expected)), "{value:?}");
        }
        for value in [
            "-1",
            "abc",
            "5 ",
            "0x10",
            "1e3",
            "2147483648",
            "99999999999999999999",
            " ",
            "+",
            "+-1",
            "-",
            "65536",
            "2147483647",
        ] {
            assert_eq!(parse_frames(value.as_bytes()), Err(Invalid), "{value:?}");
        }
    }
}
