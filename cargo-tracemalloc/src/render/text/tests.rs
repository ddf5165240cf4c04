//! Whole reports, as a person sees them without colours.

#[test]
fn placeholder() {}
