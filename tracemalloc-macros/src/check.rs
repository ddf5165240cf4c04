//! The attribute `check`. It hands the body of a function to the runtime.
//!
//! The runtime measures the whole test. So `check` has to see the test as the other attributes
//! leave it. An async test then has its runtime around it, and a case of a parametrised test has no
//! parameters. Attributes expand from the top down. If others follow, `check` puts itself behind
//! the last one and does nothing else.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Attribute, Error, ItemFn, ReturnType, Signature, Type};

use crate::options::Options;

/// Attributes of the language that do not change a function's body. `cfg` and `cfg_attr` are not
/// among them, because their result is not known yet.
const PLAIN: [&str; 25] = [
    "allow",
    "bench",
    "cold",
    "coverage",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "ignore",
    "inline",
    "instruction_set",
    "link_section",
    "must_use",
    "no_mangle",
    "optimize",
    "rustc_test_marker",
    "should_panic",
    "target_feature",
    "test",
    "track_caller",
    "type_length_limit",
    "unsafe",
    "warn",
];
/// Tools whose attributes the compiler ignores.
const TOOLS: [&str; 5] = ["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

/// Expands the attribute with these options on an item.
pub fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            return error(
                Error::new_spanned(first(&item), "`check` needs a function with a body"),
                item,
            );
        }
    };
    let options = match Options::parse(options) {
        Ok(options) => options,
        Err(wrong) => return error(wrong, item),
    };
    if let Some(other) = function.attrs.iter().find(|attribute| is_check(attribute, &options)) {
        let message = "`check` is given twice; put all options into one attribute";
        return error(Error::new_spanned(other, message), item);
    }
    if !options.is_last && !function.attrs.iter().all(is_plain) {
        let mut function = function;
        function.attrs.push(options.attribute_at_the_end());
        return function.into_token_stream();
    }
    match checked(&options, function) {
        Ok(function) => function.into_token_stream(),
        Err(wrong) => error(wrong, item),
    }
}

/// The error beside the unchanged item, so that no other error follows from it.
fn error(error: Error, item: TokenStream) -> TokenStream {
    let mut tokens = error.into_compile_error();
    tokens.extend(item);
    tokens
}

/// The place of an error about a whole item.
fn first(item: &TokenStream) -> TokenStream {
    item.clone().into_iter().take(1).collect()
}

fn is_plain(attribute: &Attribute) -> bool {
    let path = attribute.path();
    match path.get_ident() {
        Some(name) => PLAIN.iter().any(|plain| name == plain),
        None => {
            let is_tool = path
                .segments
                .first()
                .is_some_and(|first| TOOLS.iter().any(|tool| first.ident == tool));
            // Other attributes write `#[::core::prelude::v1::test]` for `#[test]`.
            is_tool
                || path.segments.last().is_some_and(|last| last.ident == "test") && is_of_std(path)
        }
    }
}

/// Whether an attribute is another `check` of this crate: its path is, and so are its options.
fn is_check(attribute: &Attribute, options: &Options) -> bool {
    let segments: Vec<&syn::Ident> =
        attribute.path().segments.iter().map(|segment| &segment.ident).collect();
    let runtime = options.runtime.segments.last().map(|segment| &segment.ident);
    let is_named = match segments[..] {
        [name] => name == "check",
        [.., of, name] => name == "check" && (of == "tracemalloc" || Some(of) == runtime),
        [] => false,
    };
    let tokens = match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    is_named && Options::parse(tokens).is_ok()
}

fn is_of_std(path: &syn::Path) -> bool {
    path.segments.first().is_some_and(|first| first.ident == "core" || first.ident == "std")
}

fn checked(options: &Options, mut function: ItemFn) -> Result<ItemFn, Error> {
    let signature = &function.sig;
    if let Some(keyword) = &signature.constness {
        return Err(Error::new_spanned(
            keyword,
            "a `const fn` allocates nothing that could be checked",
        ));
    }
    if let Some(keyword) = &signature.asyncness {
        let message = "an `async fn` is checked together with its runtime: add the attribute that makes it a test, such \
                       as `#[tokio::test]`, above or below";
        return Err(Error::new_spanned(keyword, message));
    }
    let runtime = &options.runtime;
    let name = &signature.ident;
    let value = options.value(&quote!(::core::concat!(
        ::core::module_path!(),
        "::",
        ::core::stringify!(#name)
    )));
    let returned = returned(signature);
    let is_failure = match &signature.output {
        ReturnType::Default => quote!(|_: &()| false),
        ReturnType::Type(_, returned) if has_impl(returned) => quote!(|_| false),
        ReturnType::Type(_, returned) => quote! {
            |returned: &#returned| {
                use #runtime::__private::NeverFails as _;
                #runtime::__private::Returned(returned).is_failure()
            }
        },
    };
    let block = &function.block;
    let call = if function.attrs.iter().any(|attribute| attribute.path().is_ident("should_panic")) {
        quote!(#runtime::__private::check_panicking(&#value, || #returned #block))
    } else if !signature.inputs.is_empty() {
        quote!(#runtime::__private::check_once(&#value, move || #returned #block))
    } else {
        quote!(#runtime::__private::check(&#value, || #returned #block, #is_failure))
    };
    *function.block = syn::parse2(quote!({ #call }))?;
    Ok(function)
}

/// The return type for a closure; empty if a closure cannot have it.
fn returned(signature: &Signature) -> TokenStream {
    match &signature.output {
        ReturnType::Type(_, returned) if has_impl(returned) => TokenStream::new(),
        returned => returned.to_token_stream(),
    }
}

fn has_impl(returned: &Type) -> bool {
    fn search(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(word) => word == "impl",
            proc_macro2::TokenTree::Group(group) => search(group.stream()),
            _ => false,
        })
    }
    search(returned.to_token_stream())
}
