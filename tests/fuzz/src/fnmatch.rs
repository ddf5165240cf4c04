//! Patterns and names, divided by a zero byte: a match ends, and `*` matches all.

use tracemalloc::fnmatchcase;

/// Matches one name.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (pattern, name) = text.split_once('\0').unwrap_or((text, text));
    let matches = fnmatchcase(name, pattern);
    assert!(fnmatchcase(name, "*"));
    assert!(!matches || fnmatchcase(name, &format!("{pattern}*")));
    if !pattern.contains(['*', '?', '[']) {
        assert_eq!(matches, pattern == name);
    }
}

/// Patterns of all kinds.
pub fn seeds() -> Vec<Vec<u8>> {
    let seeds = ["src/*\0src/lib.rs", "*/[!a-c]?.rs\0core/d1.rs", "*a*a*a*a*b\0aaaaaaaaaaaaaaaa"];
    seeds.map(|seed| seed.as_bytes().to_vec()).into()
}
