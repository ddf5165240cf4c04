//! The macros of [`tracemalloc-rt`](https://docs.rs/tracemalloc-rt), for tests that may keep no
//! memory: the attribute [`macro@check`], and the macros [`assert_no_growth!`] and
//! [`assert_steady!`].
//!
//! Depend on `tracemalloc-rt`, whose library is called `tracemalloc`, and not on this crate: the
//! macros are exported there, and expand to calls of functions there. Both crates have to be of one
//! version. `tracemalloc-rt` has them with its feature `macros`, which is enabled by default.
//!
//! ```toml
//! [dev-dependencies]
//! tracemalloc-rt = "0.1"
//! ```
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
//!
//! #[tracemalloc::check(max_growth = "1 KiB")]
//! #[test]
//! fn parses() {
//!     let numbers: Vec<u32> = "1 2 3".split(' ').map(|word| word.parse().unwrap()).collect();
//!     assert_eq!(numbers, [1, 2, 3]);
//! }
//! # fn main() {}
//! ```
//!
//! The allocator is not needed under `cargo tracemalloc test`, which brings its own. The macros
//! only read options and write out calls; they measure nothing, and the code that they write out
//! has no `unsafe`.

#![forbid(unsafe_code)]
#![expect(clippy::test_attr_in_doctest, reason = "the attribute is for tests")]

mod assertion;
mod check;
mod option;
mod options;
mod parse_size;

use proc_macro::TokenStream;

/// Limits the memory that a test may keep; without options, it may keep none.
///
/// | option | value | meaning |
/// |---|---|---|
/// | `max_growth` | `"1 KiB"`, `4096` | bytes that may be kept; 0 if neither this nor `max_blocks` is given |
/// | `max_blocks` | `3` | blocks that may be kept; given alone, they may be of any size |
/// | `max_peak` | `"10 MiB"` | bytes that may be live at once; without limit if it is not given |
/// | `max_allocations` | `3` | allocations that the first run may make, freed or not |
/// | `max_total` | `"1 MiB"` | bytes that these allocations may have together |
/// | `include`, `exclude` | `"src/*"`, `["src/*", "a.rs"]` | only blocks, or no blocks, whose most recent frame is in such a file count; patterns are Python's `fnmatch` |
/// | `domain` | `"rust"` | the language whose blocks count: `all`, `rust` or `c`; both if it is not given |
/// | `frames` | `25` | frames that a traceback keeps, 1 to 128; 16 if it is not given |
/// | `runs` | `1` | the most runs of a body that grows; as many as it needs if it is not given |
/// | `key` | `"lineno"` | the key by which blocks are one growth: `traceback`, `lineno` or `filename` |
/// | `skip` | `"why"` | the test runs, and gets no verdict |
/// | `crate` | `"memory"` | the path of the library, if the program has it by another name |
///
/// The test fails if it leaks: if it keeps more than the limit, run after run. Under `cargo
/// tracemalloc test`, the command judges the test by these options. Without a tracing allocator,
/// the attribute has no effect, and one note on stderr says so. The page
/// [checks](https://docs.rs/tracemalloc-rt/latest/tracemalloc/fn.check.html) says what counts.
///
/// The attribute goes on any function with a body, among the other attributes of a test in any
/// order. An `async fn` needs the attribute that makes it a test, such as `#[tokio::test]`. A
/// function with parameters runs once.
///
/// # Errors
///
/// The compiler reports an unknown option, an option that is given twice, and a value of the wrong
/// form, each at its own place.
///
/// # Panics
///
/// The function that the attribute is on panics if it leaks, if its peak is above `max_peak`, or if
/// its allocations are above `max_allocations` or `max_total`.
///
/// ```
/// # fn parse(text: &str) -> Result<Vec<u32>, std::num::ParseIntError> {
/// #     text.split(' ').map(str::parse).collect()
/// # }
/// #[tracemalloc::check(max_growth = "1 KiB", max_blocks = 3)]
/// #[test]
/// fn parses() -> Result<(), std::num::ParseIntError> {
///     parse("1 2 3").map(drop)
/// }
/// # fn main() {}
/// ```
#[proc_macro_attribute]
pub fn check(options: TokenStream, item: TokenStream) -> TokenStream {
    check::expand(options.into(), item.into()).into()
}

/// Fails if a piece of code keeps memory. It takes the options of the attribute
/// [`check`](macro@check), then a closure, the name of one, or an expression, and returns the value
/// of the first run.
///
/// The code runs again if it grows. With `runs = 1` it runs once, and may consume values from
/// outside. `return` and `?` inside end the code, not the function around it. Without a tracing
/// allocator, the code only runs.
///
/// # Panics
///
/// If the code leaks, or is above `max_peak`, `max_allocations` or `max_total`.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// let text = String::from("kept from before");
/// let words = tracemalloc::assert_no_growth!(|| text.split(' ').count());
/// assert_eq!(words, 3);
///
/// let bytes = tracemalloc::assert_no_growth!(max_growth = "1 KiB", runs = 1, || text.into_bytes());
/// assert_eq!(bytes.len(), 16);
/// ```
#[proc_macro]
pub fn assert_no_growth(input: TokenStream) -> TokenStream {
    assertion::expand(input.into()).into()
}

/// Fails if a loop leaks: runs a piece of code round after round, until its growth stops, or goes
/// on for very many rounds. It takes the number of rounds, which may be missing, then options of
/// the attribute [`check`](macro@check), then a closure, the name of one, or an expression.
///
/// With a number, the loop has exactly so many rounds. Choose it so that caches are full after two
/// fifths of them. Without one, it is that of `tracemalloc::steady`, which has the result as a
/// value. The options `max_growth` and `max_blocks` are limits a round; `include`, `exclude`,
/// `frames`, `key` and `crate` mean the same as in a check.
///
/// # Panics
///
/// - If the loop leaks. The message has the growth a round, and the holder, the path and the
///   traceback of each growth.
/// - If nothing traces, so that nothing could be measured.
/// - If a round panics.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// let decode = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
/// tracemalloc::assert_steady!(|| decode("a b c"));
/// tracemalloc::assert_steady!(200, max_growth = "1 KiB", || decode("a b c"));
/// ```
#[proc_macro]
pub fn assert_steady(input: TokenStream) -> TokenStream {
    assertion::expand_steady(input.into()).into()
}
