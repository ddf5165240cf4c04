//! The macros of `tracemalloc-rt`: the attribute `check` and the macro `assert_no_growth!`.
//!
//! What they mean is documented where they are used from, in `tracemalloc-rt`. What they expand to
//! is a call of that crate; nothing is measured here, and nothing that they write out is `unsafe`.

#![forbid(unsafe_code)]

mod assertion;
mod check;
mod option;
mod options;
mod parse_size;

use proc_macro::TokenStream;

/// Sets what a test may keep, wherever it runs; without options, nothing.
///
/// | option | value | meaning |
/// |---|---|---|
/// | `max_growth` | `"1 KiB"`, `4096` | bytes that may be kept; 0 if neither this nor `max_blocks` is given |
/// | `max_blocks` | `3` | blocks that may be kept; given alone, they may be of any size |
/// | `max_peak` | `"10 MiB"` | bytes that may be live at once |
/// | `include`, `exclude` | `["src/*"]` | patterns for the file of a block's most recent frame |
/// | `frames` | `25` | frames that a traceback keeps, 1 to 128 |
/// | `runs` | `1` | how often the body runs at most |
/// | `key` | `"lineno"` | what is one growth: `traceback`, `lineno` or `filename` |
/// | `skip` | `"why"` | the test is not judged |
/// | `crate` | `"memory"` | the path of the library, where it has another name |
///
/// What counts, who judges, and examples are in `docs/check.md`, and at the function
/// `tracemalloc::check`, which does the same for a piece of code.
///
/// ```ignore
/// #[tracemalloc::check(max_growth = "1 KiB", max_blocks = 3)]
/// #[test]
/// fn parses() -> Result<(), Error> {
///     parse(include_str!("large.json")).map(drop)
/// }
/// ```
#[proc_macro_attribute]
pub fn check(options: TokenStream, item: TokenStream) -> TokenStream {
    check::expand(options.into(), item.into()).into()
}

/// Fails when a piece of code keeps memory. Takes the options of the attribute, then a closure or
/// an expression, and gives what the first run of that gave.
///
/// The code runs again if it grows; with `runs = 1` it runs once, and may consume what it uses.
/// `return` and `?` inside end the code, not the function around it.
///
/// ```ignore
/// for line in lines {
///     tracemalloc::assert_no_growth!(max_blocks = 1, || cache.parse(line));
/// }
/// ```
#[proc_macro]
pub fn assert_no_growth(input: TokenStream) -> TokenStream {
    assertion::expand(input.into()).into()
}
