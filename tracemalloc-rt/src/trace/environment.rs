//! The variable `TRACEMALLOC=N`, which traces from the first allocation on, with N frames.
//!
//! This file reads the variable; [`control`](crate::trace::control) starts to trace.

use core::ffi::{CStr, c_int};

use crate::trace::stack_id::MAX_NFRAME;

/// How many frames the environment wants; `None` where tracing stays off. Ends the process where
/// the variable has no valid number.
pub fn nframe() -> Option<u32> {
    // SAFETY: the name ends in a zero. Before `main` the environment does not change; later, the
    // caller of `set_var` has promised that no other thread reads it.
    let value = unsafe { libc::getenv(c"TRACEMALLOC".as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: `getenv` gives a text that ends in a zero.
    match parse(unsafe { CStr::from_ptr(value) }.to_bytes()) {
        Ok(nframe) => nframe,
        Err(message) => fail(message),
    }
}

/// The number of frames; `None` if tracing stays off. CPython reads `PYTHONTRACEMALLOC` in the same
/// way, by C's `strtol`.
fn parse(value: &[u8]) -> Result<Option<u32>, &'static str> {
    const INVALID: Result<Option<u32>, &str> = Err("TRACEMALLOC: invalid number of frames\n");
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
        return INVALID;
    }
    let number = digits.iter().try_fold(0 as c_int, |number, digit| {
        number.checked_mul(10)?.checked_add(c_int::from(digit - b'0'))
    });
    match number {
        Some(0) => Ok(None),
        Some(number) if !negative => match u32::try_from(number) {
            Ok(number) if number <= MAX_NFRAME => Ok(Some(number)),
            _ => Err("TRACEMALLOC: the number of frames must be in range [1; 65535]\n"),
        },
        _ => INVALID,
    }
}

/// Prints why and ends the process, without an allocation.
fn fail(message: &str) -> ! {
    // SAFETY: writes that many bytes of a text.
    unsafe { libc::write(2, message.as_ptr().cast(), message.len() as _) };
    // SAFETY: ends the process.
    unsafe { libc::_exit(1) }
}

#[cfg(test)]
mod tests {
    use super::parse;

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
        ] {
            assert_eq!(
                parse(value.as_bytes()),
                Err("TRACEMALLOC: invalid number of frames\n"),
                "{value:?}"
            );
        }
        for value in ["65536", "2147483647"] {
            let range = "TRACEMALLOC: the number of frames must be in range [1; 65535]\n";
            assert_eq!(parse(value.as_bytes()), Err(range), "{value:?}");
        }
    }
}
