//! A wrong option of a check is a compiler error at its own place that says what is allowed.

#[test]
fn wrong_options_are_errors_at_their_own_place() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
