//! The macros of `tracemalloc-rt`: the attribute `check` and the macro `assert_no_growth!`.
//!
//! What they mean is documented where they are used from, in `tracemalloc-rt`. What they expand to is a call of that
//! crate; nothing is measured here, and nothing that they write out is `unsafe`.

#![forbid(unsafe_code)]

mod assertion;
mod check;
mod option;
mod options;
mod parse_size;

use proc_macro::TokenStream;

/// Sets what a test may keep.
#[proc_macro_attribute]
pub fn check(options: TokenStream, item: TokenStream) -> TokenStream {
    check::expand(options.into(), item.into()).into()
}

/// Fails when a piece of code keeps memory.
#[proc_macro]
pub fn assert_no_growth(input: TokenStream) -> TokenStream {
    assertion::expand(input.into()).into()
}
