//! The options of a check. They are read, each at most once, and written out as a value for the
//! runtime.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Error, Path, Token, parse_quote};

use crate::option::NameValue;

/// The list of options, for errors.
const NAMES: &str = "`max_growth`, `max_blocks`, `max_peak`, `max_allocations`, `max_total`, \
                     `include`, `exclude`, `domain`, `frames`, `runs`, `key`, `skip`, `crate`";
/// The languages whose blocks count.
const DOMAINS: [&str; 3] = ["all", "rust", "c"];
/// The keys by which blocks are one growth: Python's key types.
const KEYS: [&str; 3] = ["traceback", "lineno", "filename"];
/// An option that only `check` writes, if it has made way for the other attributes of a function.
const LAST: &str = "__last";

/// The options of one check.
pub struct Options {
    /// The path of the runtime's crate.
    pub runtime: Path,
    /// Whether this check has made way already.
    pub is_last: bool,
    /// Whether a body that grew must not run again.
    pub runs_once: bool,
    /// All options as they were written.
    given: Vec<TokenStream>,
    /// Their names.
    names: Vec<Ident>,
    /// The options for the runtime, as fields of its struct.
    fields: Vec<TokenStream>,
}

impl Options {
    /// Reads `max_growth = "1 KiB", runs = 1`. The result has all errors at once.
    pub fn parse(tokens: TokenStream) -> Result<Self, Error> {
        let mut options = Self::default();
        let given = Punctuated::<NameValue, Token![,]>::parse_terminated.parse2(tokens)?;
        options.take_all(given)?;
        Ok(options)
    }

    /// Takes in options, one after the other.
    pub fn take_all(&mut self, given: impl IntoIterator<Item = NameValue>) -> Result<(), Error> {
        let mut errors: Option<Error> = None;
        let mut seen: Vec<String> = Vec::new();
        for option in given {
            let name = option.name.to_string();
            let taken = if seen.contains(&name) {
                Err(Error::new(option.name.span(), format!("`{name}` is given twice")))
            } else {
                self.take(&option)
            };
            if let Err(error) = taken {
                match &mut errors {
                    Some(errors) => errors.combine(error),
                    None => errors = Some(error),
                }
            }
            seen.push(name);
        }
        errors.map_or(Ok(()), Err)
    }

    fn take(&mut self, option: &NameValue) -> Result<(), Error> {
        let name = option.name.to_string();
        match name.as_str() {
            "max_growth" | "max_peak" | "max_total" => self.set(option, some(option.size()?)),
            "max_blocks" => self.set(option, some(option.number_of("blocks")?)),
            "max_allocations" => self.set(option, some(option.number_of("allocations")?)),
            "include" | "exclude" => {
                let patterns = option.patterns()?;
                self.set(option, quote!(&[#(#patterns),*]));
            }
            "domain" => self.set(option, some(option.word(&DOMAINS)?)),
            "frames" => self.set(option, some(option.frames()?)),
            "runs" => {
                let runs = option.runs()?;
                self.runs_once = runs == 1;
                self.set(option, some(runs));
            }
            "key" => self.set(option, some(option.word(&KEYS)?)),
            "skip" => self.set(option, some(option.reason()?)),
            "crate" => self.runtime = option.path()?,
            LAST => self.is_last = true,
            _ => {
                return Err(Error::new(
                    option.name.span(),
                    format!("unknown option `{name}`, expected one of {NAMES}"),
                ));
            }
        }
        self.given.push(option.tokens.clone());
        self.names.push(option.name.clone());
        Ok(())
    }

    /// Adds a field of the runtime's struct. It has the option's name.
    fn set(&mut self, option: &NameValue, value: TokenStream) {
        let name = Ident::new(&option.name.to_string(), Span::call_site());
        self.fields.push(quote!(#name: #value));
    }

    /// The first option that is given and has one of these names.
    pub fn given_of(&self, names: &[&str]) -> Option<&Ident> {
        self.names.iter().find(|name| names.iter().any(|one| *name == one))
    }

    /// The attribute once more, to be put behind all others.
    pub fn attribute_at_the_end(&self) -> syn::Attribute {
        let (runtime, given) = (&self.runtime, &self.given);
        let last = Ident::new(LAST, Span::call_site());
        parse_quote!(#[#runtime::check(#(#given,)* #last = true)])
    }

    /// The value that the runtime takes. `name` is an expression for the function's path.
    pub fn value(&self, name: &TokenStream) -> TokenStream {
        let (runtime, fields) = (&self.runtime, &self.fields);
        let check = quote!(#runtime::__private::Check);
        if fields.is_empty() {
            quote!(#check::new(#name))
        } else {
            quote!(#check { #(#fields,)* ..#check::new(#name) })
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runtime: parse_quote!(::tracemalloc),
            is_last: false,
            runs_once: false,
            given: Vec::new(),
            names: Vec::new(),
            fields: Vec::new(),
        }
    }
}

fn some(value: impl ToTokens) -> TokenStream {
    quote!(::core::option::Option::Some(#value))
}
