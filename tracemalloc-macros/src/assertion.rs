//! The macros `assert_no_growth!` and `assert_steady!`. They take the options of the attribute,
//! then the code to measure.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Expr, Result, Token};

use crate::option::NameValue;
use crate::options::Options;

/// Expands `assert_no_growth!`.
pub fn expand(input: TokenStream) -> TokenStream {
    match assertion.parse2(input) {
        Ok(tokens) => tokens,
        Err(error) => error.into_compile_error(),
    }
}

/// Expands `assert_steady!`.
pub fn expand_steady(input: TokenStream) -> TokenStream {
    match steady.parse2(input) {
        Ok(tokens) => tokens,
        Err(error) => error.into_compile_error(),
    }
}

fn assertion(input: ParseStream) -> Result<TokenStream> {
    let options = options(input)?;
    let body = body(input, "assert_no_growth!(max_growth = \"1 KiB\", || work())")?;
    let runtime = &options.runtime;
    let value = options.value(&quote!(""));
    Ok(if options.runs_once {
        quote!(#runtime::__private::assert_no_growth_once(&#value, #body))
    } else {
        quote!(#runtime::__private::assert_no_growth(&#value, #body))
    })
}

fn steady(input: ParseStream) -> Result<TokenStream> {
    let rounds = rounds(input)?;
    let options = options(input)?;
    if let Some(name) =
        options.given_of(&["runs", "skip", "max_peak", "max_allocations", "max_total"])
    {
        let message = format!("`{name}` is no option of a loop");
        return Err(syn::Error::new(name.span(), message));
    }
    let body = body(input, "assert_steady!(100, || work())")?;
    let runtime = &options.runtime;
    let value = options.value(&quote!(""));
    let rounds = match rounds {
        Some(rounds) => quote!(::core::option::Option::Some(#rounds)),
        None => quote!(::core::option::Option::None),
    };
    Ok(quote!(#runtime::__private::assert_steady(&#value, #rounds, #body)))
}

/// The number of rounds: an expression before a comma, with more behind it.
fn rounds(input: ParseStream) -> Result<Option<Expr>> {
    let ahead = input.fork();
    let is_rounds = !begins_option(input)
        && ahead.parse::<Expr>().is_ok()
        && ahead.parse::<Token![,]>().is_ok()
        && !ahead.is_empty();
    if !is_rounds {
        return Ok(None);
    }
    let rounds = input.parse()?;
    input.parse::<Token![,]>()?;
    Ok(Some(rounds))
}

/// The options, which come before the code.
fn options(input: ParseStream) -> Result<Options> {
    let mut given = Vec::new();
    while begins_option(input) {
        given.push(NameValue::parse(input)?);
        if input.is_empty() {
            break;
        }
        input.parse::<Token![,]>()?;
    }
    let mut options = Options::default();
    options.take_all(given)?;
    Ok(options)
}

/// The code to measure, as a closure.
fn body(input: ParseStream, example: &str) -> Result<TokenStream> {
    if input.is_empty() {
        let message = format!("the code to measure comes last: `{example}`");
        return Err(syn::Error::new(proc_macro2::Span::call_site(), message));
    }
    let body: Expr = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    if !input.is_empty() {
        return Err(input.error("nothing may follow the code to measure"));
    }
    Ok(match body {
        // The name of a function or a closure is called; to look at it would measure nothing.
        Expr::Closure(_) | Expr::Path(_) | Expr::Reference(_) => quote!(#body),
        body => quote!(|| #body),
    })
}

/// Whether the input begins with `name =`, and not with `name ==`.
fn begins_option(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.call(<syn::Ident as syn::ext::IdentExt>::parse_any).is_ok()
        && ahead.peek(Token![=])
        && !ahead.peek(Token![==])
}
