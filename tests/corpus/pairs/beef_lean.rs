//! The two-word `Cow` reads a capacity of 0 back, so it never frees what it owns.

#[test]
pub fn beef_lean() {
    let name = format!("the name of user {}", 7); // leaks
    let name: beef::lean::Cow<str> = beef::lean::Cow::owned(name);
    assert!(name.len() > 10);
}

/// The three-word one.
#[test]
pub fn beef_wide() {
    let name: beef::Cow<str> = beef::Cow::owned(format!("the name of user {}", 7));
    assert!(name.len() > 10);
}
