//! Writes sizes as Python's tracemalloc does.
//!
//! It is written by hand, because no crate rounds and changes units as Python does. The text has to
//! be Python's to the letter (`100.0 KiB` and `10240 KiB` included).

/// A size in bytes, as Python's tracemalloc shows it: `512 B`, `10.0 KiB`, `+1.5 MiB`. With
/// `signed`, a size that is not negative has a plus.
///
/// The unit grows once the number reaches 10240. Below 100 there is one decimal, except for bytes.
/// Rounding is half to even, on the binary value. The size is a float because averages are shown
/// too.
///
/// Python: `tracemalloc._format_size`.
///
/// ```
/// use tracemalloc::format_size;
///
/// assert_eq!(format_size(10239.0, false), "10239 B");
/// assert_eq!(format_size(10240.0, false), "10.0 KiB");
/// assert_eq!(format_size(102399.0, false), "100.0 KiB");
/// assert_eq!(format_size(102400.0, true), "+100 KiB");
/// assert_eq!(format_size(-17.0, true), "-17 B");
/// ```
pub fn format_size(size: f64, signed: bool) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

    let mut value = size;
    let mut index = 0;
    // Both bounds look at the value before rounding, which is how 102399 comes to be "100.0 KiB".
    while value.abs() >= 10240.0 && index + 1 < UNITS.len() {
        value /= 1024.0;
        index += 1;
    }
    let decimals = usize::from(index > 0 && value.abs() < 100.0);
    let unit = UNITS[index];
    if signed {
        format!("{value:+.decimals$} {unit}")
    } else {
        format!("{value:.decimals$} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::format_size;

    #[test]
    fn units_change_at_10240_and_decimals_end_at_100() {
        // (bytes, text of CPython 3.11)
        for (size, expected) in [
            (0.0, "0 B"),
            (99.0, "99 B"),
            (10239.0, "10239 B"),
            (10239.6, "10240 B"),
            (10240.0, "10.0 KiB"),
            (102348.0, "99.9 KiB"),
            (102349.0, "100.0 KiB"),
            (102399.0, "100.0 KiB"),
            (102400.0, "100 KiB"),
            (10485759.0, "10240 KiB"),
            (10485760.0, "10.0 MiB"),
            (10.0 * 1024f64.powi(3), "10.0 GiB"),
            (10.0 * 1024f64.powi(4), "10.0 TiB"),
            (10240.0 * 1024f64.powi(4), "10240 TiB"),
            (1048576.0 * 1024f64.powi(4), "1048576 TiB"),
        ] {
            assert_eq!(format_size(size, false), expected, "{size}");
        }
    }

    #[test]
    fn rounding_is_half_to_even() {
        for (size, expected) in [
            (0.5, "0 B"),
            (1.5, "2 B"),
            (2500.5, "2500 B"),
            (2501.5, "2502 B"),
            (12544.0, "12.2 KiB"),
            (13056.0, "12.8 KiB"),
            (102912.0, "100 KiB"),
            (103936.0, "102 KiB"),
        ] {
            assert_eq!(format_size(size, false), expected, "{size}");
        }
    }

    #[test]
    fn signs_are_shown_on_request() {
        assert_eq!(format_size(0.0, true), "+0 B");
        assert_eq!(format_size(5.0, true), "+5 B");
        assert_eq!(format_size(-102400.0, true), "-100 KiB");
        assert_eq!(format_size(-5.0, false), "-5 B");
    }
}
