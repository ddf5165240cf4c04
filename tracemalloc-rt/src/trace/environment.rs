//! The variable `TRACEMALLOC=N`, which traces from the first allocation on, with N frames.
//!
//! This file reads the variable; [`control`](crate::trace::control) starts to trace.

use core::ffi::{CStr, c_int};

use crate::trace::stack_id::MAX_NFRAME;

/// The number of frames that the environment sets; `None` if tracing stays off. Ends the process if
/// the variable is no valid number.
pub fn nframe() -> Option<u32> {
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

/// The variable is not a number of frames.
#[derive(Debug, PartialEq)]
struct Invalid;

/// The number of frames; `None` if tracing stays off. CPython reads `PYTHONTRACEMALLOC` in the same
/// way, by C's `strtol`.
fn parse(value: &[u8]) -> Result<Option<u32>, Invalid> {
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
    for part in [EXPECTED.as_bytes(), value, b"\"\n"] {
        // SAFETY: writes that many bytes of a text.
        unsafe { libc::write(2, part.as_ptr().cast(), part.len() as _) };
    }
    // SAFETY: ends the process.
    unsafe { libc::_exit(1) }
}

#[cfg(test)]
mod tests {
    use super::{Invalid, parse};

    /// CPython 3.9, 3.11 and 3.13 read the same values in the same way.
    #[test]
    fn values_are_read_as_by_cpython() {
        for (value, expected) in
            [("", None), ("0", None), ("-0", None), ("1", Some(1)), ("10", Some(10))]
        {
            assert_eq!(parse(value.as_bytes()), Ok(expected), "{value:?}");
        }
        for (value, expected) in
            [("65535", 65535), (" 5", 5), ("\t\n\x0b\x0c\r 7", 7), ("+5", 5), ("00012", 12)]
        {
            assert_eq!(parse(value.as_bytes()), Ok(Some(expected)), "{value:?}");
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
            assert_eq!(parse(value.as_bytes()), Err(Invalid), "{value:?}");
        }
    }
}
