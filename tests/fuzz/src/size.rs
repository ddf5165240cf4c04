//! Texts of sizes: no text panics, and a plain number is itself.

use tracemalloc::parse_size;

/// Reads one size.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let size = parse_size(text);
    if let Ok(number) = text.parse::<u64>() {
        assert!(size == Ok(number) || text.starts_with('+'));
    }
    if let Err(error) = size {
        assert!(!error.reason().is_empty());
    }
}

/// Sizes of all forms.
pub fn seeds() -> Vec<Vec<u8>> {
    let seeds = ["4096", "1.5 KiB", "2MB", "0.1 TiB", "18446744073709551615", "-1", "1XB"];
    seeds.map(|seed| seed.as_bytes().to_vec()).into()
}
