//! What is wrong with a check's options is an error where it is written, and says what is allowed.

#[test]
fn wrong_options_are_errors_at_their_own_place() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
