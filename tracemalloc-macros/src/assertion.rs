//! The macro `assert_no_growth!`. It takes the options of the attribute, then the code to measure.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Expr, Result, Token};

use crate::option::NameValue;
use crate::options::Options;

/// Expands the macro.
pub fn expand(input: TokenStream) -> TokenStream {
    match assertion.parse2(input) {
        Ok(tokens) => tokens,
        Err(error) => error.into_compile_error(),
    }
}

fn assertion(input: ParseStream) -> Result<TokenStream> {
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
    if input.is_empty() {
        let message = "the code to measure comes last: `assert_no_growth!(max_growth = \"1 KiB\", || work())`";
        return Err(syn::Error::new(proc_macro2::Span::call_site(), message));
    }
    let body: Expr = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    if !input.is_empty() {
        return Err(input.error("nothing may follow the code to measure"));
    }
    let body = match body {
        Expr::Closure(closure) => quote!(#closure),
        body => quote!(|| #body),
    };
    let runtime = &options.runtime;
    let value = options.value(&quote!(""));
    Ok(if options.runs_once {
        quote!(#runtime::__private::assert_no_growth_once(&#value, #body))
    } else {
        quote!(#runtime::__private::assert_no_growth(&#value, #body))
    })
}

/// Whether the input begins with `name =`, and not with `name ==`.
fn begins_option(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.call(<syn::Ident as syn::ext::IdentExt>::parse_any).is_ok()
        && ahead.peek(Token![=])
        && !ahead.peek(Token![==])
}
